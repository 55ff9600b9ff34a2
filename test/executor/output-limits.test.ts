/** How much a command may say about its outputs. The files are read without a command. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOutputs } from '../../src/executor/host/outputs.ts';
import type { RunFiles } from '../../src/executor/host/run-files.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { BLOB, createRoot, STRING, types } from './fixture.ts';

const { signal } = new AbortController();
const noBlobs = { fetch: async () => {}, store: async () => '' };

/** Reads these files as outputs. */
async function read(
  declared: Record<string, LiteralType>,
  files: Record<string, string>,
  limitBytes = 1024 * 1024,
) {
  const path = await createRoot();
  const outputs = join(path, 'outputs');
  await mkdir(outputs);
  for (const [name, text] of Object.entries(files)) await writeFile(join(outputs, name), text);
  const directory = { path, outputs } as RunFiles;
  const request = { declared: types(declared), directory, inputUris: new Set<string>(), limitBytes };
  return await readOutputs(request, noBlobs, signal);
}

describe('the outputs of a run', () => {
  it('may have literals of four times the limit, and no larger ones', async () => {
    const word: LiteralType = { unionType: { variants: [STRING, BLOB] } };
    // The literal that is reported also names the variant, so it is longer than the one in the file.
    const texts = (length: number) => ({
      'literals.json': `{"x":{"scalar":{"primitive":{"stringValue":"${'a'.repeat(length)}"}}}}`,
    });
    const sizeOf = async (length: number) =>
      JSON.stringify((await read({ x: word }, texts(length))).outputLiterals).length;
    const length = 4 - ((await sizeOf(0)) % 4);
    const limitBytes = (await sizeOf(length)) / 4;
    expect((await read({ x: word }, texts(length), limitBytes)).outputs).toEqual({ x: 'a'.repeat(length) });
    await expect(read({ x: word }, texts(length + 1), limitBytes)).rejects.toMatchObject({
      ...{ kind: 'USER', code: 'OutputsTooLarge' },
      message: `the outputs are larger than ${4 * limitBytes} bytes as literals`,
    });
  });

  it('have problems whose message is cut to 8 KiB', async () => {
    const names = Array.from({ length: 500 }, (_, index) => [`output-${index}`, 1]);
    const refused = read({}, { 'outputs.json': JSON.stringify(Object.fromEntries(names)) });
    const { message } = await refused.catch((error) => error);
    expect(message).toMatch(/^outputs.json: output-0 is not declared; outputs.json: output-1 is/);
    expect(message).toHaveLength(8 * 1024);
  });

  it('keep a byte order mark', async () => {
    expect((await read({ x: STRING }, { x: '\uFEFFtext' })).outputs).toEqual({ x: '\uFEFFtext' });
  });
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LiteralType } from '../../src/values/literal-types.ts';
import { BLOB, createRoot, FolderBlobs, finish, INTEGER, node, STRING, shell, types } from './fixture.ts';

const OPTIONAL_INTEGER: LiteralType = { unionType: { variants: [INTEGER, { simple: 'NONE' }] } };

/** Runs a script that writes the declared outputs. Its current directory is the outputs directory. */
async function write(
  declared: Record<string, LiteralType>,
  script: string,
  options: Parameters<typeof finish>[1] = {},
) {
  const spec = shell(`cd "$SLIPWAY_OUTPUTS" && ${script}`, {
    interface: { inputs: {}, outputs: types(declared) },
  });
  const run = await finish(spec, options);
  const problem = run.outcome.kind === 'FAILED' ? run.outcome.error : null;
  const outputs = run.outcome.kind === 'SUCCEEDED' ? run.outcome.outputs : null;
  return { ...run, outputs, problem };
}

describe('outputs as files', () => {
  it('are read by their types, and files are uploaded', async () => {
    const run = await write(
      {
        rows: INTEGER,
        big: INTEGER,
        loss: { simple: 'FLOAT' },
        note: STRING,
        tags: { collectionType: STRING },
        model: BLOB,
        skipped: OPTIONAL_INTEGER,
        report: { unionType: { variants: [BLOB, { simple: 'NONE' }] } },
      },
      `echo 42 > rows; echo 9223372036854775807 > big; echo nan > loss; printf 'a\\nb\\n' > note
       echo '["x"]' > tags; printf '\\000\\001' > model; echo ignored > undeclared; printf 5 > report`,
    );
    expect(run.outputs, JSON.stringify(run.problem)).toEqual({
      rows: 42,
      big: '9223372036854775807',
      loss: 'NaN',
      note: 'a\nb',
      tags: ['x'],
      model: 'slipway://blobs/stored-1',
      skipped: null,
      report: 'slipway://blobs/stored-2',
    });
    expect(await readFile(run.blobs.path('slipway://blobs/stored-1'))).toEqual(Buffer.from([0, 1]));
  });

  it('are read from the path that {{.outputs.x}} gives', async () => {
    const spec = node('require("fs").writeFileSync(process.argv[1], "5")', {
      interface: { inputs: {}, outputs: types({ x: INTEGER }) },
    });
    spec.container.args = ['{{.outputs.x}}'];
    expect((await finish(spec)).outcome).toMatchObject({ outputs: { x: 5 } });
  });

  it('are reported together when they are wrong, and then no file is uploaded', async () => {
    const run = await write(
      { rows: INTEGER, absent: STRING, bytes: STRING, model: BLOB },
      `
      echo many > rows; printf '\\377' > bytes; echo m > model`,
    );
    expect(run.problem).toEqual({
      code: 'OutputsInvalid',
      kind: 'USER',
      message:
        'rows: expected integer, got "many"; absent: the command did not write this file; bytes: the file is not UTF-8',
    });
    expect(run.blobs.stored).toBe(0);
  });

  it('are refused when they are links out of the directory, folders, pipes or unreadable', async () => {
    const elsewhere = await createRoot();
    await writeFile(join(elsewhere, 'secret'), 'secret');
    const run = await write(
      { link: BLOB, text: STRING, chain: BLOB, folder: BLOB, pipe: STRING, device: BLOB },
      `ln -s ${elsewhere}/secret link; ln -s ${elsewhere}/secret text; ln -s link chain
       mkdir folder; mkfifo pipe; ln -s /dev/zero device`,
    );
    expect(run.problem?.code).toBe('OutputsInvalid');
    expect(run.problem?.message.split('; ')).toEqual([
      "link: the file is outside of the run's directory",
      "text: the file is outside of the run's directory",
      "chain: the file is outside of the run's directory",
      'folder: the file is not a regular file',
      'pipe: the file is not a regular file',
      "device: the file is outside of the run's directory",
    ]);
    expect(run.blobs.stored).toBe(0);
  });

  it('are accepted when they are links within the directory', async () => {
    const run = await write({ model: BLOB }, 'echo m > ../work/m; ln -s ../work/m model');
    expect(run.outputs).toEqual({ model: 'slipway://blobs/stored-1' });
    expect(await readFile(run.blobs.path('slipway://blobs/stored-1'), 'utf8')).toBe('m\n');
  });

  it('are not read from outside when the outputs directory itself is a link', async () => {
    const elsewhere = await createRoot();
    await writeFile(join(elsewhere, 'x'), '5');
    const run = await write({ x: INTEGER }, `cd .. && rmdir outputs && ln -s ${elsewhere} outputs`);
    expect(run.problem?.message).toBe("x: the file is outside of the run's directory");
  });

  it('may be exactly as large as the limit', async () => {
    for (const [outputLimitBytes, problem] of [
      [9, null],
      [8, expect.objectContaining({ code: 'OutputsTooLarge' })],
    ] as const) {
      const all = await write({ a: STRING }, `printf '{"a":"x"}' > outputs.json`, { outputLimitBytes });
      expect(all.problem).toEqual(problem);
      const own = await write({ a: STRING }, 'printf x > a', { outputLimitBytes });
      expect(own.problem).toEqual(problem);
    }
  });

  it('may have 2 MiB by default', async () => {
    const quoted = 2 * 1024 * 1024 - '{"a":""}'.length;
    const fill = (bytes: number) => write({ a: STRING }, `head -c ${bytes} /dev/zero | tr '\\0' x > a`);
    expect((await fill(quoted)).problem).toBeNull();
    expect((await fill(quoted + 1)).problem).toMatchObject({ code: 'OutputsTooLarge' });
  });

  it('are limited in total', async () => {
    const half = 'head -c 1200 /dev/zero | tr "\\0" a';
    const one = await write({ a: STRING }, `${half} > a`, { outputLimitBytes: 2000 });
    expect(one.outputs).toEqual({ a: 'a'.repeat(1200) });
    const two = await write({ a: STRING, b: STRING }, `${half} > a; ${half} > b`, { outputLimitBytes: 2000 });
    expect(two.problem).toMatchObject({ code: 'OutputsTooLarge', kind: 'USER' });
    const json = await write({ a: STRING }, 'truncate -s 10G outputs.json');
    expect(json.problem).toMatchObject({ code: 'OutputsTooLarge' });
    const blob = await write({ a: BLOB }, `${half} > a`, { outputLimitBytes: 1000 });
    expect(blob.outputs).toEqual({ a: 'slipway://blobs/stored-1' });
  });
});

describe('outputs.json', () => {
  it('gives values, exact integers and paths of files; outputs that it lacks are read as files', async () => {
    const run = await write(
      {
        rows: INTEGER,
        loss: { simple: 'FLOAT' },
        parts: { mapValueType: BLOB },
        late: INTEGER,
        skipped: OPTIONAL_INTEGER,
        none: OPTIONAL_INTEGER,
      },
      `mkdir sub; echo a > sub/a; echo b > ../work/b; echo 7 > late
       echo '{"rows": 9007199254740993, "loss": NaN, "parts": {"a": "sub/a", "b": "../work/b"}, "none": null}' > outputs.json`,
    );
    expect(run.outputs, JSON.stringify(run.problem)).toEqual({
      rows: '9007199254740993',
      loss: 'NaN',
      parts: { a: 'slipway://blobs/stored-1', b: 'slipway://blobs/stored-2' },
      late: 7,
      skipped: null,
      none: null,
    });
  });

  it('is refused when it has an output that is not declared, has another type, or names a missing file', async () => {
    const run = await write(
      { rows: INTEGER, model: BLOB, key: BLOB },
      `echo '{"rows": "x", "model": "nosuch", "key": "/etc/hostname", "extra": 1, "__proto__": 1}' > outputs.json`,
    );
    expect(run.problem?.message.split('; ')).toEqual([
      'outputs.json: extra is not declared',
      'outputs.json: __proto__ is not declared',
      'rows: expected integer, got string',
      'model: the file nosuch does not exist',
      "key: the file is outside of the run's directory",
    ]);
  });

  it.each(['[]', '{', '', 'null'])('is refused when it is %j', async (text) => {
    const run = await write({}, `printf '%s' '${text}' > outputs.json`);
    expect(run.problem).toMatchObject({
      code: 'OutputsInvalid',
      message: expect.stringMatching(/^outputs.json: expected (a )?JSON/),
    });
  });

  it('keeps the digits of integers in a struct, or is refused', async () => {
    const struct: LiteralType = { simple: 'STRUCT' };
    const kept = await write(
      { s: struct },
      `echo '{"s": {"even": 9007199254740994, "loss": 1e30}}' > outputs.json`,
    );
    expect(kept.outputs).toEqual({ s: { even: 9007199254740994, loss: 1e30 } });
    const lost = await write(
      { s: struct, t: struct },
      `echo '{"s": {"id": 9007199254740993}}' > outputs.json
      echo '{"id": 9007199254740993}' > t`,
    );
    expect(lost.problem?.message).toMatch(/^s: .*lose digits.*; t: .*lose digits/);
  });

  it('is refused when it nests deeper than the server accepts', async () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const [fits, deep] = [63, 64].map((levels) => nested(levels));
    expect((await write({ s: { simple: 'STRUCT' } }, `echo '${fits}' > s`)).problem).toBeNull();
    expect((await write({ s: { simple: 'STRUCT' } }, `echo '${deep}' > s`)).problem?.message).toBe(
      's: is nested more than 63 levels deep',
    );
  });

  it('is read in a limited number of steps', async () => {
    const many = { collectionType: INTEGER };
    const run = await write(
      { y: many },
      `node -e 'process.stdout.write(JSON.stringify({y: Array(600000).fill(1)}))' > outputs.json`,
    );
    expect(run.problem).toMatchObject({ code: 'OutputsTooLarge', kind: 'USER' });
    expect(run.problem?.message).toContain('y.499999: checking the values takes more than 500000 steps');
  });

  it('accepts the uri of a blob only when it was an input', async () => {
    const blobs = new FolderBlobs(await createRoot());
    await mkdir(blobs.folder, { recursive: true });
    await writeFile(blobs.path('slipway://blobs/given'), 'x');
    const spec = shell(
      `echo '{"same": "slipway://blobs/given", "copy": "{{.inputs.data}}"}' > "$SLIPWAY_OUTPUTS/outputs.json"`,
      {
        interface: { inputs: types({ data: BLOB }), outputs: types({ same: BLOB, copy: BLOB }) },
        inputs: { data: 'slipway://blobs/given' },
      },
    );
    expect((await finish(spec, { blobs })).outcome).toMatchObject({
      outputs: { same: 'slipway://blobs/given', copy: 'slipway://blobs/stored-1' },
    });
    const forged = await write({ model: BLOB }, `echo '{"model": "slipway://blobs/other"}' > outputs.json`);
    expect(forged.problem).toMatchObject({ code: 'OutputsInvalid' });
  });
});

describe('a store that fails', () => {
  it('fails the run with kind SYSTEM', async () => {
    const blobs = new FolderBlobs('/nonexistent');
    const run = await write({ model: BLOB }, 'echo m > model', { blobs });
    expect(run.problem).toMatchObject({ code: 'OutputNotStored', kind: 'SYSTEM' });
  });
});

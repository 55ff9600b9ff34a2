import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobSettings } from '../../src/executions/commands/get-job-settings.ts';
import { judgeAttempt } from '../../src/executions/domain/attempts.ts';
import type { LockedExecution } from '../../src/executions/store/locked-execution.ts';
import { writeInputs } from '../../src/executor/host/inputs.ts';
import { readOutputs } from '../../src/executor/host/outputs.ts';
import type { RunFiles } from '../../src/executor/host/run-files.ts';
import type { RunSpec } from '../../src/executor/host/run-spec.ts';
import type { BlobStore } from '../../src/executor/host/runtime.ts';
import { newId } from '../../src/platform/ids.ts';
import type { TaskNode } from '../../src/registry/domain/closure.ts';
import { jobOfAttempt } from '../../src/scheduler/attempt-jobs.ts';
import { isOptionalType, type LiteralType } from '../../src/values/literal-types.ts';
import type { Literal, LiteralMap } from '../../src/values/literals.ts';
import { toPlain } from '../../src/values/plain-values.ts';
import { literalOf, plainLiteralOf, typeWithUnions } from '../values/arbitraries.ts';
import {
  BLOB,
  blobLiteral,
  createRoot,
  FolderBlobs,
  finish,
  INTEGER,
  inUnion,
  node,
  STRING,
  shell,
  types,
} from './fixture.ts';

/** A value goes from the server to the executor, to the user's code and back, and is the same. */

const FLOAT: LiteralType = { simple: 'FLOAT' };
const number: LiteralType = { unionType: { variants: [INTEGER, FLOAT] } };
const word: LiteralType = { unionType: { variants: [STRING, BLOB] } };
const signal = new AbortController().signal;
const LIMIT = 1 << 20;

/** Each file contains its own URI, so a file that is passed on gets the same URI again. */
const echoingBlobs: BlobStore = {
  fetch: (uri, toFile) => writeFile(toFile, uri),
  store: (file) => readFile(file, 'utf8'),
};

async function filesIn(path: string): Promise<RunFiles> {
  const files = {
    path,
    inputs: join(path, 'inputs'),
    inputsFile: join(path, 'inputs', 'inputs.json'),
    literalsFile: join(path, 'inputs', 'literals.json'),
    blobs: join(path, 'blobs'),
    outputs: join(path, 'outputs'),
  };
  for (const folder of [files.inputs, files.blobs, files.outputs]) await mkdir(folder, { recursive: true });
  return files;
}

const noSettings: JobSettings = {
  ...{ labels: {}, annotations: {}, envs: {}, interruptible: null },
  platform: { defaults: {}, limits: {} },
};

/** The spec that the executor gets for an attempt whose task has one input of this type. */
function specOf(type: LiteralType, value: Literal): RunSpec {
  const container = {
    ...{ image: 'none', command: ['true'], args: [], env: [] },
    resources: { requests: [], limits: [] },
  };
  const signature = { inputs: types({ value: type }), outputs: types({ value: type }) };
  const task = { id: { name: 'echo', version: 'v1' }, template: { container, interface: signature } };
  const job = jobOfAttempt(
    { id: newId(), project: 'p', domain: 'd', name: 'n' } as LockedExecution,
    noSettings,
    { id: 'n', task, timeoutSeconds: null } as unknown as TaskNode,
    { nodeExecutionId: newId(), nodeId: 'n', attempt: 0, inputs: { value } },
  );
  // As the database and the API pass it on.
  return JSON.parse(JSON.stringify(job.spec));
}

/** The outputs that the server stores for what the executor reports. */
function judged(type: LiteralType, report: { outputs: object; outputLiterals: object }) {
  const { outputs, outputLiterals } = JSON.parse(JSON.stringify(report));
  const event = { phase: 'SUCCEEDED', attempt: 0, error: null, outputs, outputLiterals } as const;
  return judgeAttempt({ retries: 0, outputs: types({ value: type }) }, event, LIMIT);
}

/** Runs user code that writes the file with its inputs as its outputs. */
async function echo(type: LiteralType, value: Literal, file: 'literals.json' | 'inputs.json') {
  const spec = specOf(type, value);
  const directory = await filesIn(await createRoot());
  const inputs = await writeInputs(spec, directory, echoingBlobs, signal);
  const written = file === 'inputs.json' ? 'outputs.json' : file;
  await copyFile(join(directory.inputs, file), join(directory.outputs, written));
  const report = await readOutputs(
    {
      declared: types({ value: type }),
      directory,
      inputUris: new Set(inputs.blobs.values()),
      limitBytes: LIMIT,
    },
    echoingBlobs,
    signal,
  );
  return judged(type, report).outputs;
}

/** Whether there is a null of an inner union where the outer one is optional, too: as a plain value, it is the outer one's. */
function hasInnerNull(type: LiteralType, value: Literal): boolean {
  if ('collection' in value)
    return (
      'collectionType' in type &&
      value.collection.literals.some((one) => hasInnerNull(type.collectionType, one))
    );
  if ('map' in value)
    return (
      'mapValueType' in type &&
      Object.values(value.map.literals).some((one) => hasInnerNull(type.mapValueType, one))
    );
  if (!('union' in value.scalar)) return false;
  const { type: variant, value: inner } = value.scalar.union;
  const isInner = 'unionType' in variant && isOptionalType(type) && toPlain(inner) === null;
  return isInner || hasInnerNull(variant, inner);
}

describe('a value that user code passes on', () => {
  it('is the same if the code writes its literal', async () => {
    await fc.assert(
      fc.asyncProperty(
        typeWithUnions.chain((type) => literalOf(type).map((value) => ({ type, value }))),
        async ({ type, value }) => {
          expect(await echo(type, value, 'literals.json')).toEqual({ value });
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('keeps its variant if the code writes a plain value, or the code is told that this is ambiguous', async () => {
    await fc.assert(
      fc.asyncProperty(
        typeWithUnions.chain((type) => plainLiteralOf(type).map((value) => ({ type, value }))),
        async ({ type, value }) => {
          fc.pre(!hasInnerNull(type, value));
          const echoed = await echo(type, value, 'inputs.json').catch((error: Error) => error.message);
          if (typeof echoed === 'string')
            expect(echoed).toMatch(
              /^value.*: the value fits .* of .*; to choose a variant, write the literal to literals\.json/s,
            );
          else expect(echoed).toEqual({ value });
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});

describe('inputs of unions', () => {
  it('are sent as literals only if the plain value does not say the variant', () => {
    const three = { scalar: { primitive: { floatValue: 3 } } };
    expect(specOf(number, inUnion(FLOAT, three))).toMatchObject({
      inputs: { value: 3 },
      inputLiterals: { value: inUnion(FLOAT, three) },
    });
    const optional: LiteralType = { unionType: { variants: [FLOAT, { simple: 'NONE' }] } };
    expect(specOf(optional, inUnion(FLOAT, three))).toMatchObject({
      inputs: { value: 3 },
      inputLiterals: {},
    });
    expect(specOf(FLOAT, { ...three, hash: 'h' }).inputLiterals).toEqual({ value: { ...three, hash: 'h' } });
  });

  it('are downloaded if they are blobs, and never if they are strings', async () => {
    const blobs = new FolderBlobs(await createRoot());
    await writeFile(join(blobs.folder, 'one'), 'first');
    const uri = 'slipway://blobs/one';
    const spec = node(
      `const fs = require('fs');
       const { word, file } = JSON.parse(fs.readFileSync(process.argv[1], 'utf8'));
       console.log(word, fs.readFileSync(file, 'utf8'), process.argv[2]);`,
      {
        interface: { inputs: types({ word, file: word }), outputs: {} },
        inputs: { word: uri, file: uri },
        inputLiterals: {
          word: inUnion(STRING, { scalar: { primitive: { stringValue: uri } } }),
          file: inUnion(BLOB, blobLiteral(uri)),
        },
      },
    );
    spec.container.args = ['{{.input}}', '{{.inputs.word}}'];
    const run = await finish(spec, { blobs });
    expect(run.stdout, run.stderr).toBe(`${uri} first ${uri}\n`);
  });
});

describe('outputs of unions', () => {
  const write = async (script: string, declared: Record<string, LiteralType>) => {
    const spec = shell(`cd "$SLIPWAY_OUTPUTS" && ${script}`, {
      interface: { inputs: {}, outputs: types(declared) },
    });
    return (await finish(spec)).outcome;
  };

  it('have the variant whose literal the command writes', async () => {
    const literals = JSON.stringify({
      // Without the wrapper, the kind of the value says the variant.
      ratio: { scalar: { primitive: { floatValue: 3 } } },
      note: inUnion(STRING, { scalar: { primitive: { stringValue: 'hello' } } }),
    });
    const outcome = await write(`echo '${literals}' > literals.json`, { ratio: number, note: word });
    expect(outcome).toMatchObject({
      outputs: { ratio: 3, note: 'hello' },
      outputLiterals: {
        ratio: inUnion(FLOAT, { scalar: { primitive: { floatValue: 3 } } }),
        note: inUnion(STRING, { scalar: { primitive: { stringValue: 'hello' } } }),
      },
    });
  });

  it('have the variant that the text of a file fits first', async () => {
    const outcome = await write('echo 3 > ratio; echo note > note', {
      ratio: { unionType: { variants: [FLOAT, INTEGER] } },
      note: word,
    });
    expect(outcome).toMatchObject({
      outputLiterals: {
        ratio: inUnion(FLOAT, { scalar: { primitive: { floatValue: 3 } } }),
        note: inUnion(BLOB, blobLiteral('slipway://blobs/stored-1')),
      },
    });
  });

  it('are refused with the name of the output if several variants accept the plain value', async () => {
    const outcome = await write(`echo '{"ratio": 3}' > outputs.json`, { ratio: number });
    expect(outcome).toMatchObject({
      error: {
        code: 'OutputsInvalid',
        message:
          'ratio: the value fits both integer and float of union<integer, float>; to choose a variant, write the literal to literals.json',
      },
    });
  });

  it.each([
    [
      'in both files',
      `echo '{"a": 1}' > outputs.json; echo '{"a": {}}' > literals.json`,
      /a: has a value in both/,
    ],
    [
      'of another type',
      `echo '{"a": {"scalar": {"noneType": {}}}}' > literals.json`,
      /a: expected integer, got none/,
    ],
    ['that are no literals', `echo '{"a": 1}' > literals.json`, /a: expected/],
    ['that are not declared', `echo '{"b": 1}' > literals.json`, /literals.json: b is not declared/],
    ['that are no object', 'echo 1 > literals.json', /literals.json: expected a JSON object/],
    ['that are too large', 'truncate -s 10G literals.json', /outputs are larger/],
  ])('are refused as literals %s', async (_what, script, message) => {
    const outcome = await write(`${script}`, { a: INTEGER });
    expect(outcome).toMatchObject({ kind: 'FAILED', error: { message: expect.stringMatching(message) } });
  });

  it('are checked again by the server', () => {
    const value = inUnion(FLOAT, { scalar: { primitive: { floatValue: 3 } } });
    const outputs: LiteralMap = { value };
    expect(judged(number, { outputs: { value: 3 }, outputLiterals: outputs }).outputs).toEqual({ value });
    expect(judged(number, { outputs: { value: 3 }, outputLiterals: {} }).error).toMatchObject({
      message: 'value: the value fits both integer and float of union<integer, float>',
    });
    expect(judged(INTEGER, { outputs: {}, outputLiterals: { value: 3, other: 1 } }).error).toMatchObject({
      message: expect.stringMatching(/^value: .*; other: it is not declared$/),
    });
  });
});

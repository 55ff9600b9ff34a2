import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { RunError } from '../../src/executor/host/run-error.ts';
import {
  BLOB,
  blobLiteral,
  command,
  createRoot,
  FolderBlobs,
  finish,
  INTEGER,
  inUnion,
  listFolder,
  node,
  STRING,
  shell,
  types,
} from './fixture.ts';

const failure = (code: string, kind = 'USER', message: unknown = expect.any(String)) =>
  expect.objectContaining({ kind: 'FAILED', error: { code, kind, message } });

describe('run: the command', () => {
  it('gets its arguments unchanged', async () => {
    const words = [
      'a b',
      '"quoted" \'single\'',
      'two\nlines',
      '$(touch pwned) `id` $HOME',
      '*',
      '',
      '-e',
      '\\',
      'ünï✓',
    ];
    const run = await finish(
      command(['node', '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...words]),
    );
    expect(run.outcome).toEqual({ kind: 'SUCCEEDED', outputs: {}, outputLiterals: {}, exitCode: 0 });
    expect(JSON.parse(run.stdout)).toEqual(words);
  });

  it('gets inputs in its arguments, each as one argument and expanded once', async () => {
    const inputs = {
      text: '{{.inputs.rows}} $(id)\n"x" y',
      rows: 7,
      list: ['a b', '{{.inputs.rows}}'],
      none: null,
    };
    const run = await finish(
      command(['node', '-e', 'console.log(JSON.stringify(process.argv.slice(1)))'], {
        container: {
          image: '',
          command: ['node', '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--'],
          args: [
            '{{.inputs.text}}',
            'n={{ .inputs.rows }}',
            '{{.inputs.list}}',
            '{{.inputs.none}}',
            '{{.inputs.absent}}',
          ],
          env: [],
          resources: { requests: [], limits: [] },
        },
        interface: {
          inputs: types({ absent: { unionType: { variants: [STRING, { simple: 'NONE' }] } } }),
          outputs: {},
        },
        inputs,
      }),
    );
    expect(JSON.parse(run.stdout)).toEqual([inputs.text, 'n=7', JSON.stringify(inputs.list), '', '']);
  });

  it('fails with TemplateError before a process is started', async () => {
    let isStarted = false;
    const run = await finish(shell('echo {{.inputs.nosuch}}'), {
      onStarted: () => {
        isStarted = true;
      },
    });
    expect(run.outcome).toEqual(failure('TemplateError', 'USER', expect.stringContaining('nosuch')));
    expect(isStarted).toBe(false);
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('does not start when it names an input that has no value and needs one', async () => {
    const spec = shell('echo {{.inputs.rows}}', {
      interface: { inputs: types({ rows: INTEGER }), outputs: {} },
    });
    expect((await finish(spec)).outcome).toEqual(failure('TemplateError'));
  });

  it('gets the value of an optional input, or an empty text', async () => {
    const optional = { unionType: { variants: [BLOB, STRING, { simple: 'NONE' } as const] } };
    const spec = command(['echo', '{{.inputs.given}},{{.inputs.none}}'], {
      interface: { inputs: types({ given: optional, none: optional }), outputs: {} },
      inputs: { given: 'five', none: null },
    });
    expect((await finish(spec)).stdout).toBe('five,\n');
  });

  it('can write to /dev/stdout and /dev/stderr', async () => {
    const run = await finish(shell('echo out > /dev/stdout; echo err > /dev/stderr'));
    expect([run.outcome.kind, run.stdout, run.stderr]).toEqual(['SUCCEEDED', 'out\n', 'err\n']);
  });

  it('reads nothing from standard input', async () => {
    expect((await finish(shell('cat; echo end'))).stdout).toBe('end\n');
  });

  it('leads its own process group', async () => {
    const run = await finish(shell('echo $$ $(ps -o pgid= -p $$) $(ps -o sid= -p $$)'));
    const [pid, group, session] = run.stdout.trim().split(' ');
    expect([group, session]).toEqual([pid, pid]);
  });
});

describe('run: the environment', () => {
  it('has the variables of the run and none of the executor', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://secret');
    vi.stubEnv('SLIPWAY_SECRETS', 'secret');
    try {
      const spec = node('console.log(JSON.stringify(process.env))', {
        environment: { SLIPWAY_PROJECT: 'flights', SLIPWAY_ATTEMPT: '1', ARMADA_QUEUE: 'q' },
      });
      spec.container.env = [
        { key: 'MODE', value: 'first' },
        { key: 'MODE', value: 'a "b"\n$(id)' },
        { key: 'SLIPWAY_ATTEMPT', value: 'forged' },
        { key: 'SLIPWAY_RUN_ID', value: 'forged' },
        { key: 'LANG', value: 'C' },
      ];
      const run = await finish(spec);
      const directory = join(run.root, spec.runId);
      expect(JSON.parse(run.stdout)).toEqual({
        PATH: expect.stringMatching(/:\/usr\/local\/bin:\/usr\/bin:\/bin$/),
        HOME: join(directory, 'work'),
        TMPDIR: join(directory, 'tmp'),
        LANG: 'C',
        MODE: 'a "b"\n$(id)',
        SLIPWAY_PROJECT: 'flights',
        SLIPWAY_ATTEMPT: '1',
        ARMADA_QUEUE: 'q',
        SLIPWAY_INPUTS: join(directory, 'inputs'),
        SLIPWAY_OUTPUTS: join(directory, 'outputs'),
        SLIPWAY_JOB_ID: spec.jobId,
        SLIPWAY_RUN_ID: spec.runId,
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('passes every variable on, also those that a shell changes or cannot name', async () => {
    const spec = node('console.log(JSON.stringify(process.env))');
    const variables = {
      'my.name': 'a b',
      'my-name': "it's",
      PWD: '/elsewhere',
      IFS: ',',
      PS4: '+',
      BASH_ENV: '/no/file',
      SHELLOPTS: 'noexec',
      _: 'x',
      PATH: '/nowhere:/usr/bin:/bin',
    };
    spec.container.command = [process.execPath, ...spec.container.command.slice(1)];
    spec.container.env = Object.entries(variables).map(([key, value]) => ({ key, value }));
    const run = await finish(spec);
    expect(JSON.parse(run.stdout)).toMatchObject(variables);
    expect(Object.keys(JSON.parse(run.stdout))).not.toContain('OLDPWD');
  });

  it.each(['', 'A=B', '1A', 'A B', 'A\0'])('refuses the name %j', async (key) => {
    const spec = shell(':');
    spec.container.env = [{ key, value: 'x' }];
    expect((await finish(spec)).outcome).toEqual(failure('InvalidEnvironment'));
  });

  it('refuses a NUL in a value, and a variable of the executor that is not SLIPWAY_… or ARMADA_…', async () => {
    const spec = shell(':');
    spec.container.env = [{ key: 'A', value: 'x\0y' }];
    expect((await finish(spec)).outcome).toEqual(failure('InvalidEnvironment'));
    for (const environment of [{ LD_PRELOAD: 'x' }, { SLIPWAY_NAME: 'x\0y' }] as Record<string, string>[])
      expect((await finish(shell(':', { environment }))).outcome).toEqual(
        failure('InvalidEnvironment', 'SYSTEM'),
      );
  });
});

describe('run: the directory', () => {
  it('is private, holds the inputs as files, and is gone afterwards', async () => {
    const blobs = new FolderBlobs(await createRoot());
    await writeFile(blobs.path('slipway://blobs/one'), 'first');
    await writeFile(blobs.path('slipway://blobs/two'), 'second');
    const spec = node(
      `const fs = require('fs'), path = require('path');
       const inputs = process.env.SLIPWAY_INPUTS;
       const read = (name) => fs.readFileSync(path.join(inputs, name), 'utf8');
       const modeOf = (file) => (fs.statSync(file).mode & 0o7777).toString(8);
       const all = JSON.parse(read('inputs.json'));
       console.log(JSON.stringify({
         mode: modeOf(path.join(inputs, '..')),
         folders: fs.readdirSync(path.join(inputs, '..')).map((n) => modeOf(path.join(inputs, '..', n))),
         written: [path.join(inputs, 'text'), path.join(inputs, 'inputs.json'), ...['leader', 'stdout'].map((n) => path.join(inputs, '../../.control-' + process.env.SLIPWAY_RUN_ID, n))].map(modeOf),
         cwd: path.basename(process.cwd()),
         beside: fs.readdirSync(path.join(inputs, '..')).sort(),
         files: Object.fromEntries(fs.readdirSync(inputs).filter((n) => !['inputs.json', 'literals.json'].includes(n)).map((n) => [n, read(n)])),
         argument: fs.readFileSync(process.argv[1], 'utf8'),
         data: fs.readFileSync(all.data, 'utf8'),
         parts: all.parts.map((part) => fs.readFileSync(part, 'utf8')),
         maybe: fs.readFileSync(all.maybe, 'utf8'),
         chosen: all.chosen.map((part) => fs.readFileSync(part, 'utf8')),
         plain: { text: all.text, big: all.big, config: all.config, word: all.word },
       }))`,
      {
        interface: {
          inputs: types({
            data: BLOB,
            parts: { collectionType: BLOB },
            maybe: { unionType: { variants: [BLOB, { simple: 'NONE' }] } },
            chosen: { unionType: { variants: [{ collectionType: STRING }, { collectionType: BLOB }] } },
            word: { unionType: { variants: [BLOB, STRING] } },
            text: STRING,
            big: INTEGER,
            config: { simple: 'STRUCT' },
            ratio: { simple: 'FLOAT' },
            flag: { simple: 'BOOLEAN' },
          }),
          outputs: {},
        },
        inputs: {
          data: 'slipway://blobs/one',
          parts: ['slipway://blobs/one', 'slipway://blobs/two'],
          maybe: 'slipway://blobs/two',
          chosen: ['slipway://blobs/one'],
          word: 'hello',
          text: 'a\nb',
          big: '9007199254740993',
          config: { a: [1] },
          ratio: 0.5,
          flag: true,
        },
        // The plain values fit both variants.
        inputLiterals: {
          chosen: inUnion(
            { collectionType: BLOB },
            { collection: { literals: [blobLiteral('slipway://blobs/one')] } },
          ),
          word: inUnion(STRING, { scalar: { primitive: { stringValue: 'hello' } } }),
        },
      },
    );
    spec.container.args = ['{{.inputs.data}}'];
    const run = await finish(spec, { blobs });
    expect(run.outcome.kind, run.stderr).toBe('SUCCEEDED');
    const seen = JSON.parse(run.stdout);
    expect(seen).toMatchObject({
      mode: '700',
      folders: Array(5).fill('700'),
      written: Array(4).fill('600'),
      cwd: 'work',
      beside: ['blobs', 'inputs', 'outputs', 'tmp', 'work'],
      argument: 'first',
      data: 'first',
      parts: ['first', 'second'],
      maybe: 'second',
      chosen: ['first'],
      plain: { text: 'a\nb', big: '9007199254740993', config: { a: [1] }, word: 'hello' },
    });
    expect(seen.files).toMatchObject({
      data: 'first',
      text: 'a\nb',
      big: '9007199254740993',
      config: '{"a":[1]}',
      ratio: '0.5',
      flag: 'true',
    });
    expect(JSON.parse(seen.files.parts)).toHaveLength(2);
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('reports an input that could not be fetched', async () => {
    const run = await finish(
      shell(':', {
        interface: { inputs: types({ data: BLOB }), outputs: {} },
        inputs: { data: 'slipway://blobs/no' },
      }),
    );
    expect(run.outcome).toEqual(
      failure('InputUnavailable', 'SYSTEM', 'cannot download the file of the input data'),
    );
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('fails as the store of files says, if that knows why', async () => {
    const blobs = new FolderBlobs(await createRoot());
    blobs.fetch = () => Promise.reject(new RunError('USER', 'InputGone', 'the file was deleted'));
    const spec = shell(':', {
      interface: { inputs: types({ data: BLOB }), outputs: {} },
      inputs: { data: 'slipway://blobs/gone' },
    });
    expect((await finish(spec, { blobs })).outcome).toEqual(
      failure('InputGone', 'USER', 'the file was deleted'),
    );
  });

  it.each(['../x', 'a/b', '.', '..', '.hidden', '', 'inputs.json', 'literals.json', 'x'.repeat(256)])(
    'refuses the input name %j',
    async (name) => {
      expect((await finish(shell(':', { inputs: { [name]: 1 } }))).outcome).toEqual(
        failure('InvalidInterface'),
      );
    },
  );

  it.each(['x'.repeat(255), 'a.b c'])('accepts the input name %j', async (name) => {
    expect((await finish(shell(':', { inputs: { [name]: 1 } }))).outcome.kind).toBe('SUCCEEDED');
  });

  it.each(['../x', '_ERROR', 'outputs.json', 'literals.json'])('refuses the output name %j', async (name) => {
    const spec = shell(':', { interface: { inputs: {}, outputs: types({ [name]: STRING }) } });
    expect((await finish(spec)).outcome).toEqual(failure('InvalidInterface'));
  });

  it('is kept for a failed run with keepFailed, and only then', async () => {
    const spec = shell('echo trace > trace; exit 1');
    const run = await finish(spec, { keepFailed: true });
    expect(await readFile(join(run.root, spec.runId, 'work', 'trace'), 'utf8')).toBe('trace\n');
    expect(await readdir(run.root)).toEqual([spec.runId]);
    await finish(shell('exit 0'), { keepFailed: true, root: run.root });
    expect(await readdir(run.root)).toEqual([spec.runId]);
  });

  it('may be damaged by its command, whose end is known nevertheless', async () => {
    const run = await finish(shell('rm ../../.control-*/gate ../../.control-*/leader; exit 4'));
    expect(run.outcome).toMatchObject({ kind: 'FAILED', exitCode: 4 });
    expect(await listFolder(run.root)).toEqual([]);
  });

  it('is made where the root does not exist yet', async () => {
    const root = join(await createRoot(), 'not', 'yet');
    expect((await finish(shell(':'), { root })).outcome.kind).toBe('SUCCEEDED');
  });

  it('is removed also when the command made it unwritable or replaced it by a link', async () => {
    const elsewhere = await createRoot();
    await writeFile(join(elsewhere, 'precious'), 'x');
    const run = await finish(shell(`mkdir -p d/e; touch d/e/f; chmod 0 d/e d; ln -s ${elsewhere} link`));
    expect(run.outcome.kind).toBe('SUCCEEDED');
    const moved = await finish(
      shell(
        `cd "$SLIPWAY_OUTPUTS/../.." && mv "$SLIPWAY_RUN_ID" x && ln -s ${elsewhere} "$SLIPWAY_RUN_ID"; exit 1`,
      ),
    );
    expect(moved.outcome.kind).toBe('FAILED');
    expect(await listFolder(run.root)).toEqual([]);
    expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('x');
    expect((await stat(elsewhere)).isDirectory()).toBe(true);
  });
});

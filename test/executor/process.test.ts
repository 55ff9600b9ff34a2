import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import {
  BLOB,
  command,
  createRoot,
  FolderBlobs,
  finish,
  INTEGER,
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
    expect(run.outcome).toEqual({ kind: 'SUCCEEDED', outputs: {}, exitCode: 0 });
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

describe('run: how a command fails', () => {
  it('reports the exit code and the end of standard error', async () => {
    const run = await finish(shell('echo first >&2; echo the reason >&2; exit 3'));
    expect(run.outcome).toEqual({
      kind: 'FAILED',
      error: { code: 'NonZeroExit', kind: 'USER', message: 'first\nthe reason' },
      exitCode: 3,
      signal: null,
    });
  });

  it('limits the message to 2 KiB of whole lines and characters', async () => {
    const run = await finish(
      node('for (let i = 0; i < 500; i++) console.error("é✓ line " + i + "\\0"); process.exitCode = 1'),
    );
    const message = run.outcome.kind === 'FAILED' ? run.outcome.error.message : '';
    expect(message).toMatch(/^é✓ line \d+\uFFFD\n/);
    expect(message).toMatch(/\né✓ line 499\uFFFD$/);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
    expect(Buffer.byteLength(message)).toBeGreaterThan(1900);
    expect(Buffer.from(message).toString()).toBe(message);
  });

  it('keeps a message that is one long line', async () => {
    const run = await finish(node('process.stderr.write("✓".repeat(5000)); process.exitCode = 1'));
    expect(run.outcome).toEqual(failure('NonZeroExit', 'USER', '✓'.repeat(682)));
  });

  it('prefers the error file, which also makes an exit code of 0 a failure', async () => {
    const failed = await finish(shell('echo noise >&2; echo "bad rows" > "$SLIPWAY_OUTPUTS/_ERROR"; exit 4'));
    expect(failed.outcome).toEqual(failure('NonZeroExit', 'USER', 'bad rows'));
    const quiet = await finish(shell('echo "bad rows" > "$SLIPWAY_OUTPUTS/_ERROR"'));
    expect(quiet.outcome).toEqual(failure('UserError', 'USER', 'bad rows'));
  });

  it('reports a signal that the executor did not send', async () => {
    const run = await finish(shell('echo working >&2; kill -9 $$'));
    expect(run.outcome).toEqual({
      kind: 'FAILED',
      error: { code: 'Killed', kind: 'USER', message: 'the command was killed by SIGKILL\nworking' },
      exitCode: null,
      signal: 'SIGKILL',
    });
  });

  it('reports a command that cannot be started', async () => {
    const root = await createRoot();
    const plainFile = join(root, 'plain');
    await writeFile(plainFile, '#!/bin/sh\n');
    await chmod(plainFile, 0o644);
    expect((await finish(command(['no-such-program']))).outcome).toEqual(
      failure('CommandNotFound', 'USER', 'the command no-such-program was not found'),
    );
    expect((await finish(command([plainFile]))).outcome).toEqual(failure('CommandNotExecutable'));
    expect((await finish(command([]))).outcome).toEqual(failure('CommandNotFound'));
    expect((await finish(command(['/bin/echo', 'x'.repeat(3_000_000)]))).outcome).toEqual(
      failure('ArgumentsTooLong'),
    );
  });

  it('finds a command in the PATH of the run', async () => {
    const path = await createRoot();
    await writeFile(join(path, 'hello'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    expect((await finish(command(['hello']), { path })).stdout).toBe('hello\n');
    expect((await finish(command(['sh', '-c', ':']), { path })).outcome).toEqual(failure('CommandNotFound'));
  });

  it('refuses to start a run twice', async () => {
    const root = await createRoot();
    const first = shell('sleep 0.3');
    const runtime = createProcessRuntime({ root });
    const blobs = new FolderBlobs(root);
    const options = { blobs, signal: new AbortController().signal, onStarted: () => {}, onLog: () => {} };
    const running = runtime.run(first, options);
    await expect(runtime.run(first, options)).rejects.toThrow('already');
    expect((await finish(first, { root })).outcome).toEqual(failure('RunDirectoryUnavailable', 'SYSTEM'));
    expect((await running).kind).toBe('SUCCEEDED');
  });

  it.each(['..', '../x', 'a/b', '', '.ended-x'])('refuses the run id %j', async (runId) => {
    expect((await finish(shell(':', { runId }))).outcome).toEqual(
      failure('RunDirectoryUnavailable', 'SYSTEM'),
    );
  });
});

describe('run: the environment', () => {
  it('has the variables of the run and none of the executor', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://secret');
    vi.stubEnv('SLIPWAY_SECRETS', 'secret');
    try {
      const spec = node('console.log(JSON.stringify(process.env))', {
        environment: { SLIPWAY_PROJECT: 'flights', SLIPWAY_ATTEMPT: '1' },
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
        SLIPWAY_INPUTS: join(directory, 'inputs'),
        SLIPWAY_OUTPUTS: join(directory, 'outputs'),
        SLIPWAY_JOB_ID: spec.jobId,
        SLIPWAY_RUN_ID: spec.runId,
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each(['', 'A=B', '1A', 'A B', 'A\0'])('refuses the name %j', async (key) => {
    const spec = shell(':');
    spec.container.env = [{ key, value: 'x' }];
    expect((await finish(spec)).outcome).toEqual(failure('InvalidEnvironment'));
  });

  it('refuses a NUL in a value, and a variable of the executor that is not SLIPWAY_…', async () => {
    const spec = shell(':');
    spec.container.env = [{ key: 'A', value: 'x\0y' }];
    expect((await finish(spec)).outcome).toEqual(failure('InvalidEnvironment'));
    const foreign = shell(':', { environment: { LD_PRELOAD: 'x' } });
    expect((await finish(foreign)).outcome).toEqual(failure('InvalidEnvironment', 'SYSTEM'));
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
       const all = JSON.parse(read('inputs.json'));
       console.log(JSON.stringify({
         mode: (fs.statSync(path.join(inputs, '..')).mode & 0o777).toString(8),
         cwd: path.basename(process.cwd()),
         beside: fs.readdirSync(path.join(inputs, '..')).sort(),
         files: Object.fromEntries(fs.readdirSync(inputs).filter((n) => n !== 'inputs.json').map((n) => [n, read(n)])),
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
      },
    );
    spec.container.args = ['{{.inputs.data}}'];
    const run = await finish(spec, { blobs });
    expect(run.outcome.kind, run.stderr).toBe('SUCCEEDED');
    const seen = JSON.parse(run.stdout);
    expect(seen).toMatchObject({
      mode: '700',
      cwd: 'work',
      beside: ['blobs', 'inputs', 'outputs', 'run.json', 'tmp', 'work'],
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

  it.each(['../x', 'a/b', '.', '..', '.hidden', '', 'inputs.json', 'x'.repeat(300)])(
    'refuses the input name %j',
    async (name) => {
      expect((await finish(shell(':', { inputs: { [name]: 1 } }))).outcome).toEqual(
        failure('InvalidInterface'),
      );
    },
  );

  it.each(['../x', '_ERROR', 'outputs.json'])('refuses the output name %j', async (name) => {
    const spec = shell(':', { interface: { inputs: {}, outputs: types({ [name]: STRING }) } });
    expect((await finish(spec)).outcome).toEqual(failure('InvalidInterface'));
  });

  it('is kept for a failed run with keepFailed, and is not cleaned up as a leftover', async () => {
    const spec = shell('echo trace > trace; exit 1');
    const run = await finish(spec, { keepFailed: true });
    expect(await readFile(join(run.root, spec.runId, 'work', 'trace'), 'utf8')).toBe('trace\n');
    expect(await createProcessRuntime({ root: run.root }).reapLeftovers()).toEqual([]);
    expect(await readdir(run.root)).toEqual([spec.runId]);
    await finish(shell('exit 0'), { keepFailed: true, root: run.root });
    expect(await readdir(run.root)).toEqual([spec.runId]);
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

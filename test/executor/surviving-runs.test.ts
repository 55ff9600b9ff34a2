/** A run goes on when its executor is killed, and the next executor finishes it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunRecord, RunRecords } from '../../src/executor/host/run-records.ts';
import type { RunSpec } from '../../src/executor/host/run-spec.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import { log } from '../../src/platform/log.ts';
import {
  createRoot,
  DRIVER,
  finish,
  INTEGER,
  isAlive,
  listFolder,
  never,
  shell,
  types,
  waitUntil,
} from './fixture.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      child.kill('SIGKILL');
  }
});

/** An executor in a separate process that runs the spec. Resolves when the command has printed `ready`. */
async function doomed(spec: RunSpec) {
  const [root, folder] = [await createRoot(), await createRoot()];
  const executor = spawn(process.execPath, ['--import', 'tsx', DRIVER, root, folder, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(executor);
  let printed = '';
  executor.stdout.on('data', (bytes: Buffer) => {
    printed += bytes;
  });
  await waitUntil(() => printed.includes('ready'), 'the command was ready');
  const pids = (printed.match(/\d+/g) ?? []).map(Number);
  return {
    ...{ root, pids, records: new RunRecords(folder, log), printed: () => printed },
    async killHard() {
      executor.kill('SIGKILL');
      await once(executor, 'exit');
    },
  };
}

/** The only record that was left. */
function recordOf(records: RunRecords): RunRecord {
  const [record, ...more] = records.list();
  if (record === undefined || more.length > 0) throw new Error('not one record');
  return record;
}

describe('a run whose executor was killed', () => {
  it('ends as if nothing had happened, with each line of its log once', async () => {
    const go = join(await createRoot(), 'go');
    const spec = shell(
      `echo $$ ready; echo first; while ! test -e ${go}; do sleep 0.02; done
       echo second; echo third >&2; echo 5 > "$SLIPWAY_OUTPUTS/y"`,
      { interface: { inputs: {}, outputs: types({ y: INTEGER }) } },
    );
    const executor = await doomed(spec);
    await waitUntil(() => executor.printed().includes('first'), 'the first lines had come');
    await executor.killHard();
    expect(executor.pids.filter(isAlive)).toEqual(executor.pids);
    const resumed = finish(recordOf(executor.records), {
      ...executor,
      onStarted: () => writeFileSync(go, ''),
    });
    const { outcome, stdout, stderr, chunks } = await resumed;
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 5 } });
    expect([stdout, stderr]).toEqual(['second\n', 'third\n']);
    // The numbers of the pieces go on.
    expect(chunks[0]?.sequence).toBeGreaterThan(0);
    expect(await listFolder(executor.root)).toEqual([]);
    expect(executor.records.list()).toEqual([]);
  });

  it('has its result although it ended while there was no executor', async () => {
    const go = join(await createRoot(), 'go');
    const script = `echo $$ ready; while ! test -e ${go}; do sleep 0.02; done; echo why >&2; exit 9`;
    const executor = await doomed(shell(script));
    await executor.killHard();
    writeFileSync(go, '');
    await waitUntil(() => executor.pids.every((pid) => !isAlive(pid)), 'the command ended');
    let starts = 0;
    const { outcome } = await finish(recordOf(executor.records), {
      ...executor,
      onStarted: () => {
        starts += 1;
      },
    });
    expect(outcome).toMatchObject({
      kind: 'FAILED',
      exitCode: 9,
      error: { code: 'NonZeroExit', message: 'why' },
    });
    // RUNNING is reported before the end.
    expect(starts).toBe(1);
  });

  it('is cancelled by the next executor, with everything that it has started', async () => {
    const executor = await doomed(
      shell('trap "" TERM; (trap "" TERM; sleep 60) & echo $$ $! ready; while :; do sleep 1; done', {
        terminationGraceSeconds: 0.2,
      }),
    );
    await executor.killHard();
    const cancel = new AbortController();
    const { outcome } = await finish(recordOf(executor.records), {
      ...{ ...executor, signal: cancel.signal },
      onStarted: () => cancel.abort(),
    });
    expect(outcome).toEqual({ kind: 'CANCELLED' });
    expect(executor.pids.filter(isAlive)).toEqual([]);
    expect(await listFolder(executor.root)).toEqual([]);
  });

  it('keeps its deadline, which counts from the start of its command', async () => {
    const executor = await doomed(shell('echo $$ ready; sleep 600', { timeoutSeconds: 0.1 }));
    await executor.killHard();
    const { outcome } = await finish(recordOf(executor.records), executor);
    expect(outcome).toMatchObject({ kind: 'FAILED', error: { code: 'DeadlineExceeded' } });
    expect(executor.pids.filter(isAlive)).toEqual([]);
  });

  it('is lost, and not repeated, if nobody knows how it ended', async () => {
    const executor = await doomed(shell('echo $$ $PPID ready; sleep 600 & echo $! ; wait'));
    await waitUntil(() => executor.printed().split('\n').length > 2, 'it had begun to sleep');
    await executor.killHard();
    const [command, ...others] = (executor.printed().match(/\d+/g) ?? []).map(Number);
    const record = recordOf(executor.records);
    const handle = record.phase === 'STARTED' ? record.handle : {};
    // As at a crash of the machine. What it had started is ended, too.
    process.kill(-Number(handle['pid']), 'SIGKILL');
    const { outcome } = await finish(record, executor);
    expect(outcome).toMatchObject({ kind: 'LOST', error: { code: 'RunLost', kind: 'SYSTEM' } });
    await waitUntil(() => [command ?? 0, ...others].every((pid) => !isAlive(pid)), 'all were gone');
  });

  it('is lost if the machine was started again since, and a stranger with its number is left alone', async () => {
    const executor = await doomed(shell('echo $$ ready; exec sleep 0.01'));
    await executor.killHard();
    const record = recordOf(executor.records);
    if (record.phase !== 'STARTED') throw new Error('not started');
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    started.push(stranger);
    const control = join(executor.root, `.control-${record.spec.runId}`);
    await waitUntil(() => existsSync(join(control, 'exit')), 'it ended');
    rmSync(join(control, 'exit'));
    writeFileSync(join(control, 'leader'), `${stranger.pid}\n`);
    const identity = { pid: stranger.pid ?? 0, startedAt: 'another boot 1' };
    const { outcome } = await finish({ ...record, handle: { ...record.handle, ...identity } }, executor);
    expect(outcome.kind).toBe('LOST');
    expect(stranger.exitCode).toBeNull();
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  });

  it('is returned, if its command had not begun', async () => {
    const spec = shell(':');
    const left = { spec, inputUris: [], phase: 'PREPARING' } as const;
    expect((await finish(left)).outcome).toMatchObject({ kind: 'NOT_BEGUN' });
  });

  it('is ended for the reason for which the executor had begun to end it', async () => {
    for (const [stopped, outcome] of [
      ['CANCELLED', { kind: 'CANCELLED' }],
      ['TIMED_OUT', { kind: 'FAILED', error: { code: 'DeadlineExceeded' } }],
    ] as const) {
      const executor = await doomed(shell('echo $$ ready; sleep 600', { timeoutSeconds: 500 }));
      await executor.killHard();
      const record = recordOf(executor.records);
      // The signal of the first executor has already ended the command.
      process.kill(executor.pids[0] ?? 0, 'SIGTERM');
      const resumed = await finish({ ...record, stopped } as RunRecord, executor);
      expect(resumed.outcome).toMatchObject(outcome);
    }
  });
});

describe('an executor that ends a run', () => {
  it('notes why before it does, so that the next executor knows', async () => {
    const records = new RunRecords(await createRoot(), log);
    const stopped = () => records.list().map((record) => ('stopped' in record ? record.stopped : null));
    const cancel = new AbortController();
    const running = finish(shell('trap "" TERM; echo begun; sleep 600', { terminationGraceSeconds: 1 }), {
      ...{ records, signal: cancel.signal },
      onLog: () => cancel.abort(),
    });
    await waitUntil(() => stopped().includes('CANCELLED'), 'it was noted');
    expect((await running).outcome).toEqual({ kind: 'CANCELLED' });
    const late = finish(
      shell('trap "" TERM; sleep 600', { timeoutSeconds: 0.1, terminationGraceSeconds: 1 }),
      {
        records,
      },
    );
    await waitUntil(() => stopped().includes('TIMED_OUT'), 'it was noted');
    expect((await late).outcome).toMatchObject({ error: { code: 'DeadlineExceeded' } });
  });
});

describe('an executor that is killed between the start of a run and its note', () => {
  /** The directories of a run in the phase STARTING. */
  async function starting(begin: (control: string, spec: RunSpec) => Promise<void> | void) {
    const [root, folder] = [await createRoot(), await createRoot()];
    const records = new RunRecords(folder, log);
    const spec = shell('sleep 0.3; echo 5 > "$SLIPWAY_OUTPUTS/y"', {
      interface: { inputs: {}, outputs: types({ y: INTEGER }) },
    });
    const runtime = createProcessRuntime({ root });
    const { start } = runtime;
    runtime.start = async (work, signal) => {
      await begin(work.directory.control, spec);
      if (!existsSync(join(work.directory.control, 'closed'))) await start.call(runtime, work, signal);
      throw new Error('killed');
    };
    await expect(finishWithoutEnd(runtime, records, spec)).rejects.toThrow('killed');
    const record = recordOf(records);
    expect(record.phase).toBe('STARTING');
    return { root, records, record };
  }
  async function finishWithoutEnd(
    runtime: ReturnType<typeof createProcessRuntime>,
    records: RunRecords,
    spec: RunSpec,
  ) {
    await finish(spec, { runtime, records, signal: never });
  }

  it('leaves a run that is found by its id, if its command has begun', async () => {
    const { root, records, record } = await starting(() => {});
    const control = join(root, `.control-${record.spec.runId}`);
    await waitUntil(() => existsSync(join(control, 'gate')), 'it had begun');
    const { outcome } = await finish(record, { root, records });
    expect(outcome).toMatchObject({ kind: 'SUCCEEDED', outputs: { y: 5 } });
  });

  it('leaves a run that never begins, if its shell comes too late', async () => {
    const { root, records, record } = await starting((control) => writeFileSync(join(control, 'closed'), ''));
    const control = join(root, `.control-${record.spec.runId}`);
    const runtime = createProcessRuntime({ root });
    expect(await runtime.find(record.spec.runId, never)).toBeNull();
    const { readGate, WRAPPER } = await import('../../src/executor/runtimes/command-wrapper.ts');
    const late = spawn('/bin/sh', ['-c', WRAPPER, 'x', control, '100', 'own', 'touch', join(root, 'begun')]);
    expect(await once(late, 'exit')).toEqual([0, null]);
    expect([readGate(control), existsSync(join(root, 'begun'))]).toEqual([null, false]);
    expect((await finish(record, { root, records })).outcome.kind).toBe('NOT_BEGUN');
  });

  it('either finds a run or stops it, whenever it looks, and never both', async () => {
    const counts = { found: 0, stopped: 0 };
    for (let round = 0; round < 20; round += 1) {
      const { root, records, record } = await starting(() => {});
      // Each round looks a little later.
      for (let turn = 0; turn < 20 * round; turn += 1) await new Promise(setImmediate);
      const { outcome } = await finish(record, { root, records });
      if (outcome.kind === 'SUCCEEDED') counts.found += 1;
      else if (outcome.kind === 'NOT_BEGUN') counts.stopped += 1;
    }
    expect(counts.found + counts.stopped).toBe(20);
  });
});

describe('RunRecords', () => {
  it('keeps what it cannot read, and says so', async () => {
    const folder = await createRoot();
    const records = new RunRecords(folder, log);
    await records.write({ spec: shell(':', { runId: 'good' }), inputUris: ['a'], phase: 'STARTING' });
    for (const [name, text] of Object.entries({
      torn: '{"spec":',
      empty: '{}',
      spec: '{"spec":{"runId":"x"},"phase":"PREPARING"}',
      phase: JSON.stringify({ spec: shell(':'), phase: 'ODD' }),
      handle: JSON.stringify({ spec: shell(':'), phase: 'STARTED', handle: 'x' }),
    }))
      writeFileSync(join(folder, `${name}.json`), text);
    expect(records.list().map(({ spec }) => spec.runId)).toEqual(['good']);
    expect((await listFolder(folder)).length).toBe(6);
  });

  it('leaves out inputs, which may be large or secret', async () => {
    const folder = await createRoot();
    const records = new RunRecords(folder, log);
    const spec = shell(':', { inputs: { secret: 'x' }, timeoutSeconds: 1.5 });
    await records.write({ spec, inputUris: ['slipway://blobs/1'], phase: 'STARTED', handle: { a: 1 } });
    expect(records.list()).toEqual([
      { spec: { ...spec, inputs: {} }, inputUris: ['slipway://blobs/1'], phase: 'STARTED', handle: { a: 1 } },
    ]);
  });
});

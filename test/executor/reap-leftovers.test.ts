import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunSpec } from '../../src/executor/host/runtime.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import { identifyProcess } from '../../src/platform/process-identity.ts';
import { createRoot, DRIVER, isAlive, listFolder, shell, waitUntil } from './fixture.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      child.kill('SIGKILL');
  }
});

/** An executor in a separate process that runs the spec. Resolves when the command has printed `ready`. */
async function startExecutor(root: string, spec: RunSpec) {
  const executor = spawn(process.execPath, ['--import', 'tsx', DRIVER, root, JSON.stringify(spec)], {
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
    pids,
    async killHard() {
      executor.kill('SIGKILL');
      await once(executor, 'exit');
    },
  };
}

/** The processes of a group. */
function membersOf(group: number): number[] {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pgid=,pid='], { encoding: 'utf8' });
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return rows.filter(([pgid]) => pgid === group).map(([, pid = 0]) => pid);
}

/** Writes the note of a run, as an executor that has died would have left it. */
async function leaveRun(root: string, name: string, leader: unknown, changes: object = {}): Promise<void> {
  await mkdir(join(root, name, 'work'), { recursive: true });
  const note = {
    owner: { pid: 2 ** 22 + 1, startedAt: 'x 1' },
    terminationGraceSeconds: 0.2,
    leader,
    ...changes,
  };
  await writeFile(join(root, name, 'run.json'), JSON.stringify(note));
}

describe('reapLeftovers', () => {
  it('ends the processes that a killed executor left, and names their run', async () => {
    const root = await createRoot();
    const spec = shell(
      'trap "" TERM PIPE; (trap "" TERM PIPE; sleep 60) & echo $$ $! ready; while :; do sleep 1; done',
      { terminationGraceSeconds: 0.2 },
    );
    const executor = await startExecutor(root, spec);
    const runtime = createProcessRuntime({ root });

    const note = JSON.parse(await readFile(join(root, spec.runId, 'run.json'), 'utf8'));
    expect(note.leader).toEqual(identifyProcess(executor.pids[0] ?? 0));

    // While its executor lives, a run is not a leftover.
    expect(await runtime.reapLeftovers()).toEqual([]);
    expect(executor.pids.every(isAlive)).toBe(true);

    await executor.killHard();
    expect(executor.pids.every(isAlive)).toBe(true);
    expect(await runtime.reapLeftovers()).toEqual([spec.runId]);
    expect(executor.pids.filter(isAlive)).toEqual([]);
    expect(await listFolder(root)).toEqual([]);
    expect(await runtime.reapLeftovers()).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'finds a whole group by one marked member when its leader is gone',
    async () => {
      const root = await createRoot();
      const script = `sleep 60 & env -i sh -c 'trap "" TERM; echo ready; sleep 60; :' & read -r _; exit`;
      const leader = spawn('/bin/sh', ['-c', script], {
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { PATH: '/usr/bin:/bin', SLIPWAY_RUN_ID: 'run-1' },
      });
      const identity = identifyProcess(leader.pid ?? 0);
      await once(leader.stdout, 'data');
      leader.stdin.end('\n');
      await once(leader, 'exit');
      const orphansNow = () => membersOf(leader.pid ?? 0);
      await waitUntil(() => orphansNow().length === 3, 'the inner shell had begun to sleep');
      const orphans = orphansNow();
      await leaveRun(root, 'run-1', identity);
      expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual(['run-1']);
      expect(orphans.filter(isAlive)).toEqual([]);
    },
  );

  it('does not kill a process with the same number and another start time', async () => {
    const root = await createRoot();
    const stranger = spawn('sh', ['-c', 'read line; exit 7'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    started.push(stranger);
    const identity = identifyProcess(stranger.pid ?? 0);
    await leaveRun(root, 'run-1', { ...identity, startedAt: `${identity?.startedAt}0` });
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual(['run-1']);
    // The process still works.
    stranger.stdin.end('go on\n');
    expect(await once(stranger, 'exit')).toEqual([7, null]);
    expect(await listFolder(root)).toEqual([]);
  });

  it('kills the process when the start time is the same', async () => {
    const root = await createRoot();
    const own = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    started.push(own);
    await leaveRun(root, 'run-1', identifyProcess(own.pid ?? 0));
    const gone = once(own, 'exit');
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual(['run-1']);
    expect((await gone)[1]).toBe('SIGTERM');
  });

  it.each([
    ['5 seconds', 5, 'sleep 0.2', 7, null],
    ['no time, if its note does not say how long,', undefined, 'sleep 60', null, 'SIGKILL'],
  ])('gives a command %s to end itself', async (_time, terminationGraceSeconds, last, code, signal) => {
    const root = await createRoot();
    const own = spawn('sh', ['-c', `trap "${last}; exit 7" TERM; echo ready; while :; do sleep 0.1; done`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(own);
    await once(own.stdout, 'data');
    await leaveRun(root, 'run-1', identifyProcess(own.pid ?? 0), { terminationGraceSeconds });
    const gone = once(own, 'exit');
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual(['run-1']);
    expect(await gone).toEqual([code, signal]);
  });

  it('tries again with a run of its own process that it could not end', async () => {
    const root = await createRoot();
    await leaveRun(root, 'run-1', null, { owner: identifyProcess(process.pid) });
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual(['run-1']);
  });

  it.each([
    ...['text', null, {}, { pid: 2 ** 22 + 1 }, { startedAt: 'x 1' }],
    ...['2', 2.5, 1, -1, null].map((pid) => ({ pid, startedAt: 'x 1' })),
  ])('leaves alone a folder whose note names the owner %j, which is no executor', async (owner) => {
    const root = await createRoot();
    await leaveRun(root, 'run-1', null, { owner });
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual([]);
    expect(await listFolder(root)).toEqual(['run-1']);
  });

  it('cleans up after a crash before the start and after a crash during the removal', async () => {
    const root = await createRoot();
    await leaveRun(root, 'before-start', null);
    await leaveRun(root, '.starting-half-made', null);
    await mkdir(join(root, '.starting-empty'));
    await leaveRun(root, '.ended-half-removed', null);
    const runs = await createProcessRuntime({ root }).reapLeftovers();
    expect(runs.sort()).toEqual(['before-start', 'empty', 'half-made']);
    expect(await listFolder(root)).toEqual([]);
  });

  it('does not touch other directories, nor the runs of its own process', async () => {
    const root = await createRoot();
    await mkdir(join(root, 'folder', 'deep'), { recursive: true });
    await writeFile(join(root, 'file'), 'x');
    await mkdir(join(root, 'forged'));
    await writeFile(join(root, 'forged', 'run.json'), '{"runId": "../folder"}');
    const runtime = createProcessRuntime({ root });
    const cancel = new AbortController();
    let onReady = () => {};
    const ready = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    const running = runtime.run(shell('sleep 60'), {
      blobs: { fetch: async () => {}, store: async () => '' },
      signal: cancel.signal,
      onStarted: onReady,
      onLog: () => {},
    });
    await ready;
    expect(await runtime.reapLeftovers()).toEqual([]);
    cancel.abort();
    expect(await running).toEqual({ kind: 'CANCELLED' });
    expect((await listFolder(root)).sort()).toEqual(['file', 'folder', 'forged']);
  });

  it('does nothing where the root does not exist yet', async () => {
    const root = join(await createRoot(), 'not', 'yet');
    expect(await createProcessRuntime({ root }).reapLeftovers()).toEqual([]);
  });
});

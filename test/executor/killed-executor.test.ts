/** An executor that is killed with SIGKILL and started again finishes the runs that it had. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { ExecutorProcess } from '../support/executor-process.ts';
import {
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { isAlive } from './fixture.ts';

const project = 'killed';
let app: App;
let executor: ExecutorProcess;
const scratch = mkdtempSync(join(tmpdir(), 'slipway-killed-'));
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
});
afterEach(() => executor.remove());
afterAll(async () => {
  await app.stop();
  rmSync(scratch, { recursive: true });
});

const jobOf = (execution: Answer): Answer => execution.nodes.a.taskExecutions.edges[0].node.job;

/** Starts an executor with one run, which ends when the test says so. */
async function begin(name: string, script = '') {
  const [note, end] = [join(scratch, name), join(scratch, `${name}-end`)];
  const wait = `while ! test -e ${end}; do sleep 0.05; done`;
  const text = `echo $$ >> ${note}; echo before; ${wait}; echo after; ${script} echo 1 > "$SLIPWAY_OUTPUTS/y"`;
  await registerTask(app, project, name, { command: ['/bin/sh', '-c', text] });
  await registerWorkflow(app, project, name, { a: [] }, { task: name });
  const id = await launch(app, project, name);
  executor = new ExecutorProcess(app);
  executor.start();
  await eventually(
    () => readExecution(app, id),
    (execution) => execution.nodes.a?.phase === 'RUNNING',
  );
  const pids = () => readFileSync(note, 'utf8').split('\n').filter(Boolean).map(Number);
  await eventually(
    () => existsSync(note) && pids().length > 0,
    (is) => is,
  );
  return { id, pid: pids()[0] ?? 0, pids, end: () => writeFileSync(end, '') };
}

async function logOf(execution: Answer): Promise<string> {
  const [{ id }] = jobOf(execution).runs;
  const { data } = await app.ask('query ($id: ID!) { jobRun(by: { id: $id }) { log { text } } }', { id });
  return data.jobRun.log.map(({ text }: Answer) => text).join('');
}

describe('an executor that is killed and started again', () => {
  it('finishes the run that it had: one start, one end, and its whole log once', async () => {
    const { id, pid, pids, end } = await begin('finish');
    await executor.kill();
    expect(isAlive(pid)).toBe(true);
    executor.start();
    await executor.untilSaid('found the runs of an earlier executor');
    end();
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 1 } } });
    expect(jobOf(execution)).toMatchObject({ attemptedRuns: 0, runs: [{ state: 'SUCCEEDED' }] });
    expect(pids()).toEqual([pid]);
    await eventually(
      () => logOf(execution),
      (log) => log.includes('after'),
    );
    expect(await logOf(execution)).toBe('before\nafter\n');
    await eventually(
      () => readdirSync(join(executor.home, 'executors/local/runs')).join(),
      (left) => left === '',
    );
    expect(readdirSync(join(executor.home, 'executors/local/records'))).toEqual([]);
  });

  it('reports the result of a run that ended while there was no executor', async () => {
    const { id, pid, pids, end } = await begin('meanwhile', 'echo broken >&2; exit 7;');
    await executor.kill();
    end();
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    );
    executor.start();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('FAILED');
    expect(execution.nodes.a.error).toMatchObject({ kind: 'USER', code: 'NonZeroExit', message: 'broken' });
    expect(pids()).toEqual([pid]);
  });

  it('ends a run that was cancelled while there was no executor', async () => {
    const { id, pid } = await begin('cancelled');
    await executor.kill();
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
    executor.start();
    const execution = await untilEnded(app, id);
    expect([execution.phase, isAlive(pid)]).toEqual(['ABORTED', false]);
    expect(jobOf(execution).runs).toMatchObject([{ state: 'CANCELLED' }]);
  });

  it('is killed again and again, and still starts the work once', async () => {
    const { id, pid, pids, end } = await begin('again');
    for (let round = 0; round < 3; round += 1) {
      await executor.kill();
      executor.start();
      const founds = () => executor.said().split('found the runs of an earlier executor').length - 1;
      await eventually(founds, (count) => count === round + 1);
    }
    await executor.kill();
    end();
    executor.start();
    expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
    expect(pids()).toEqual([pid]);
  });

  it('reports FAILED, and does not repeat the work, if the work is gone without a trace', async () => {
    const { id, pid, pids } = await begin('lost');
    await executor.kill();
    // As when the machine goes down: also the shell that waits for the command.
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    for (const one of [parent, pid]) process.kill(one, 'SIGKILL');
    executor.start();
    const execution = await untilEnded(app, id);
    expect(execution.nodes.a.error).toMatchObject({ kind: 'SYSTEM', code: 'RunLost' });
    expect(jobOf(execution).runs).toMatchObject([{ state: 'FAILED' }]);
    expect(pids()).toEqual([pid]);
  });

  it('ends its runs when it is stopped in order, and returns them', async () => {
    const { id, pid } = await begin('stopped');
    await executor.stop();
    expect(isAlive(pid)).toBe(false);
    const execution = await readExecution(app, id);
    expect(jobOf(execution)).toMatchObject({ state: 'QUEUED', runs: [{ state: 'LEASE_RETURNED' }] });
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
  });
});

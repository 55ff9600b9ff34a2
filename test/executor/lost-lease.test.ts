import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { type ExecutorOptions, startExecutor, type TestExecutor } from '../support/executor.ts';
import {
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';
import { startWire, type Wire } from '../support/wire.ts';
import { isAlive } from './fixture.ts';

vi.hoisted(() => {
  process.env['LEASE_SECONDS'] = '5';
});

const project = 'lost';
let app: App;
let wire: Wire;
const executors: TestExecutor[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'slipway-lost-lease-'));
beforeAll(async () => {
  app = await startApp();
  wire = await startWire(app.url);
  await registerProject(app, project);
});
afterEach(async () => {
  wire.up();
  await Promise.all(executors.splice(0).map((executor) => executor.stop()));
});
afterAll(async () => {
  await wire.close();
  await app.stop();
  rmSync(scratch, { recursive: true });
});

async function executor(options: ExecutorOptions): Promise<void> {
  executors.push(await startExecutor(app, options));
}

const jobOf = (execution: Answer): Answer => execution.nodes.a.taskExecutions.edges[0].node.job;
const untilJob = (id: string, state: string) =>
  eventually(
    () => readExecution(app, id),
    (execution) => execution.nodes.a && jobOf(execution)?.state === state,
  );

/** Begins a run that ends when it is told to, at an executor that is then cut off from the server. */
async function cutOff(name: string, options: ExecutorOptions = {}) {
  const [note, end] = [join(scratch, name), join(scratch, `${name}-end`)];
  const wait = `while ! test -e ${end}; do sleep 0.05; done`;
  const script = `echo $$ >> ${note}; ${wait}; echo 1 > "$SLIPWAY_OUTPUTS/y"`;
  await registerTask(app, project, name, { command: ['/bin/sh', '-c', script] });
  await registerWorkflow(app, project, name, { a: [] }, { task: name });
  const id = await launch(app, project, name);
  await executor({ name, url: wire.url, ...options });
  // The file is there a moment before its first line is.
  const pids = () =>
    existsSync(note) ? readFileSync(note, 'utf8').split('\n').filter(Boolean).map(Number) : [];
  const [pid = 0] = await eventually(pids, (written) => written.length > 0);
  await eventually(
    () => readExecution(app, id),
    (execution) => execution.nodes.a.phase === 'RUNNING',
  );
  wire.down();
  return {
    ...{ id, pid, pids },
    end: () => writeFileSync(end, ''),
    untilGone: () =>
      eventually(
        () => isAlive(pid),
        (alive) => !alive,
      ),
  };
}

/** The server has given the executor up by now. */
async function untilLost(id: string): Promise<void> {
  const lost = { attemptedRuns: 1, runs: [{ state: 'LEASE_EXPIRED' }] };
  expect(jobOf(await untilJob(id, 'QUEUED'))).toMatchObject(lost);
}

describe('an executor that cannot renew its leases', () => {
  it('continues its runs, and gets the leases back when no other executor has the jobs', async () => {
    const { id, pid, pids, end } = await cutOff('back');
    await untilLost(id);
    expect(isAlive(pid)).toBe(true);
    wire.up();
    const back = jobOf(await untilJob(id, 'RUNNING'));
    expect(back).toMatchObject({ attemptedRuns: 0, runs: [{ state: 'RUNNING' }] });
    end();
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 1 } } });
    expect(jobOf(execution)).toMatchObject({ attemptedRuns: 0, runs: [{ state: 'SUCCEEDED' }] });
    expect(pids()).toEqual([pid]);
  });

  it('reports the result of work that ended in the meantime', async () => {
    const { id, end, untilGone } = await cutOff('result');
    end();
    await untilGone();
    await untilLost(id);
    wire.up();
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 1 } } });
    expect(jobOf(execution)).toMatchObject({ attemptedRuns: 0, runs: [{ state: 'SUCCEEDED' }] });
  });

  it('stops a run when it hears that another executor has the job', async () => {
    const { id, pid, pids, end, untilGone } = await cutOff('other');
    await untilLost(id);
    await executor({ name: 'second' });
    await eventually(pids, (written) => written.length === 2);
    expect(isAlive(pid)).toBe(true);
    wire.up();
    await untilGone();
    end();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    const states = jobOf(execution).runs.map((run: Answer) => run.state);
    expect(states).toEqual(['SUCCEEDED', 'LEASE_EXPIRED']);
  });

  it('stops its runs when the leases end and it is configured to, which counts no attempt', async () => {
    const { id, pids, end, untilGone } = await cutOff('stop', { onLostContact: 'stop' });
    await untilGone();
    end();
    wire.up();
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('SUCCEEDED');
    expect(pids()).toHaveLength(2);
    await eventually(
      async () => jobOf(await readExecution(app, id)).attemptedRuns,
      (attempts) => attempts === 0,
    );
  });
});

describe('an execution whose executor is silent', () => {
  it('is ABORTING until the lease ends, and then ABORTED', async () => {
    const { id } = await cutOff('frozen');
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "enough" }) { __typename } }',
      { id },
    );
    const stopping = await untilJob(id, 'CANCELLING');
    expect(stopping).toMatchObject({ phase: 'ABORTING', endedAt: null, nodes: { a: { phase: 'RUNNING' } } });
    const execution = await untilEnded(app, id);
    expect(execution.phase).toBe('ABORTED');
    expect(execution.endedAt).toBeTruthy();
    expect(jobOf(execution)).toMatchObject({ state: 'CANCELLED', runs: [{ state: 'LEASE_EXPIRED' }] });
  });
});

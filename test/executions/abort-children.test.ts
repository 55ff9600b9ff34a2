/** Who and what an abort reaches. The test runs the turns itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { bind, promise, registerFlow } from '../support/flows.ts';
import { Hands, type Run } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';

const project = 'aborts';
let app: App;
let hands: Hands;
let other: User;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  hands = new Hands(app);
  other = await newUser({ role: 'USER', level: 'MANAGE' });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'stubborn', { retries: 1 });
  await registerWorkflow(app, project, 'child', { a: [] });
  await registerWorkflow(app, project, 'retried', { a: [] }, { task: 'stubborn' });
  const call = {
    inputs: bind({ x: promise('', 'x') }),
    workflowNode: { launchplanRef: keyOf(project, 'child') },
  };
  await registerFlow(app, project, 'parent', { inputs: { x: integer }, nodes: [{ id: 'call', ...call }] });
});
afterAll(() => app.stop());

const terminate = (id: string, cause: string, as?: User) =>
  mutate(app, 'terminateExecution', { by: { id }, cause }, 'execution { phase }', as?.authorization);

async function turns(id: string): Promise<void> {
  for (let count = 0; await advanceExecution(id); count += 1) expect(count).toBeLessThan(20);
}

/** An execution whose only node has started another execution. */
async function family(): Promise<{ parent: string; child: string }> {
  const parent = await launch(app, project, 'parent', { inputs: { x: 1 } });
  await turns(parent);
  const { id } = await db.execution.findFirstOrThrow({ where: { sourceId: parent } });
  return { parent, child: id };
}

/** Leases the job of an execution. */
async function runOf(id: string): Promise<Run> {
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id } });
  const before = await hands.lease({ wait: 'PT0S' });
  await assignPool({ tenantId, name: 'default' }, 30);
  const runs = [...before.runs, ...(await hands.lease({ wait: 'PT0S' })).runs];
  const run = runs.find(({ environment }) => environment['SLIPWAY_EXECUTION_ID'] === id);
  if (!run) throw new Error('the execution has no run');
  return run;
}

describe('an abort', () => {
  it('reaches the executions that nodes have started, in the name of who asked for it', async () => {
    const { parent, child } = await family();
    await terminate(parent, 'enough', other);
    await turns(parent);
    const { username } = await db.user.findUniqueOrThrow({ where: { id: other.id } });
    expect(await readExecution(app, child)).toMatchObject({
      phase: 'ABORTING',
      abort: { principal: { username } },
    });
    await turns(child);
    await turns(parent);
    expect(await readExecution(app, parent)).toMatchObject({
      phase: 'ABORTED',
      nodes: { call: { phase: 'ABORTED' } },
    });
  });

  it('does not replace the cause of an execution that is being aborted already', async () => {
    const { parent, child } = await family();
    await turns(child);
    await hands.start(await runOf(child));
    await terminate(child, 'its own cause');
    await terminate(parent, 'enough', other);
    await turns(parent);
    expect(await readExecution(app, child)).toMatchObject({
      phase: 'ABORTING',
      abort: { cause: 'its own cause', principal: { username: 'admin' } },
    });
    await turns(child);
    await hands.stopCancelled();
    await turns(child);
  });

  it('stops the attempt that runs now, also if it is not the first one', async () => {
    const id = await launch(app, project, 'retried');
    await turns(id);
    const first = await runOf(id);
    await hands.start(first);
    await hands.fail(first);
    await turns(id);
    const second = await runOf(id);
    await hands.start(second);
    await turns(id);
    await terminate(id, 'enough');
    await turns(id);
    expect(await hands.stopCancelled()).toEqual([second.id]);
    await turns(id);
    expect(await readExecution(app, id)).toMatchObject({
      phase: 'ABORTED',
      nodes: { a: { phase: 'ABORTED' } },
    });
  });
});

describe('a node whose execution did not succeed', () => {
  it('is ABORTED if that execution was, and its own execution has FAILED', async () => {
    const { parent, child } = await family();
    await terminate(child, 'only this one');
    await turns(child);
    await turns(parent);
    const message = 'the execution that it started is ABORTED: only this one';
    const error = { code: 'ExecutionNotSucceeded', message };
    expect(await readExecution(app, parent)).toMatchObject({
      ...{ phase: 'FAILED', error, errorNodeId: 'call' },
      nodes: { call: { phase: 'ABORTED', error } },
    });
  });

  it('is TIMED_OUT if that execution was, and its own execution has FAILED with this error', async () => {
    const { parent, child } = await family();
    await db.execution.update({ where: { id: child }, data: { deadlineAt: new Date(0) } });
    await turns(child);
    await turns(parent);
    const error = { code: 'ExecutionTimedOut', message: 'the execution took longer than it may' };
    expect(await readExecution(app, parent)).toMatchObject({
      ...{ phase: 'FAILED', error, errorNodeId: 'call' },
      nodes: { call: { phase: 'TIMED_OUT', error } },
    });
  });

  it('has FAILED if that execution was deleted', async () => {
    const { parent, child } = await family();
    await db.execution.delete({ where: { id: child } });
    await turns(parent);
    expect(await readExecution(app, parent)).toMatchObject({
      phase: 'FAILED',
      nodes: { call: { phase: 'FAILED', error: { code: 'ExecutionDeleted', kind: 'SYSTEM' } } },
    });
  });
});

describe('an execution that a node starts', () => {
  it('tells of its end whom its launch plan names', async () => {
    const notifications = [{ phases: ['FAILED'], email: { recipients: ['ada@example.com'] } }];
    const key = keyOf(project, 'telling');
    await createLaunchPlan(app, { key, workflow: { key: keyOf(project, 'child') }, notifications });
    const call = { inputs: bind({ x: promise('', 'x') }), workflowNode: { launchplanRef: key } };
    await registerFlow(app, project, 'teller', { inputs: { x: integer }, nodes: [{ id: 'call', ...call }] });
    const parent = await launch(app, project, 'teller', { inputs: { x: 1 } });
    await turns(parent);
    const child = await db.execution.findFirstOrThrow({ where: { sourceId: parent } });
    expect(child.notifications).toMatchObject(notifications);
    const silent = await family();
    const other = await db.execution.findUniqueOrThrow({ where: { id: silent.child } });
    expect(other.notifications).toBeNull();
  });

  it.each([
    [31, 'RUNNING', null, 32],
    [32, 'FAILED', 'NestedTooDeep', null],
  ])(
    'may have 32 executions above it: its parent has %i',
    async (nesting, phase, errorCode, childNesting) => {
      const parent = await launch(app, project, 'parent', { inputs: { x: 1 } });
      await db.execution.update({ where: { id: parent }, data: { nesting } });
      await turns(parent);
      const node = await db.nodeExecution.findFirstOrThrow({ where: { executionId: parent } });
      expect(node).toMatchObject({ phase, errorCode });
      const child = await db.execution.findFirst({ where: { sourceId: parent } });
      expect(child?.nesting ?? null).toBe(childNesting);
      if (child) expect(child.name).toMatch(/^f[0-9a-f]{19}$/);
    },
  );
});

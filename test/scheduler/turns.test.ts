/** What one turn does with nodes that sleep, and with work that is stopped. The test runs the turns itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createWorkflow,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { newUser } from '../support/users.ts';

const project = 'sleepers';
let app: App;
let projectId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
  const key = keyOf(project, 'naps');
  const nodes = [
    { id: 'short', gateNode: { sleep: { duration: 'PT1H' } } },
    { id: 'long', gateNode: { sleep: { duration: 'PT2H' } } },
  ];
  const workflow = await createWorkflow(app, { key, template: { interface: {}, nodes } });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
});
afterAll(() => app.stop());

/** Takes turns until there is nothing to do at this time. */
async function turns(id: string, now?: Date): Promise<void> {
  while (await advanceExecution(id, now));
}

const wakesAt = async (id: string) =>
  (await db.execution.findUniqueOrThrow({ where: { id }, select: { advanceAt: true } })).advanceAt;

describe('an execution whose nodes sleep', () => {
  it('takes its next turn when the first of them wakes, whatever happens before', async () => {
    const [start, afterOne, afterTwo] = [0, 1, 2].map((hours) => new Date(Date.UTC(2026, 0, 1, hours)));
    const id = await launch(app, project, 'naps');
    await turns(id, start);
    expect(await wakesAt(id)).toEqual(afterOne);
    await turns(id, new Date(Date.UTC(2026, 0, 1, 0, 30)));
    expect(await wakesAt(id)).toEqual(afterOne);
    await turns(id, afterOne);
    expect(await readExecution(app, id)).toMatchObject({
      nodes: { short: { phase: 'SUCCEEDED' }, long: { phase: 'RUNNING' } },
    });
    expect(await wakesAt(id)).toEqual(afterTwo);
    await turns(id, afterTwo);
    expect((await readExecution(app, id)).phase).toBe('SUCCEEDED');
    expect(await wakesAt(id)).toBeNull();
  });

  it('is aborted without a job that would tell its end', async () => {
    const id = await launch(app, project, 'naps');
    await turns(id);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' });
    await turns(id);
    expect(await readExecution(app, id)).toMatchObject({
      ...{ phase: 'ABORTED', nodes: { short: { phase: 'ABORTED' }, long: { phase: 'ABORTED' } } },
    });
  });
});

describe('the jobs of an execution that is aborted', () => {
  it('are cancelled in the name of the user who aborted it, with the cause', async () => {
    const user = await newUser({ grants: [{ type: 'PROJECT', id: projectId, level: 'MANAGE' }] });
    const id = await launch(app, project, 'flow');
    await turns(id);
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'enough' }, '', user.authorization);
    await turns(id);
    const { id: jobSetId } = await db.jobSet.findFirstOrThrow({ where: { ownerId: id } });
    expect(await db.job.findMany({ where: { jobSetId } })).toMatchObject([
      { state: 'CANCELLED', cancelReason: 'enough', cancelledById: user.id },
    ]);
  });
});

describe('a turn', () => {
  it('asks for no reservations of outputs if no task of the workflow makes any', async () => {
    const id = await launch(app, project, 'flow');
    const { statements } = await statementsOf(() => advanceExecution(id));
    expect(statements.join('\n')).toContain('node_executions');
    expect(statements.join('\n')).not.toContain('cache_reservations');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';

const project = 'late';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
});
afterAll(() => app.stop());

/** An execution whose one run is leased, with no scheduler any more that would see what becomes of it. */
async function launchUnseen(name: string) {
  const id = await launch(app, project, 'one', { name });
  const scheduler = startScheduler();
  const hands = new Hands(app, name);
  const run = await hands.leaseNode('a');
  // Nothing more for these hands: the next test's run is for its own.
  await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  await scheduler.stop();
  return { id, hands, run };
}

async function terminate(id: string) {
  const { data } = await app.ask(
    `mutation ($id: ID!) {
       terminateExecution(input: { by: { id: $id }, cause: "too late" }) {
         ... on TerminateExecutionPayload { execution { phase } }
       }
     }`,
    { id },
  );
  expect(data.terminateExecution.execution.phase).toBe('ABORTING');
}

describe('an execution that is terminated when its work is done already', () => {
  it('keeps the result of the work', async () => {
    const { id, hands, run } = await launchUnseen('done');
    await hands.succeed(run, { y: 2 });
    await terminate(id);
    while (await advanceExecution(id));
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 2 } } });
    expect(execution.abort.cause).toBe('too late');
  });

  it('keeps its failure', async () => {
    const { id, hands, run } = await launchUnseen('broken');
    await hands.fail(run);
    await terminate(id);
    while (await advanceExecution(id));
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'FAILED', errorNodeId: 'a' });
  });
});

describe('the events of an attempt', () => {
  it('carry the time that the executor reported', async () => {
    const { id, hands, run } = await launchUnseen('timed');
    const occurredAt = '2026-01-02T03:04:05.678Z';
    await hands.report({ run: run.id, kind: 'RUNNING', occurredAt });
    await advanceExecution(id);
    const events = await db.executionEvent.findMany({ where: { executionId: id, phase: 'RUNNING' } });
    const times = events
      .filter(({ kind }) => kind !== 'EXECUTION')
      .map((event) => event.occurredAt.toISOString());
    expect(times).toEqual([occurredAt, occurredAt]);
    expect((await readExecution(app, id)).nodes.a.phase).toBe('RUNNING');
  });
});

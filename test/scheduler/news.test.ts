import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import {
  eventually,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { eventsDocument, overSse } from '../support/watch.ts';

/** No timer of this process fires: loops and long polls learn about work only by news. */

let app: App;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout'] });
  app = await startApp();
  await registerProject(app, 'news');
  await registerTask(app, 'news', 'double');
  await registerWorkflow(app, 'news', 'chain', { a: [], b: ['a'], c: ['b'] });
});
afterAll(async () => {
  vi.useRealTimers();
  await app.stop();
});

describe('news', () => {
  it('moves an execution from its launch to its end, without any timer', async () => {
    const hands = new Hands(app);
    const id = await launch(app, 'news', 'chain', { inputs: { x: 3 } });
    for (const [node, y] of [
      ['a', 6],
      ['b', 12],
      ['c', 24],
    ] as const) {
      const run = await hands.leaseNode(node);
      await hands.start(run);
      await hands.succeed(run, { y });
    }
    expect(await untilEnded(app, id)).toMatchObject({ phase: 'SUCCEEDED', data: { outputs: { z: 24 } } });
    await hands.lease({ maxJobs: 0, wait: 'PT0S' });
  });

  it('aborts an execution, and takes its watchers from its first event to its end', async () => {
    const id = await launch(app, 'news', 'chain');
    const events = overSse(app, eventsDocument, { id });
    const phases = [(await events.next()).value.data.executionEvents.phase];
    await eventually(
      () => readExecution(app, id),
      ({ nodes }) => nodes.a !== undefined,
    );
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'stop' });
    for await (const { data } of events) phases.push(data.executionEvents.phase);
    expect(phases).toEqual(['QUEUED', 'RUNNING', 'ABORTING', 'ABORTED']);
  });

  it('starts what the end of an execution triggers', async () => {
    const key = { project: 'news', domain: 'development' };
    const workflow = { key: { ...key, name: 'chain', version: 'v1' } };
    const triggers = [{ launchPlan: { ...key, name: 'chain' }, phases: ['ABORTED'] }];
    const plan = {
      key: { ...key, name: 'after', version: 'v1' },
      workflow,
      defaultInputs: { x: 1 },
      triggers,
    };
    const { launchPlan } = await mutate(app, 'createLaunchPlan', plan, 'launchPlan { id }');
    await mutate(app, 'updateLaunchPlan', { by: { id: launchPlan.id }, state: 'ACTIVE' });
    const id = await launch(app, 'news', 'chain');
    await mutate(app, 'terminateExecution', { by: { id }, cause: 'stop' });
    const document = `query ($id: ID!) { launchPlan(by: { id: $id }) { executions { nodes { mode sourceExecution { id } } } } }`;
    const { nodes } = await eventually(
      async () => (await app.ask(document, { id: launchPlan.id })).data.launchPlan.executions,
      (executions) => executions.nodes.length > 0,
    );
    expect(nodes).toEqual([{ mode: 'TRIGGER', sourceExecution: { id } }]);
  });
});

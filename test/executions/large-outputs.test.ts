import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { judgeAttempt } from '../../src/executions/domain/attempts.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
  workflowInput,
} from '../support/seed.ts';
import { eventually } from '../support/waiting.ts';

const project = 'large';
const lists = { collectionType: integer };
const string = { simple: 'STRING' };
let app: App;
let hands: Hands;
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerTask(app, project, 'lists', { outputs: { y: lists } });
  await registerTask(app, project, 'texts', { outputs: { y: string } });
  await registerWorkflow(app, project, 'one', { a: [] });
  for (const [task, count] of Object.entries(nodes)) await registerWide(task, count);
});
afterAll(() => app.stop());
let name = 0;
beforeEach(() => {
  hands = new Hands(app, `hands-${++name}`);
});
// Jobs from now on are for the executor of the next test.
afterEach(() => hands.lease({ maxJobs: 0, wait: 'PT0S' }));

/** The number of nodes for each task. Together, their outputs are more than one turn handles. */
const nodes = { texts: 6, lists: 3 };

/** Nodes with this task that run at the same time. The workflow itself has no outputs. */
async function registerWide(task: string, count: number) {
  const shape = Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, []]));
  const { key, template } = workflowInput(project, task, shape, { task });
  const bare = { ...template, interface: { ...template.interface, outputs: [] }, outputs: [] };
  expect(await createWorkflow(app, { key, template: bare })).toMatchObject({
    __typename: 'CreateWorkflowPayload',
  });
  const plan = {
    key: keyOf(project, task),
    workflow: { key: keyOf(project, task) },
    defaultInputs: { x: 1 },
  };
  await createLaunchPlan(app, plan);
}

const ones = (length: number) => Array.from({ length }, () => 1);

async function runAll(count: number, y: unknown) {
  for (let index = 0; index < count; index += 1)
    expect(await hands.succeed(await hands.leaseNode(`n${index}`), { y })).toEqual(['APPLIED']);
}

describe('an attempt', () => {
  const node = { retries: 0, outputs: { y: { type: { collectionType: { simple: 'INTEGER' } } } } } as const;
  const report = { phase: 'SUCCEEDED', attempt: 0, error: null, outputs: { y: [1, 2, 3] } } as const;

  it('may have outputs up to the limit of their literals', () => {
    const { outputBytes, phase } = judgeAttempt(node, report, 1_000);
    expect(phase).toBe('SUCCEEDED');
    expect(judgeAttempt(node, report, outputBytes)).toMatchObject({ phase: 'SUCCEEDED' });
    expect(judgeAttempt(node, report, outputBytes - 1)).toMatchObject({
      phase: 'FAILED',
      outputs: null,
      error: { code: 'OutputsTooLarge', kind: 'USER' },
    });
  });
});

describe('outputs above the limit', () => {
  it.each([
    [250_000, 'more than 8388608 bytes'],
    [1_000_000, 'steps; write large data to a file'],
  ])(
    'fail their node with a message, and do not delay other executions: %i numbers',
    async (length, message) => {
      const id = await launch(app, project, 'lists');
      const run = await hands.leaseNode('n0');
      await hands.succeed(run, { y: ones(length) });
      const other = await launch(app, project, 'one');
      await hands.succeed(await hands.leaseNode('a'), { y: 2 });
      expect((await untilEnded(app, other)).phase).toBe('SUCCEEDED');
      await hands.stopCancelled();
      const execution = await untilEnded(app, id);
      expect(execution).toMatchObject({
        phase: 'FAILED',
        error: { code: 'OutputsTooLarge', kind: 'USER' },
        errorNodeId: 'n0',
      });
      expect(execution.error.message).toContain(message);
    },
  );
});

describe('several nodes with outputs that are large but allowed', () => {
  it.each([
    ['texts of 1.5 MB', 'texts', 'x'.repeat(1_500_000)],
    ['lists whose literals take 7.8 MB', 'lists', ones(190_000)],
  ] as const)('all succeed: %s', async (_name, workflow, y) => {
    const id = await launch(app, project, workflow);
    await runAll(nodes[workflow], y);
    const { data, errors } = await app.ask('query ($id: ID!) { execution(by: { id: $id }) { phase } }', {
      id,
    });
    expect(errors).toBeUndefined();
    expect(data.execution.phase).not.toBe('FAILED');
    await ended(id, nodes[workflow]);
  });
});

/** Reads only the phases, because the values are too large to be read fifty times a second. */
async function ended(id: string, count: number) {
  const { nodeCounts, error } = await eventually(
    async () => {
      const { data } = await app.ask(
        'query ($id: ID!) { execution(by: { id: $id }) { phase nodeCounts { phase count } error { message } } }',
        { id },
      );
      return data.execution;
    },
    ({ phase }) => /SUCCEEDED|FAILED/.test(phase),
  );
  expect(error).toBeNull();
  expect(nodeCounts).toEqual([{ phase: 'SUCCEEDED', count }]);
}

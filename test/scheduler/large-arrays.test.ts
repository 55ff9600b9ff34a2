/** A turn of an execution does not grow with what its array has done already. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  integer,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
} from '../support/seed.ts';
import { countRows } from '../support/statements.ts';

const project = 'arrays';
const ITEMS = process.env['SOAK'] ? 5000 : 80;
const AT_ONCE = 10;
let app: App;
let tenantId: string;

const lists = { collectionType: integer };
const promise = (nodeId: string, name: string) => ({ promise: { nodeId, var: name } });

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = (await db.tenant.findFirstOrThrow()).id;
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  const key = keyOf(project, 'each');
  const workflow = await createWorkflow(app, {
    key,
    template: {
      interface: { inputs: [{ name: 'xs', type: lists }], outputs: [{ name: 'ys', type: lists }] },
      nodes: [
        {
          id: 'fan',
          inputs: [{ var: 'x', binding: promise('', 'xs') }],
          arrayNode: { node: { id: 'item', taskNode: { referenceId: keyOf(project, 'double') } } },
        },
      ],
      outputs: [{ var: 'ys', binding: promise('fan', 'y') }],
    },
  });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
});
afterAll(() => app.stop());

describe(`an array of ${ITEMS} items`, () => {
  it('takes the same statements and rows in each turn, and gives all outputs in their order', async () => {
    const xs = Array.from({ length: ITEMS }, (_, index) => index);
    const id = await launch(app, project, 'each', { inputs: { xs }, maxParallelism: AT_ONCE });
    const hands = new Hands(app);
    await hands.lease({ wait: 'PT0S' });
    const turns: { statements: number; rows: number }[] = [];
    let done = 0;
    while (done < ITEMS) {
      const { statements, rows } = await countRows(async () => {
        while (await advanceExecution(id));
      });
      turns.push({ statements: statements.length, rows });
      await assignPool({ tenantId, name: 'default' }, 30);
      const { runs } = await hands.lease({ wait: 'PT0S', maxJobs: AT_ONCE });
      expect(runs.length).toBeLessThanOrEqual(AT_ONCE);
      for (const run of runs) await hands.succeed(run, { y: (run.inputs['x'] ?? 0) * 2 });
      done += runs.length;
    }
    while (await advanceExecution(id));
    expect(await readExecution(app, id)).toMatchObject({
      phase: 'SUCCEEDED',
      data: { outputs: { ys: xs.map((x) => x * 2) } },
    });
    // The first turns start the array, and the last one starts fewer items.
    const [first, ...others] = turns.slice(2, -1);
    expect(others.length).toBeGreaterThanOrEqual(3);
    for (const turn of others) expect(turn).toEqual(first);
  });
});

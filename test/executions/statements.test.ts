import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  type Shape,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const project = 'counting';
let app: LocalApp;
const ids = new Map<number, string>();

/** A first node, and all other nodes after it: `count` nodes in total. */
function shapeOf(count: number): Shape {
  const rest = Array.from({ length: count - 1 }, (_, index) => [`n${index}`, ['first']]);
  return { first: [], ...Object.fromEntries(rest) };
}

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  const hands = new Hands(app);
  for (const count of [1, 50]) {
    await registerWorkflow(app, project, `nodes-${count}`, shapeOf(count));
    const id = await launch(app, project, `nodes-${count}`, { name: `run-${count}`, maxParallelism: 0 });
    await hands.work(async () => (await readExecution(app, id)).phase === 'SUCCEEDED');
    ids.set(count, id);
    const roots = Array.from({ length: count }, (_, index) => [`r${index}`, []]);
    await registerWorkflow(app, project, `roots-${count}`, Object.fromEntries(roots));
  }
  await app.stopScheduler();
});
afterAll(() => app.stop());

const document = `query ($by: ExecutionByInput!) {
  execution(by: $by) {
    id name phase
    nodeExecutions(first: 100) { edges { node {
      nodeId phase
      taskExecutions(first: 5) { edges { node { retryAttempt phase } } }
    } } }
  }
}`;

describe('execution { nodeExecutions { taskExecutions } }', () => {
  // Without a plan, nobody knows before that the attempts are selected, too.
  const expected = process.env['REFERENCE_EXECUTOR'] ? 3 : 2;

  it.each([1, 50])(
    `takes ${expected} statements, none of them for the sign-in, for %i nodes`,
    async (count) => {
      const by = { key: { project, domain: 'development', name: `run-${count}` } };
      await app.ask(document, { by });
      const { result, statements } = await countStatements(() => app.ask(document, { by }));
      expect(result.errors).toBeUndefined();
      expect(result.data.execution.nodeExecutions.edges).toHaveLength(count);
      for (const { node } of result.data.execution.nodeExecutions.edges)
        expect(node.taskExecutions.edges).toEqual([{ node: { retryAttempt: 0, phase: 'SUCCEEDED' } }]);
      expect(statements).toHaveLength(expected);
    },
  );

  it('reads a limited number of children of each parent', async () => {
    const by = { id: ids.get(50) };
    const { result, statements } = await countStatements(() =>
      app.ask(
        `query ($by: ExecutionByInput!) { execution(by: $by) { nodeExecutions(first: 2) {
           edges { cursor node { nodeId } } pageInfo { hasNextPage endCursor } } } }`,
        { by },
      ),
    );
    expect(result.data.execution.nodeExecutions.edges).toHaveLength(2);
    expect(result.data.execution.nodeExecutions.pageInfo.hasNextPage).toBe(true);
    const nested = statements.find((text) => text.includes('from node_executions'));
    expect(nested).toMatch(/cross join lateral .* limit \$2/);
  });
});

describe('lists within lists', () => {
  it('are read one level at a time, with a LIMIT for every parent', async () => {
    const { result, statements } = await countStatements(() =>
      app.ask(
        `query ($filter: ExecutionFilterInput!) { executions(filter: $filter, first: 2) { edges { node {
           nodeExecutions(first: 3) { edges { node { taskExecutions(first: 4) { edges { node { id } } } } } } } } } }`,
        { filter: { project, domain: 'development' } },
      ),
    );
    expect(result.errors).toBeUndefined();
    for (const [table, parents] of [
      ['node_executions', 2],
      ['task_executions', 4],
    ] as const) {
      const reads = statements.filter((text) => text.includes(`from ${table}`));
      expect(reads, `${table}, for ${parents} parents`).toHaveLength(1);
      expect(reads[0]).toMatch(
        /from unnest\(\$1::uuid\[\]\) .* cross join lateral \(.* limit \$2 \) as child/,
      );
    }
  });
});

describe('a page of executions', () => {
  it('takes the same number of statements for any length, also with counts and nodes', async () => {
    const page = `query ($first: Int) {
      executions(filter: { project: "${project}", domain: "development" }, first: $first) {
        totalCount
        edges { node { name nodeCounts { phase count } nodeExecutions(first: 3) { edges { node { nodeId } } } } }
      }
    }`;
    await app.ask(page, { first: 2 });
    const one = await countStatements(() => app.ask(page, { first: 1 }));
    const two = await countStatements(() => app.ask(page, { first: 2 }));
    expect(two.result.data.executions.edges).toHaveLength(2);
    expect(two.statements).toHaveLength(one.statements.length);
    expect(one.statements.length).toBeLessThanOrEqual(6);
  });
});

describe('one turn of the scheduler', () => {
  it('takes as many statements for 50 nodes that can start as for one', async () => {
    const counts: number[] = [];
    for (const count of [1, 50]) {
      const id = await launch(app, project, `roots-${count}`, { maxParallelism: 0 });
      const { statements } = await countStatements(() => advanceExecution(id));
      counts.push(statements.length);
      expect(Object.keys((await readExecution(app, id)).nodes)).toHaveLength(count);
    }
    expect(counts[1]).toBe(counts[0]);
  });
});

describe('createExecution', () => {
  it('takes 5 statements: project, launch plan, the grants on both, all records of attributes, and the execution with its first event', async () => {
    const { id } = await db.project.findFirstOrThrow({ where: { identifier: project } });
    const caller = await newCaller({ role: 'USER', grants: [{ type: 'PROJECT', id, level: 'USE' }] });
    const input = {
      project,
      domain: 'development',
      launchPlan: { key: keyOf(project, 'nodes-1') },
      inputs: { x: '1' },
    };
    const create = () =>
      app.ask(
        `mutation ($input: CreateExecutionInput!) {
           createExecution(input: $input) { ... on CreateExecutionPayload { execution { phase } } }
         }`,
        { input },
        caller,
      );
    await create();
    const { result, statements } = await countStatements(create);
    expect(result.data).toEqual({ createExecution: { execution: { phase: 'QUEUED' } } });
    expect(statements).toHaveLength(5);
  });
});

describe('the job of an attempt', () => {
  it('is its own one, for each of 50 attempts of an execution', async () => {
    const by = { key: { project, domain: 'development', name: 'run-50' } };
    const { data } = await app.ask(
      `query ($by: ExecutionByInput!) { nodeExecutions(by: $by, first: 100) { nodes {
         taskExecutions { nodes { id job { taskExecution { id } } } } } } }`,
      { by },
    );
    const attempts = data.nodeExecutions.nodes.flatMap(
      (node: { taskExecutions: { nodes: { id: string; job: unknown }[] } }) => node.taskExecutions.nodes,
    );
    expect(attempts).toHaveLength(50);
    for (const { id, job } of attempts) expect(job).toEqual({ taskExecution: { id } });
  });
});

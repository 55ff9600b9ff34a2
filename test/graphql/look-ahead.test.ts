/** What a query selects decides what is read, and never what is answered. */
import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { executionColumns, nodeColumns, taskColumns } from '../../src/executions/store/columns.ts';
import { isConnection } from '../../src/graphql/cost.ts';
import { Planner } from '../../src/graphql/execution/plan.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { make } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countRows, countStatements } from '../support/statements.ts';

vi.hoisted(() => {
  process.env['QUERY_COST_LIMIT'] = '1000000000';
  process.env['RATE_COST_PER_MINUTE'] = '0';
});

const project = 'ahead';
const inProject = `filter: { project: "${project}", domain: "${domain}" }`;
const error = (code: string) => ({ error: { code, message: `${code} `.repeat(60), kind: 'USER' } });
let app: LocalApp;
let execution: string;

const second = (at: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, at)).toISOString();

/** Executions of an engine from outside: with three nodes, of which two have attempts and one has nodes inside. */
async function seedExecution(name: string): Promise<string> {
  const id = await launch(app, project, 'flow', { engine: 'EXTERNAL', name });
  const node = (nodeId: string, phase: string, at: number, more: object = {}) =>
    make(
      ...([app, 'createNodeEvent'] as const),
      { execution: { id }, nodeId, phase, occurredAt: second(at), ...more },
      'nodeExecution',
    );
  const attempt = (nodeId: string, retryAttempt: number, phase: string, at: number, more: object = {}) =>
    make(
      ...([app, 'createTaskEvent'] as const),
      {
        ...{ execution: { id }, nodeId, retryAttempt, phase, occurredAt: second(at) },
        ...{ task: keyOf(project, 'double'), ...more },
      },
      'taskExecution',
    );
  await node('a', 'RUNNING', 1);
  await node('b', 'RUNNING', 2, { isParent: true, catalogKey: { name: 'k' }, cacheStatus: 'MISS' });
  await attempt('a', 0, 'RUNNING', 2);
  await attempt('a', 0, 'RETRYABLE_FAILED', 4, error('Oom'));
  await attempt('a', 1, 'RUNNING', 5, { reason: 'again' });
  const running = await attempt('b', 0, 'RUNNING', 5, { phaseVersion: 2 });
  await node('b-1', 'QUEUED', 6, { parentNodeId: 'b' });
  await node('b-2', 'QUEUED', 7, { parentTaskExecution: running });
  await node('c', 'QUEUED', 8);
  await node('a', 'FAILED', 9, error('Bad'));
  return id;
}

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [], b: ['a'] });
  for (const name of ['first', 'second', 'third']) execution = await seedExecution(name);
});
afterAll(() => app.stop());
afterEach(() => vi.restoreAllMocks());

/** The answer with a plan, which tells resolvers what is selected, and the answer of GraphQL's own executor. */
async function bothAnswers(document: string, variables: object = {}) {
  const { data, errors } = await app.ask(document, variables);
  vi.spyOn(Planner.prototype, 'planFor').mockReturnValue(null);
  const reference = await app.ask(document, variables);
  vi.restoreAllMocks();
  return { planned: { data, errors }, reference: { data: reference.data, errors: reference.errors } };
}

/** Everything in an object that can be selected without arguments, down to a depth. */
function everythingIn(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    return selectionOf(field.name, getNamedType(field.type), depth);
  });
  return `{ __typename ${fields.join(' ')} }`;
}

function selectionOf(name: string, type: GraphQLNamedType, depth: number): string[] {
  if (isLeafType(type)) return [name];
  return isObjectType(type) && depth > 0 ? [`${name} ${everythingIn(type, depth - 1)}`] : [];
}

const lists = {
  Execution: (inside: string) => `{ executions(${inProject}) ${inside} }`,
  NodeExecution: (inside: string) => `{ executions(${inProject}) { nodes { nodeExecutions ${inside} } } }`,
  TaskExecution: (inside: string) =>
    `{ executions(${inProject}) { nodes { nodeExecutions { nodes { taskExecutions ${inside} } } } } }`,
};
const typeNamed = (name: string) => schema.getType(name) as GraphQLObjectType;

describe.each(Object.entries(lists))('a list of %s', (name, document) => {
  const fields = Object.values(typeNamed(name).getFields()).filter(
    ({ args }) => !args.some(isRequiredArgument),
  );

  it.each(fields.map((field) => [field.name, getNamedType(field.type)] as const))(
    'shows %s alone as it does if all columns are read',
    async (field, type) => {
      const [selection] = selectionOf(field, type, isConnectionOf(type) ? 2 : 1);
      expect(selection).toBeDefined();
      const { planned, reference } = await bothAnswers(document(`{ nodes { ${selection} } }`));
      expect(reference.errors).toBeUndefined();
      expect(planned).toEqual(reference);
    },
  );
});
const isConnectionOf = (type: GraphQLNamedType) => isObjectType(type) && isConnection(type);

const nested = (inside: string) => `{ executions(${inProject}) { nodes { name ${inside} } } }`;
const documents: readonly (readonly [name: string, document: string, variables?: object])[] = [
  [
    'cursors',
    `{ executions(${inProject}) { edges { cursor node { id } } pageInfo { startCursor endCursor } } }`,
  ],
  ...['NEWEST', 'OLDEST', 'NAME', 'NAME_DESCENDING', 'STARTED', 'UPDATED', 'DURATION_DESCENDING'].map(
    (order) =>
      [
        `cursors of the order ${order}`,
        `{ executions(${inProject}, orderBy: ${order}, first: 2) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } }`,
      ] as const,
  ),
  ...['NODE_ID', 'UPDATED_DESCENDING', 'DURATION', 'OLDEST'].map(
    (order) =>
      [
        `cursors of nodes in the order ${order}`,
        nested(`nodeExecutions(orderBy: ${order}) { pageInfo { endCursor } nodes { id } }`),
      ] as const,
  ),
  [
    'backward pages',
    nested('nodeExecutions(last: 2) { nodes { nodeId } pageInfo { hasPreviousPage hasNextPage } }'),
  ],
  ['only totalCount', nested('nodeExecutions(first: 1) { totalCount }')],
  ['only pageInfo', nested('nodeExecutions(first: 1) { pageInfo { hasNextPage } }')],
  ['only names of types', nested('__typename nodeExecutions { __typename nodes { __typename } }')],
  [
    'aliases with other arguments and columns',
    nested(`one: nodeExecutions(first: 1) { nodes { id } pageInfo { hasNextPage } }
            two: nodeExecutions(first: 2) { edges { cursor node { kind updatedAt error { message } } } }
            nodeExecutions { totalCount nodes { nodeId } }`),
  ],
  [
    'aliases with the same arguments and other columns',
    nested('a: nodeExecutions { nodes { id phase } } b: nodeExecutions { nodes { id kind createdAt } }'),
  ],
  [
    'attempts under aliases',
    nested(`nodeExecutions { nodes { nodeId
              a: taskExecutions(first: 1) { nodes { id retryAttempt } pageInfo { hasNextPage } }
              b: taskExecutions(first: 1) { nodes { reason error { message } } }
              c: taskExecutions(last: 1) { nodes { retryAttempt } pageInfo { hasPreviousPage } } } }`),
  ],
  [
    'attempts of several selections of nodes',
    nested(`nodeExecutions(first: 2) { nodes { taskExecutions(first: 1) { nodes { id } } }
                                       edges { node { taskExecutions(first: 1) { nodes { phase } } nodeId } } }`),
  ],
  [
    'the node of an attempt',
    nested('nodeExecutions { nodes { taskExecutions { nodes { nodeExecution { id kind } } } } }'),
  ],
  [
    'attempts and their number',
    nested('nodeExecutions { nodes { taskExecutions(first: 1) { totalCount } } }'),
  ],
  [
    'attempts with filters and orders',
    nested(`nodeExecutions { nodes {
              a: taskExecutions(filter: { phases: [RUNNING] }) { nodes { id } }
              b: taskExecutions(orderBy: ATTEMPT) { edges { cursor node { retryAttempt } } }
              c: taskExecutions(orderBy: UPDATED, first: 1) { edges { cursor } pageInfo { hasNextPage endCursor } } } }`),
  ],
  [
    'fragments',
    `{ executions(${inProject}) { ...Page nodes { ...Short } } }
     fragment Page on ExecutionConnection { pageInfo { hasNextPage } nodes { mode } }
     fragment Short on Execution { id ... on Node { id } nodeExecutions { ...Nodes } }
     fragment Nodes on NodeExecutionConnection { nodes { nodeId ... on NodeExecution { taskExecutions { nodes { reason } } } } }`,
  ],
  ...[true, false].map(
    (yes) =>
      [
        `fields with @include and @skip, which are ${yes}`,
        `query ($yes: Boolean!) { executions(${inProject}, first: 1) {
           nodes { id error @include(if: $yes) { message } mode @skip(if: $yes)
             nodeExecutions(first: 1) { nodes { id kind @include(if: $yes)
               taskExecutions(first: 1) @skip(if: $yes) { nodes { id } } } pageInfo @include(if: $yes) { hasNextPage } } }
           pageInfo @skip(if: $yes) { hasNextPage } } }`,
        { yes },
      ] as const,
  ),
  [
    'arguments in variables',
    `query ($first: Int, $order: TaskExecutionOrder) { executions(${inProject}) { nodes { nodeExecutions(first: $first) {
       nodes { taskExecutions(first: $first, orderBy: $order) { nodes { retryAttempt } } } } } } }`,
    { first: 1, order: 'ATTEMPT' },
  ],
  [
    'nodes inside of nodes and of attempts',
    nested(`nodeExecutions { nodes { nodeId
              childNodeExecutions { nodes { nodeId parent { nodeId } taskExecutions { nodes { id } } } }
              taskExecutions { nodes { childNodeExecutions { nodes { nodeId parentTaskExecution { id } } } } } } }`),
  ],
  [
    'the lists of a project, a workflow and a launch plan',
    `{ project(by: { identifier: "${project}" }) { executions { nodes { id name } pageInfo { hasNextPage } } }
       executions(${inProject}) { nodes { workflow { executions { nodes { name mode } } }
                                          launchPlan { executions(first: 1) { nodes { name } } } } } }`,
  ],
  [
    'objects that several fields lead to',
    `{ executions(${inProject}) { nodes { id phase nodeExecutions { nodes { id execution { mode principal { id } }
         parent { kind } taskExecutions { nodes { id nodeExecution { kind execution { cluster } } } } } } } } }`,
  ],
];

/** Documents with an error for each node. */
const faults: readonly (readonly [string, string])[] = [
  [
    'a wrong page of attempts',
    nested('nodeExecutions { nodes { nodeId taskExecutions(first: 0) { nodes { id } } } }'),
  ],
  [
    'a wrong cursor of attempts',
    nested('nodeExecutions { nodes { nodeId taskExecutions(after: "x") { nodes { id } } } }'),
  ],
  [
    'a text that cannot be stored, as a filter of attempts',
    nested(
      'nodeExecutions { nodes { nodeId taskExecutions(filter: { errorCodes: ["\\u0000"] }) { nodes { id } } } }',
    ),
  ],
];

describe('an answer is the same without look-ahead', () => {
  it.each(documents.map(([name, document, variables = {}]) => ({ name, document, variables })))(
    'for $name',
    async ({ document, variables }) => {
      const { planned, reference } = await bothAnswers(document, variables);
      expect(reference.errors).toBeUndefined();
      expect(planned).toEqual(reference);
    },
  );

  it.each(faults)('for %s', async (_name, document) => {
    const { planned, reference } = await bothAnswers(document);
    expect(reference.errors).not.toHaveLength(0);
    expect(planned).toEqual(reference);
  });

  it('for objects that `node` finds, whose type is not known before', async () => {
    const { planned, reference } = await bothAnswers(
      `query ($id: ID!) { node(id: $id) { id __typename
         ... on Execution { name mode nodeExecutions(first: 2) { pageInfo { hasNextPage } nodes { id
           taskExecutions(first: 1) { nodes { id } } } } } } }`,
      { id: execution },
    );
    expect(reference.data.node.nodeExecutions.nodes).toHaveLength(2);
    expect(planned).toEqual(reference);
  });
});

/** The statement that reads a list. */
async function statementOf(table: string, document: string, variables: object = {}): Promise<string> {
  const { result, statements } = await countStatements(() => app.ask(document, variables));
  expect(result.errors).toBeUndefined();
  return statements.find((text) => text.includes(`from ${table}`) && text.includes(' limit ')) ?? '';
}

// GraphQL's own executor does not tell what is selected.
const hasPlans = !process.env['REFERENCE_EXECUTOR'];

describe.runIf(hasPlans)('a list reads', () => {
  const tables = {
    Execution: ['executions as execution', executionColumns, 'id name phase createdAt startedAt duration'],
    NodeExecution: ['node_executions as node', nodeColumns, 'id nodeId phase endedAt data { inputs }'],
    TaskExecution: [
      'task_executions as task',
      { ...taskColumns, brief: taskColumns.briefPart('attempt.').columns },
      '__typename id phase retryAttempt',
    ],
  } as const;

  it.each(Object.entries(tables))(
    'only the brief columns of %s if nothing else is selected',
    async (name, [table, columns, fields]) => {
      const list = lists[name as keyof typeof lists];
      const reads = (selection: string) => statementOf(table, list(selection));
      expect(await reads(`{ nodes { ${fields} } }`)).toContain(columns.brief);
      for (const more of ['updatedAt', 'error { message }'])
        for (const selection of [
          `{ nodes { ${fields} ${more} } }`,
          `{ nodes { ${fields} } edges { node { ${more} } } }`,
        ])
          expect(await reads(selection)).toContain(columns.all);
      expect(await reads(`{ edges { cursor node { id } } pageInfo { endCursor } }`)).toContain(columns.brief);
    },
  );

  it('all columns if a cursor needs one that is not brief', async () => {
    const reads = (selection: string) =>
      statementOf(tables.Execution[0], `{ executions(${inProject}, orderBy: UPDATED) ${selection} }`);
    expect(await reads('{ nodes { id } }')).toContain(executionColumns.brief);
    for (const selection of [
      '{ edges { cursor } }',
      '{ pageInfo { endCursor } }',
      '{ pageInfo { startCursor } }',
    ])
      expect(await reads(selection)).toContain(executionColumns.all);
  });
});

describe.runIf(hasPlans)('a page reads one more row', () => {
  /** Without that of the project. */
  const rowsOf = async (args: string, selection: string): Promise<number> => {
    const { result, rows } = await countRows(() =>
      app.ask(`{ executions(${inProject}, ${args}) ${selection} }`),
    );
    expect(result.errors).toBeUndefined();
    return rows - 1;
  };

  it.each([
    ['first: 2', '{ nodes { id } }', 2],
    ['first: 2', '{ nodes { id } pageInfo { startCursor endCursor hasPreviousPage } }', 2],
    ['first: 2', '{ pageInfo { hasNextPage } }', 3],
    ['first: 2', '{ nodes { id } page: pageInfo { more: hasNextPage } }', 3],
    ['last: 2', '{ nodes { id } pageInfo { hasNextPage } }', 2],
    ['last: 2', '{ nodes { id } pageInfo { hasPreviousPage } }', 3],
  ])('for (%s) %s: %i in total', async (args, selection, rows) => {
    expect(await rowsOf(args, selection)).toBe(rows);
  });
});

describe.runIf(hasPlans)('the attempts of the nodes of a list', () => {
  const attempts = (args: string, inside = '{ nodes { id phase } }') => `taskExecutions${args} ${inside}`;
  const more = '{ nodes { id reason } }';

  it.each([
    ['with the nodes', `nodes { nodeId ${attempts('(first: 1)')} }`, 0],
    [
      'with the nodes',
      `nodes { id } edges { cursor node { ${attempts('(last: 3, orderBy: STARTED)')} } }`,
      0,
    ],
    [
      'with the nodes, and counted',
      `nodes { ${attempts('', '{ totalCount pageInfo { hasNextPage } }')} }`,
      1,
    ],
    ['by themselves with filters', `nodes { ${attempts('(filter: { phases: [RUNNING] })')} }`, 1],
    ['by themselves with more columns', `nodes { ${attempts('', more)} }`, 1],
    ['by themselves with more columns of nodes', `nodes { kind ${attempts('')} }`, 1],
    ['by themselves under a second alias', `nodes { a: ${attempts('(first: 1)')} b: ${attempts('')} }`, 1],
  ])('are read %s: %s', async (_how, selection, own) => {
    const { result, statements } = await countStatements(() =>
      app.ask(nested(`nodeExecutions { ${selection} }`)),
    );
    expect(result.errors).toBeUndefined();
    const reads = statements.filter((text) => text.includes('from task_executions'));
    expect(reads.filter((text) => !text.includes('from node_executions'))).toHaveLength(own);
    expect(statements).toHaveLength(3 + own);
  });
});

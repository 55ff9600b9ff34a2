/** Lists: each node type has one connection type, and a list is counted only if a query asks for it. */
import { type GraphQLObjectType, getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { isConnection } from '../../src/graphql/cost.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { allow } from '../support/consents.ts';
import { Hands } from '../support/hands.ts';
import { linkIdentity } from '../support/identity-providers.ts';
import { trustIssuer } from '../support/jwt-issuers.ts';
import { make, mutate } from '../support/mutate.ts';
import { createGroup, createUser } from '../support/people.ts';
import { expectRowForEach } from '../support/rows.ts';
import {
  createTask,
  domain,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';

const connections = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && isConnection(type),
);
const nodeOf = (connection: GraphQLObjectType) =>
  getNamedType(connection.getFields()['nodes']?.type ?? connection).name;

describe('a connection type', () => {
  it('is named after its type of node, of which it is the only one', () => {
    expect(connections.length).toBeGreaterThan(15);
    for (const connection of connections) expect(connection.name).toBe(`${nodeOf(connection)}Connection`);
  });

  it('has edges, nodes, pageInfo and totalCount', () => {
    for (const connection of connections) {
      const fields = Object.entries(connection.getFields()).map(([name, { type }]) => `${name}: ${type}`);
      const node = nodeOf(connection);
      expect(fields.sort()).toEqual([
        `edges: [${node}Edge!]!`,
        `nodes: [${node}!]!`,
        'pageInfo: PageInfo!',
        'totalCount: Int!',
      ]);
    }
  });
});

const project = 'counted';
const inProject = `filter: { project: "${project}", domain: "${domain}" }`;
const ofWorkflows = `filter: { type: WORKFLOW, project: "${project}", domain: "${domain}" }`;

/** All root fields that are lists, with their arguments and the number of objects for the administrator. */
const roots: Record<string, { readonly args?: string; readonly count: number }> = {
  activeQueues: { count: 0 },
  queueShares: { count: 0 },
  activeLaunchPlans: { args: inProject, count: 1 },
  auditEvents: { args: 'filter: { action: "group:create" }', count: 1 },
  cacheEntries: { args: `filter: { project: "${project}" }`, count: 1 },
  consentSessions: { args: 'subject: "someone"', count: 1 },
  credentials: { count: 1 },
  descriptionEntities: { args: ofWorkflows.replace('WORKFLOW', 'TASK'), count: 1 },
  executions: { args: inProject, count: 2 },
  executors: { count: 1 },
  experiments: { count: 2 },
  groups: { args: 'filter: { namePrefix: "team" }', count: 1 },
  jobs: { count: 4 },
  launchPlanIds: { args: inProject, count: 2 },
  launchPlans: { args: inProject, count: 2 },
  matchableAttributes: { args: 'resourceType: EXECUTION_QUEUE', count: 1 },
  myPermissions: { count: 5 },
  namedEntities: { args: ofWorkflows, count: 2 },
  nodeExecutions: {
    args: `by: { key: { project: "${project}", domain: "${domain}", name: "first" } }`,
    count: 3,
  },
  permissions: { args: `resource: { project: { identifier: "${project}" } }`, count: 1 },
  projects: { count: 1 },
  queues: { count: 1 },
  registeredModels: { count: 0 },
  oauth2Clients: { count: 1 },
  identityLinks: { count: 1 },
  identityProviders: { count: 1 },
  jwtGrantIssuers: { count: 1 },
  retryPolicies: { count: 1 },
  runs: { count: 3 },
  signals: { args: `by: { key: { project: "${project}", domain: "${domain}", name: "first" } }`, count: 1 },
  taskExecutions: {
    args: `by: { key: { project: "${project}", domain: "${domain}", execution: "first", nodeId: "a" } }`,
    count: 1,
  },
  taskIds: { args: inProject, count: 2 },
  tasks: { args: inProject, count: 2 },
  tenants: { count: 1 },
  users: { args: 'filter: { kind: PERSON }', count: 5 },
  workflowIds: { args: inProject, count: 2 },
  workflows: { args: inProject, count: 2 },
};

let app: LocalApp;
let root: string;
let member: string;
let experiments: string[];

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  const attributes = { executionQueue: { tags: ['fast'] } };
  await mutate(app, 'updateProjectAttributes', { project, attributes });
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'three', { a: [], b: [], c: [] });
  await registerWorkflow(app, project, 'one', { a: [] });
  const by = { key: keyOf(project, 'one') };
  await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
  const described = { ...taskInput(project, 'described'), description: { shortDescription: 'Doubles.' } };
  await createTask(app, described);
  const hands = new Hands(app);
  const started = [
    await launch(app, project, 'three', { name: 'first', maxParallelism: 0 }),
    await launch(app, project, 'one', { name: 'second' }),
  ];
  for (const id of started)
    await hands.work(async () => (await readExecution(app, id)).phase === 'SUCCEEDED');
  await app.stopScheduler();
  await make(
    app,
    'createSignal',
    { execution: { id: started[0] }, signalId: 'go', type: { simple: 'BOOLEAN' } },
    'signal',
  );
  const { id: projectId, tenantId } = await db.project.findFirstOrThrow({ where: { identifier: project } });
  const task = { taskProject: project, taskDomain: domain, taskName: 'double', cacheVersion: '1' };
  await db.cacheEntry.create({
    data: { tenantId, projectId, key: 'a', ...task, outputs: {}, catalogKey: {} },
  });
  root = await newCaller({ role: 'ROOT' });
  member = await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' });
  await mutate(app, 'createCredentials', { label: 'counted' }, 'credential { id }');
  await allow(await make(app, 'createOAuth2Client', {}, 'client'), 'someone');
  await trustIssuer(app);
  await linkIdentity(app);
  await mutate(app, 'createRetryPolicy', { name: 'once', retryLimit: 1, defaultAction: 'RETRY' });
  experiments = [await makeExperiment(app, project, 'e1'), await makeExperiment(app, project, 'e2')];
  for (const at of [0, 0, 1]) await makeRun(app, experiments[at] ?? '');
  const members = [
    (await createUser(app, { username: 'ann' })).user,
    (await createUser(app, { username: 'bob' })).user,
  ];
  await createGroup(app, { name: 'team', members: members.map(({ id }) => ({ id })) });
});
afterAll(() => app.stop());

const listOf = (field: string, rest: string, page = '') => {
  const given =
    field === 'runs' ? `filter: { experimentIds: ["${experiments.join('", "')}"] }` : roots[field]?.args;
  const args = [given, page].filter(Boolean).join(', ');
  return `{ list: ${field}${args ? `(${args})` : ''} { ${rest} } }`;
};

/** As the administrator by default. Only ROOT lists tenants. */
async function ask(
  document: string,
  authorization = document.includes('tenants') ? root : app.admin,
): Promise<Answer> {
  const { data, errors } = await app.ask(document, {}, authorization);
  expect(errors, document).toBeUndefined();
  return data.list;
}

describe('totalCount', () => {
  it('is tested on every list', () => {
    const lists = Object.values(schema.getQueryType()?.getFields() ?? {})
      .filter(({ type }) => isConnection(getNamedType(type)))
      .map(({ name }) => name);
    expectRowForEach(lists, Object.keys(roots), '`roots` in test/graphql/connections.test.ts');
  });

  it.each(Object.entries(roots))(
    'of %s is the number of all objects, whatever the page',
    async (field, { count }) => {
      const all = await ask(listOf(field, 'totalCount nodes { __typename } edges { cursor }', 'first: 1000'));
      expect(all.totalCount).toBe(count);
      expect(all.nodes).toHaveLength(count);
      expect(all.edges).toHaveLength(count);
      const one = await ask(listOf(field, 'totalCount nodes { __typename }', 'last: 1'));
      expect(one.totalCount).toBe(count);
      expect(one.nodes).toHaveLength(Math.min(count, 1));
    },
  );

  it.each(Object.keys(roots))(
    'of %s takes one statement more, and none when it is not selected',
    async (field) => {
      const plain = listOf(field, 'nodes { __typename }');
      await ask(plain);
      const without = await countStatements(() => ask(plain));
      const counted = await countStatements(() => ask(listOf(field, 'totalCount nodes { __typename }')));
      expect(counted.statements).toHaveLength(without.statements.length + 1);
      expect(without.statements.join('\n')).not.toMatch(/count\(\*\)/i);
    },
  );

  it('counts only objects that the caller can read', async () => {
    for (const field of ['experiments', 'projects', 'queues', 'registeredModels', 'runs'])
      expect((await ask(listOf(field, 'totalCount'), member)).totalCount, field).toBe(0);
  });
});

/** A list, and the lists inside of its objects: one statement counts all of them. */
const nested: readonly (readonly [
  name: string,
  list: (first: number) => string,
  field: string,
  counts: number[],
])[] = [
  ['executions', (first) => `executions(${inProject}, first: ${first})`, 'nodeExecutions', [1, 3]],
  [
    'nodes',
    (first) => `nodeExecutions(${roots['nodeExecutions']?.args}, first: ${first})`,
    'taskExecutions',
    [1, 1, 1],
  ],
  ['experiments', (first) => `experiments(first: ${first})`, 'runs', [1, 2]],
  [
    'users',
    (first) => `users(filter: { kind: PERSON }, first: ${first})`,
    'experimentPermissions',
    [2, 0, 0, 0, 0],
  ],
  ['groups', (first) => `groups(first: ${first})`, 'members', [6, 2]],
];

describe('totalCount of a nested list', () => {
  it.each(nested)('of %s takes one statement for the whole level', async (_name, list, field, counts) => {
    const document = (first: number) =>
      `{ list: ${list(first)} { nodes { ${field} { totalCount nodes { __typename } } } } }`;
    await ask(document(1));
    const one = await countStatements(() => ask(document(1)));
    const many = await countStatements(() => ask(document(100)));
    const lists = many.result.nodes.map((node: Answer) => node[field]);
    expect(lists.map(({ totalCount }: Answer) => totalCount)).toEqual(counts);
    for (const { nodes, totalCount } of lists) expect(nodes).toHaveLength(totalCount);
    expect(many.statements.length).toBeLessThanOrEqual(one.statements.length + (field === 'members' ? 1 : 0));
  });
});

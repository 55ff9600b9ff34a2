/**
 * A cursor comes from a caller: whatever it contains, a list answers INVALID_ARGUMENT or a page, and never INTERNAL.
 */
import { getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { isConnection } from '../../src/graphql/cost.ts';
import { serverConfig } from '../../src/platform/config/server.ts';
import { db } from '../../src/platform/database/client.ts';
import { seedShares } from '../jobs/seed-shares.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { allow } from '../support/consents.ts';
import { seedFleet, waitingJobsOf } from '../support/fleet.ts';
import { Hands } from '../support/hands.ts';
import { linkIdentity } from '../support/identity-providers.ts';
import { trustIssuer } from '../support/jwt-issuers.ts';
import { make, mutate } from '../support/mutate.ts';
import { expectRowForEach } from '../support/rows.ts';
import {
  createTask,
  domain,
  keyOf,
  launch,
  registerProject,
  registerWorkflow,
  taskInput,
} from '../support/seed.ts';
import { grant, newUser, type User } from '../support/users.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel, makeVersion } from '../tracking/model-seed.ts';

const project = 'paged';
let app: LocalApp;
/** A user who may list everything, and owns one of each object that a user can own. */
let root: User;
let ids: Record<'execution' | 'experiment' | 'model' | 'node' | 'parent' | 'task', string>;

beforeAll(async () => {
  app = await startApp();
  const projectId = await registerProject(app, project);
  const attributes = { executionQueue: { tags: ['fast'] } };
  await mutate(app, 'updateProjectAttributes', { project, attributes });
  const description = { shortDescription: 'Doubles.' };
  await createTask(app, { ...taskInput(project, 'double'), description });
  await registerWorkflow(app, project, 'one', { a: [] });
  const by = { key: keyOf(project, 'one') };
  await mutate(app, 'updateLaunchPlan', { by, state: 'ACTIVE' });
  await mutate(app, 'createQueue', { name: 'queue' });
  for (const _ of [1, 2]) await allow(await make(app, 'createOAuth2Client', {}, 'client'), 'someone');
  for (const at of [1, 2]) await trustIssuer(app, `https://issuer-${at}.example`);
  for (const at of [1, 2]) await linkIdentity(app, `provider-${at}`);
  await mutate(app, 'createRetryPolicy', { name: 'once', retryLimit: 1, defaultAction: 'RETRY' });
  const plain = { pool: 'nowhere', container: { image: 'x' } };
  await mutate(app, 'submitJobs', { queue: 'queue', jobSet: 'set', jobs: [plain, plain, plain, plain] });
  const leased = await waitingJobsOf('queue', 2);
  await seedFleet({ executor: 'machines', nodes: ['one', 'two'], jobs: leased });
  const execution = await launch(app, project, 'one');
  const signal = { execution: { id: execution }, signalId: 'go', type: { simple: 'BOOLEAN' } };
  await make(app, 'createSignal', signal, 'signal');
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: execution } });
  for (const position of [0, 1])
    await db.notificationDelivery.create({
      data: {
        ...{ tenantId, projectId, executionId: execution, position, phase: 'FAILED', sink: 'EMAIL' },
        ...{ content: {}, state: 'DEAD' },
      },
    });
  await new Hands(app).leaseNode('a');
  await app.stopScheduler();
  await seedShares();
  const experiment = await makeExperiment(app, project, 'experiment');
  await makeRun(app, experiment);
  const model = await makeModel(app, project, 'model');
  await makeVersion(app, model);
  root = await newUser({ role: 'ROOT' });
  for (const [type, id] of [
    ['PROJECT', projectId],
    ['EXPERIMENT', experiment],
    ['REGISTERED_MODEL', model],
  ] as const)
    await grant(root.authorization, type, id, 'EDIT');
  const cached = { taskProject: project, taskDomain: domain, taskName: 'double', cacheVersion: '1' };
  await db.cacheEntry.create({
    data: { tenantId, projectId, key: 'a', ...cached, outputs: {}, catalogKey: {} },
  });
  const { data } = await app.ask(
    `{ nodeExecutions(by: { id: "${execution}" }) { edges { node { id } } } }`,
    {},
    root.authorization,
  );
  const node = data.nodeExecutions.edges[0].node.id;
  const { id: task } = await db.taskExecution.findFirstOrThrow({ where: { nodeExecutionId: node } });
  ids = { execution, experiment, model, node, parent: await makeParent(node), task };
  await makeInside(task);
});
afterAll(() => app.stop());

/** A node that contains one other. */
async function makeParent(nodeExecutionId: string): Promise<string> {
  const { tenantId, executionId } = await db.nodeExecution.findUniqueOrThrow({
    where: { id: nodeExecutionId },
  });
  const common = { tenantId, executionId, phase: 'QUEUED' } as const;
  const outer = await db.nodeExecution.create({ data: { ...common, nodeId: 'outer', specNodeId: 'outer' } });
  // Not among the nodes of the outermost workflow, of which the list has one.
  const data = { ...common, nodeId: 'outer:inner', specNodeId: 'inner', parentId: outer.id };
  await db.nodeExecution.create({ data });
  await db.nodeExecution.update({ where: { id: outer.id }, data: { parentId: nodeExecutionId } });
  return outer.id;
}

/** A node inside of an attempt. */
async function makeInside(parentTaskId: string): Promise<void> {
  const { tenantId, executionId } = await db.taskExecution.findUniqueOrThrow({ where: { id: parentTaskId } });
  const data = { tenantId, executionId, nodeId: 'old', specNodeId: 'old', parentTaskId };
  await db.nodeExecution.create({ data });
}

const inProject = (list: string) => `project(by: { identifier: "${project}" }) { ${list}(ARGS) { PAGE } }`;
const version = () =>
  `by: { key: { project: "${project}", domain: "${domain}", name: "one", version: "v1" } }`;

const versions = (list: string) =>
  `${list}(filter: { project: "${project}", domain: "${domain}" }, ARGS) { PAGE }`;

const sorted = (list: string, orderBy: string) =>
  `${list}(orderBy: ${orderBy}, filter: { project: "${project}", domain: "${domain}" }, ARGS) { PAGE }`;

const ofType = (list: string, type: string) =>
  `${list}(filter: { type: ${type}, project: "${project}", domain: "${domain}" }, ARGS) { PAGE }`;

const versionsOfName = (type: string, name: string, list: string) =>
  `namedEntity(by: { key: { type: ${type}, project: "${project}", domain: "${domain}", name: "${name}" } }) { ${list}(ARGS) { PAGE } }`;

/** How to query each list, by the type and the name of its field. A list with several orders has several queries. */
const lists: Readonly<Record<string, readonly (() => string)[]>> = {
  'Execution.nodeExecutions': [
    () => `execution(by: { id: "${ids.execution}" }) { nodeExecutions(ARGS) { PAGE } }`,
  ],
  'Execution.notificationDeliveries': [
    () => `execution(by: { id: "${ids.execution}" }) { notificationDeliveries(ARGS) { PAGE } }`,
  ],
  'Execution.signals': [() => `execution(by: { id: "${ids.execution}" }) { signals(ARGS) { PAGE } }`],
  'Executor.nodes': [() => 'executor(by: { name: "machines" }) { nodes(ARGS) { PAGE } }'],
  'Executor.runs': [() => 'executor(by: { name: "machines" }) { runs(ARGS) { PAGE } }'],
  'Experiment.runs': [() => `experiment(by: { id: "${ids.experiment}" }) { runs(ARGS) { PAGE } }`],
  'Group.members': [() => 'group(by: { name: "everyone" }) { members(ARGS) { PAGE } }'],
  'LaunchPlan.executions': [() => `launchPlan(${version()}) { executions(ARGS) { PAGE } }`],
  'NodeExecution.childNodeExecutions': [
    () => `nodeExecution(by: { id: "${ids.parent}" }) { childNodeExecutions(ARGS) { PAGE } }`,
  ],
  'NamedEntity.launchPlans': [() => versionsOfName('LAUNCH_PLAN', 'one', 'launchPlans')],
  'NamedEntity.tasks': [() => versionsOfName('TASK', 'double', 'tasks')],
  'NamedEntity.workflows': [() => versionsOfName('WORKFLOW', 'one', 'workflows')],
  'NodeExecution.taskExecutions': [
    () => `nodeExecution(by: { id: "${ids.node}" }) { taskExecutions(ARGS) { PAGE } }`,
  ],
  'Project.executions': [() => inProject('executions')],
  'Project.experiments': [() => inProject('experiments')],
  'Project.launchPlans': [() => inProject('launchPlans')],
  'Project.queues': [() => inProject('queues')],
  'Project.registeredModels': [() => inProject('registeredModels')],
  'Project.tasks': [() => inProject('tasks')],
  'Project.workflows': [() => inProject('workflows')],
  'Query.activeQueues': [() => 'activeQueues(ARGS) { PAGE }'],
  'Query.queueShares': [() => 'queueShares(ARGS) { PAGE }'],
  'Query.activeLaunchPlans': [() => versions('activeLaunchPlans')],
  'Query.auditEvents': [() => 'auditEvents(ARGS) { PAGE }'],
  'Query.cacheEntries': [() => `cacheEntries(filter: { project: "${project}" }, ARGS) { PAGE }`],
  'Query.credentials': [() => 'credentials(ARGS) { PAGE }'],
  'Query.descriptionEntities': [() => ofType('descriptionEntities', 'TASK')],
  'Query.executions': [
    () => versions('executions'),
    () => 'executions(orderBy: OLDEST, ARGS) { PAGE }',
    ...['NAME', 'STARTED', 'UPDATED', 'DURATION'].map((order) => () => sorted('executions', order)),
  ],
  'Query.executors': [() => 'executors(ARGS) { PAGE }'],
  'Query.experiments': [() => 'experiments(ARGS) { PAGE }'],
  'Query.groups': [() => 'groups(ARGS) { PAGE }'],
  'Query.jobs': ['NEWEST', 'OLDEST', 'PRIORITY'].map(
    (order) => () => `jobs(orderBy: ${order}, ARGS) { PAGE }`,
  ),
  'Query.launchPlanIds': [() => versions('launchPlanIds')],
  'Query.launchPlans': [() => versions('launchPlans')],
  'Query.matchableAttributes': [() => 'matchableAttributes(resourceType: EXECUTION_QUEUE, ARGS) { PAGE }'],
  'Query.myPermissions': [() => 'myPermissions(ARGS) { PAGE }'],
  'Query.namedEntities': [() => ofType('namedEntities', 'WORKFLOW')],
  'Query.nodeExecutions': [
    () => `nodeExecutions(by: { id: "${ids.execution}" }, ARGS) { PAGE }`,
    ...['STARTED', 'UPDATED', 'DURATION', 'NODE_ID'].map(
      (order) => () => `nodeExecutions(by: { id: "${ids.execution}" }, orderBy: ${order}, ARGS) { PAGE }`,
    ),
  ],
  'Query.permissions': [
    () => `permissions(resource: { project: { identifier: "${project}" } }, ARGS) { PAGE }`,
    () => `permissions(resource: { project: { identifier: "${project}" } }, inherited: true, ARGS) { PAGE }`,
  ],
  'Query.projects': [
    () => 'projects(ARGS) { PAGE }',
    ...['NAME', 'NEWEST'].map((order) => () => `projects(orderBy: ${order}, ARGS) { PAGE }`),
  ],
  'Query.queues': [() => 'queues(ARGS) { PAGE }'],
  'Query.registeredModels': [() => 'registeredModels(ARGS) { PAGE }'],
  'Query.consentSessions': [() => 'consentSessions(subject: "someone", ARGS) { PAGE }'],
  'Query.identityLinks': [() => 'identityLinks(ARGS) { PAGE }'],
  'Query.identityProviders': [() => 'identityProviders(ARGS) { PAGE }'],
  'Query.jwtGrantIssuers': [() => 'jwtGrantIssuers(ARGS) { PAGE }'],
  'Query.oauth2Clients': [() => 'oauth2Clients(ARGS) { PAGE }'],
  'Query.retryPolicies': [() => 'retryPolicies(ARGS) { PAGE }'],
  'Query.runs': [() => `runs(filter: { experimentIds: ["${ids.experiment}"] }, ARGS) { PAGE }`],
  'Query.signals': [() => `signals(by: { id: "${ids.execution}" }, ARGS) { PAGE }`],
  'Query.taskIds': [() => versions('taskIds'), () => sorted('taskIds', 'NAME')],
  'Query.taskExecutions': [
    () => `taskExecutions(by: { id: "${ids.node}" }, ARGS) { PAGE }`,
    ...['STARTED', 'UPDATED', 'DURATION'].map(
      (order) => () => `taskExecutions(by: { id: "${ids.node}" }, orderBy: ${order}, ARGS) { PAGE }`,
    ),
  ],
  'Query.tasks': [() => versions('tasks'), () => sorted('tasks', 'NAME'), () => sorted('tasks', 'VERSION')],
  'Query.tenants': [() => 'tenants(ARGS) { PAGE }'],
  'Query.users': [() => 'users(ARGS) { PAGE }', () => 'users(orderBy: NEWEST, ARGS) { PAGE }'],
  'Query.workflowIds': [() => versions('workflowIds')],
  'Query.workflows': [() => versions('workflows')],
  'Queue.jobs': [() => `queue(by: { name: "${project}/${domain}" }) { jobs(ARGS) { PAGE } }`],
  'QueueInfo.activeJobSets': [
    () => `queueInfo(by: { name: "${project}/${domain}" }) { activeJobSets(ARGS) { PAGE } }`,
  ],
  'RegisteredModel.versions': [
    () => `registeredModel(by: { id: "${ids.model}" }) { versions(ARGS) { PAGE } }`,
  ],
  'User.experimentPermissions': [
    () => `user(by: { id: "${root.id}" }) { experimentPermissions(ARGS) { PAGE } }`,
  ],
  'User.registeredModelPermissions': [
    () => `user(by: { id: "${root.id}" }) { registeredModelPermissions(ARGS) { PAGE } }`,
  ],
  'TaskExecution.childNodeExecutions': [
    () => `taskExecution(by: { id: "${ids.task}" }) { childNodeExecutions(ARGS) { PAGE } }`,
  ],
  'Workflow.executions': [() => `workflow(${version()}) { executions(ARGS) { PAGE } }`],
  'Workflow.launchPlans': [() => `workflow(${version()}) { launchPlans(ARGS) { PAGE } }`],
};

/** Queries several pages of one list, as a batch. */
async function pages(text: string, args: readonly string[]): Promise<Answer[]> {
  const body = args.map((one) => ({
    query: `{ ${text.replace('ARGS', one).replace('PAGE', 'edges { cursor }')} }`,
  }));
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: root.authorization },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer[];
}

async function firstCursor(text: string): Promise<string> {
  const [answer] = await pages(text, ['first: 1']);
  expect(answer.errors).toBeUndefined();
  let found: Answer = answer.data;
  while (!found.edges) found = Object.values(found)[0];
  expect(found.edges).toHaveLength(1);
  return found.edges[0].cursor;
}

const decoded = (cursor: string): unknown[] => JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
const encoded = (key: unknown): string => Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');

/** Instants that PostgreSQL does not accept, or that are not in our form. */
const instants = [
  '2026-02-30T00:00:00.000Z',
  '2026-13-99T',
  '2026-01-01T25:00:00.000Z',
  '0000-01-01T00:00:00.000Z',
  '-000001-01-01T00:00:00.000Z',
  '+275760-09-13T00:00:00.000Z',
  '2026-01-01T00:00:00.000Z BC',
  '2026-01-01T00:00:00 (comment)',
  'infinity',
  'now',
];
const garbage = [
  ...['', 'x', '-1', '1e3', '1.5', '99999999999999999999', "'; drop table users; --"],
  ...['\u0000', 'a\u0000b', '\ud800', 'x'.repeat(10_000)],
  ...['01A202B2-5304-72E0-B221-04449F1F6BFE', '00000000-0000-0000-0000-000000000000'],
  ...[null, true, 5, [], {}, ['x']],
];

describe('every list', () => {
  it('has a row in the table', () => {
    const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type)
        ? Object.values(type.getFields())
            .filter((field) => isConnection(getNamedType(field.type)))
            .map((field) => `${type.name}.${field.name}`)
        : [],
    );
    expectRowForEach(fields, Object.keys(lists), '`lists` in test/graphql/forged-cursors.test.ts');
  });
});

describe('a forged cursor', () => {
  it.each(Object.entries(lists))(
    'of %s is refused or answered by a page, and never fails',
    async (_n, ways) => {
      for (const way of ways) {
        const text = way();
        const key = decoded(await firstCursor(text));
        const inParts = key.flatMap((part, at) => {
          const isInstant = typeof part === 'string' && /^\d{4}-\d\d-\d\dT/.test(part);
          return [...(isInstant ? instants : []), ...garbage].map((other) => ({
            key: key.with(at, other),
            expected: isInstant || typeof other !== 'string' ? refused : refusedOrNot,
          }));
        });
        const whole = [[], [...key, 'x'], {}, null, 'x', key.slice(1)].map((other) => ({
          key: other,
          expected: refused,
        }));
        const forged = [...inParts, ...whole];
        for (let from = 0; from < forged.length; from += serverConfig.batchLimit) {
          const some = forged.slice(from, from + serverConfig.batchLimit);
          const answers = await pages(
            text,
            some.map(({ key: other }) => `after: ${JSON.stringify(encoded(other))}, first: 1`),
          );
          for (const [at, { key: other, expected }] of some.entries())
            expect([text, other, answers[at].errors?.[0].extensions.code ?? 'OK']).toEqual([
              text,
              other,
              expected,
            ]);
        }
        const [backward] = await pages(text, [`before: ${JSON.stringify(encoded(['x']))}, last: 1`]);
        expect(backward.errors?.[0].extensions.code ?? 'OK').toEqual(refusedOrNot);
      }
    },
  );
});

const refused = 'INVALID_ARGUMENT';
const refusedOrNot = expect.stringMatching(/^(OK|INVALID_ARGUMENT)$/);

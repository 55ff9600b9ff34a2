/**
 * A further object that a mutation names. Whether it is hidden or absent, it is refused at the same place, with the
 * same message, after the same statements.
 */
import {
  GraphQLID,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  getNamedType,
  isInputObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { db } from '../../src/platform/database/client.ts';
import { askAlike } from '../support/alike.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { endExecution } from '../support/ended.ts';
import { linkIdentity } from '../support/identity-providers.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  domain,
  integer,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  workflowInput,
} from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { grant, newCaller, newGroup, newTenant, newUser, type User } from '../support/users.ts';
import { makeExperiment, makeRun } from '../tracking/experiment-seed.ts';
import { makeModel } from '../tracking/model-seed.ts';

/** The project of the callers, and a project that is hidden from all of them except the administrator. */
const [own, hidden] = ['own', 'hidden'];
let app: LocalApp;
let callers: { maker: string; superuser: string; admin: string };
/** The ids of hidden objects. */
let ids: {
  plan: string;
  execution: string;
  node: string;
  task: string;
  run: string;
  file: string;
  group: string;
};
let there: { experiment: string; model: string };
/** A user of another tenant. */
let stranger: User;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const ownId = await registerProject(app, own);
  for (const project of [own, hidden]) {
    if (project === hidden) await registerProject(app, project);
    await registerTask(app, project, 'double');
    await registerTask(app, project, 'reader', { inputs: { file: { blob: {} } }, outputs: { y: integer } });
    await registerWorkflow(app, project, 'secret', { a: [] });
  }
  const execution = await launch(app, hidden, 'secret', { name: 'secret' });
  await launch(app, own, 'secret', { name: 'secret' });
  await registerFilePlan();
  await registerWorkflow(app, own, 'open', { a: [] });
  const outside = await launch(app, own, 'open', { name: 'outside', engine: 'EXTERNAL' });
  await mutate(app, 'createNodeEvent', { execution: { id: outside }, ...nodeEvent });
  const node = await secretParent();
  await endExecution(await launch(app, own, 'open', { name: 'failed', engine: 'EXTERNAL' }));
  const { id: task } = await db.taskExecution.create({ data: await attemptOf(execution) });
  const { id: plan } = await db.launchPlan.findFirstOrThrow({
    where: { name: 'secret', project: { identifier: own } },
  });
  const run = await makeRun(app, await makeExperiment(app, hidden, 'secret'));
  const { uri: file } = await announce(app, hidden, { sha256: 'ab'.repeat(32), sizeBytes: 3 });
  await db.blob.updateMany({ data: { uploadedAt: new Date() } });
  there = {
    experiment: await makeExperiment(app, own, 'there'),
    model: await makeModel(app, own, 'there'),
  };
  const tenantId = await newTenant('strangers');
  stranger = await newUser({ role: 'USER', tenantId });
  await newGroup('secret-team', [], tenantId);
  await linkIdentity(app);
  ids = { plan, execution, node, task, run, file, group: await newGroup('own-team') };
  const managed = [{ type: 'PROJECT', id: ownId, level: 'MANAGE' }] as const;
  callers = {
    maker: await newCaller({ role: 'USER', grants: managed }),
    superuser: await newCaller({ role: 'SUPERUSER', grants: managed }),
    admin: await newCaller({ role: 'ADMIN' }),
  };
  const { id: closed } = await db.namedEntity.findFirstOrThrow({
    where: { name: 'secret', type: 'WORKFLOW', project: { identifier: own } },
  });
  await grant(callers.maker, 'WORKFLOW', closed, 'NO_PERMISSIONS');
});
afterAll(() => app.stop());

const resource = { externalId: 'e', index: 0, retryAttempt: 0, phase: 'RUNNING' };
const nodeEvent = { nodeId: 'a', phase: 'RUNNING', occurredAt: '2026-01-01T00:00:00Z' };

/** A node of an execution that only the administrator can see, and that can start others. @returns its id. */
async function secretParent(): Promise<string> {
  const id = await launch(app, own, 'secret', { name: 'secret-parent', engine: 'EXTERNAL' });
  return await make(app, 'createNodeEvent', { execution: { id }, ...nodeEvent }, 'nodeExecution');
}

/** The row of an attempt in an execution, whose node is made for it. */
async function attemptOf(executionId: string) {
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: executionId } });
  const common = { tenantId, executionId, phase: 'QUEUED' } as const;
  const node = await db.nodeExecution.create({ data: { ...common, nodeId: 'a', specNodeId: 'a' } });
  return {
    ...{ ...common, nodeExecutionId: node.id, retryAttempt: 0 },
    ...{ taskProject: hidden, taskDomain: domain, taskName: 'double', taskVersion: 'v1' },
  };
}

/** A launch plan with a file as input. */
async function registerFilePlan(): Promise<void> {
  const { key: id, template } = workflowInput(own, 'reads', { a: [] }, { task: 'reader' });
  const file = { var: 'file', binding: { promise: { nodeId: '', var: 'file' } } };
  const nodes = template.nodes.map((node) => ({ ...node, inputs: [file] }));
  const typed = { ...template.interface, inputs: [{ name: 'file', type: { blob: {} } }] };
  const made = await mutate(app, 'createWorkflow', {
    key: id,
    template: { ...template, nodes, interface: typed },
  });
  expect(made).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key: id, workflow: { key: id } });
}

const absentId = '01a202b2-5304-72e0-b221-04449f1f6bfe';
const notFound = (...path: string[]) => ({ __typename: 'NotFoundError', path: ['input', ...path] });
const key = (project: string) => (name: string) => keyOf(project, name);
const execution = (project: string) => (name: string) => ({ key: { project, domain, name } });

/** The places of a node in `createWorkflow`. */
const places = ['template', 'subWorkflows.template'].flatMap((template) =>
  ['nodes', 'failureNode'].map((field) => ({ template, field })),
);

/** A workflow that has, at this place, a node with this target. */
function withNode({ template: where, field }: (typeof places)[number], target: object) {
  const { key: id, template } = workflowInput(own, 'new', { a: [] });
  const inputs = [{ var: 'x', binding: { value: 1 } }];
  const { taskNode: _taskNode, ...bare } = { ...template.nodes[0], id: field, inputs };
  const node = { ...bare, ...target };
  const other = {
    ...template,
    outputs: [],
    interface: {},
    nodes: [{ ...bare, taskNode: { referenceId: keyOf(own, 'double') } }],
  };
  const changed = { ...other, [field]: field === 'nodes' ? [node] : { ...node, id: 'failure' } };
  if (where === 'template') return { key: id, template: changed };
  return { key: id, template: other, subWorkflows: [{ key: keyOf(own, 'inner'), template: changed }] };
}
const level = 'READ';
const project = { project: { identifier: own } };
const model = () => ({ id: there.model });
const user = (username: string) => ({ user: { username } });

interface Row {
  /** The mutation, and the path of the further object in its input. */
  readonly field: string;
  readonly further: string;
  readonly caller?: keyof typeof callers;
  /** A hidden object and an absent one, as the input names them. */
  readonly names: () => readonly [string, string];
  readonly input: (name: string) => object;
  readonly answer: object;
}

const names = () => ['secret', 'ghostly'] as const;
/** Each call creates another attempt, because a repeated event would be refused. */
let attempts = 0;
const nextAttempt = () => attempts++;
const strangers = () => [stranger.username, 'ghostly'] as const;

const rows: readonly Row[] = [
  {
    field: 'createExecution',
    further: 'launchPlan',
    names,
    input: (name) => ({ project: own, domain, launchPlan: { key: key(own)(name) } }),
    answer: notFound('launchPlan'),
  },
  {
    field: 'createExecution',
    further: 'launchPlan',
    names,
    input: (name) => ({ project: own, domain, launchPlan: { key: key(hidden)(name) } }),
    answer: notFound('launchPlan'),
  },
  {
    field: 'createExecution',
    further: 'launchPlan',
    names: () => [ids.plan, absentId],
    input: (id) => ({ project: own, domain, launchPlan: { id } }),
    answer: notFound('launchPlan'),
  },
  {
    field: 'createExecution',
    further: 'task',
    names: () => ['double', 'ghostly'],
    input: (name) => ({ project: own, domain, task: { key: key(hidden)(name) }, inputs: { x: 1 } }),
    answer: notFound('task'),
  },
  {
    field: 'createExecution',
    further: 'inputs',
    names: () => [ids.file, `slipway://blobs/${absentId}`],
    input: (file) => ({ project: own, domain, launchPlan: { key: key(own)('reads') }, inputs: { file } }),
    answer: notFound('inputs'),
  },
  {
    field: 'createExecution',
    further: 'parentNodeExecution',
    names: () => ['secret-parent', 'ghostly'],
    input: (name) => ({
      ...{ project: own, domain, launchPlan: { key: key(own)('open') } },
      parentNodeExecution: { key: { project: own, domain, execution: name, nodeId: 'a' } },
    }),
    answer: notFound('parentNodeExecution'),
  },
  {
    field: 'recoverExecution',
    further: 'parentNodeExecution',
    names: () => [ids.node, absentId],
    input: (id) => ({ by: execution(own)('failed'), parentNodeExecution: { id } }),
    answer: notFound('parentNodeExecution'),
  },
  {
    field: 'createLaunchPlan',
    further: 'workflow',
    names,
    input: (name) => ({ key: key(own)('new'), workflow: { key: key(own)(name) } }),
    answer: notFound('workflow'),
  },
  {
    field: 'createLaunchPlan',
    further: 'workflow',
    names,
    input: (name) => ({ key: key(own)('of-other'), workflow: { key: key(hidden)(name) } }),
    answer: notFound('workflow'),
  },
  {
    field: 'promoteLaunchPlan',
    further: 'project',
    names: () => [hidden, 'ghostly'],
    input: (name) => ({ by: { key: keyOf(own, 'reads') }, domain, project: name }),
    answer: notFound('project'),
  },
  ...places.flatMap((place): Row[] => [
    {
      field: 'createWorkflow',
      further: `${place.template}.${place.field}.taskNode.referenceId`,
      names: () => ['double', 'ghostly'],
      input: (name) => withNode(place, { taskNode: { referenceId: keyOf(hidden, name) } }),
      answer: { problems: [{ code: 'TaskReferenceNotFound' }] },
    },
    {
      field: 'createWorkflow',
      further: `${place.template}.${place.field}.workflowNode`,
      names,
      input: (name) => withNode(place, { workflowNode: { launchplanRef: keyOf(hidden, name) } }),
      answer: { problems: [{ code: 'WorkflowReferenceNotFound' }] },
    },
  ]),
  ...[
    { field: 'createSignal', signalId: 'go', type: { simple: 'BOOLEAN' } },
    { field: 'setSignal', signalId: 'go', value: true },
    { field: 'createWorkflowEvent', phase: 'RUNNING', occurredAt: nodeEvent.occurredAt },
    { field: 'createNodeEvent', ...nodeEvent },
    { field: 'createTaskEvent', ...nodeEvent, task: keyOf(own, 'double') },
  ].map(
    ({ field, ...more }): Row => ({
      field,
      further: 'execution',
      names,
      input: (name) => ({ execution: execution(hidden)(name), ...more }),
      answer: { refused: 'NOT_FOUND' },
    }),
  ),
  {
    field: 'createNodeEvent',
    further: 'childExecution',
    names,
    input: (name) => ({
      ...{ execution: execution(own)('outside'), ...nodeEvent, nodeId: 'b' },
      childExecution: execution(hidden)(name),
    }),
    answer: notFound('childExecution'),
  },
  {
    field: 'createNodeEvent',
    further: 'parentTaskExecution',
    names: () => [ids.task, absentId],
    input: (id) => ({
      ...{ execution: execution(own)('outside'), ...nodeEvent, nodeId: 'b' },
      parentTaskExecution: id,
    }),
    answer: notFound('parentTaskExecution'),
  },
  {
    field: 'createTaskEvent',
    further: 'task',
    names: () => ['double', 'ghostly'],
    input: (name) => ({
      ...{ execution: execution(own)('outside'), ...nodeEvent },
      task: keyOf(hidden, name),
      retryAttempt: nextAttempt(),
    }),
    answer: { __typename: 'CreateTaskEventPayload' },
  },
  {
    field: 'createTaskEvent',
    further: 'metadata.externalResources.childExecution',
    names,
    input: (name) => ({
      ...{ execution: execution(own)('outside'), ...nodeEvent },
      task: keyOf(own, 'double'),
      retryAttempt: nextAttempt(),
      metadata: { externalResources: [{ ...resource, childExecution: execution(hidden)(name) }] },
    }),
    answer: notFound('metadata', 'externalResources', '0', 'childExecution'),
  },
  ...[
    { further: 'workflow', names, address: (name: string) => ({ key: keyOf(hidden, name) }) },
    { further: 'launchPlan', names, address: (name: string) => ({ key: keyOf(hidden, name) }) },
    {
      further: 'principal',
      names: () => [stranger.id, absentId] as const,
      address: (id: string) => ({ id }),
    },
  ].flatMap(({ further, names: both, address }): Row[] => [
    {
      field: 'terminateExecutions',
      further: `filter.${further}`,
      names: both,
      input: (name) => ({ filter: { [further]: address(name) }, cause: 'gone' }),
      answer: { __typename: 'TerminateExecutionsPayload' },
    },
    {
      field: 'deleteExecutions',
      further: `filter.${further}`,
      names: both,
      input: (name) => ({ filter: { [further]: address(name) } }),
      answer: { __typename: 'DeleteExecutionsPayload' },
    },
  ]),
  {
    field: 'createRun',
    further: 'execution',
    names,
    input: (name) => ({ experiment: { id: there.experiment }, execution: execution(own)(name) }),
    answer: notFound('execution'),
  },
  {
    field: 'createRun',
    further: 'execution',
    names: () => [ids.execution, absentId],
    input: (id) => ({ experiment: { id: there.experiment }, execution: { id } }),
    answer: notFound('execution'),
  },
  {
    field: 'createModelVersion',
    further: 'execution',
    names,
    input: (name) => ({ model: model(), source: 's3://x/y', execution: execution(hidden)(name) }),
    answer: notFound('execution'),
  },
  {
    field: 'createModelVersion',
    further: 'run',
    names: () => [ids.run, absentId],
    input: (id) => ({ model: model(), source: 's3://x/y', run: { id } }),
    answer: notFound('run'),
  },
  {
    field: 'createModelVersion',
    further: 'source',
    names: () => [ids.file, `slipway://blobs/${absentId}`],
    input: (source) => ({ model: model(), source }),
    answer: notFound('source'),
  },
  ...['grantPermission', 'updatePermission', 'revokePermission'].flatMap((field): Row[] => {
    const more = field === 'revokePermission' ? {} : { level };
    return [
      {
        field,
        further: 'subject',
        names: strangers,
        input: (username) => ({ resource: project, subject: user(username), ...more }),
        answer: notFound('subject', 'user'),
      },
      {
        field,
        further: 'subject',
        names: () => ['secret-team', 'ghostly'],
        input: (name) => ({ resource: project, subject: { group: { name } }, ...more }),
        answer: notFound('subject', 'group'),
      },
    ];
  }),
  ...['Experiment', 'RegisteredModel'].flatMap((noun) =>
    ['create', 'update', 'delete'].map((verb): Row => {
      const resource = () =>
        noun === 'Experiment' ? { experiment: { id: there.experiment } } : { registeredModel: model() };
      return {
        field: `${verb}${noun}Permission`,
        further: 'user',
        names: strangers,
        input: (username) => ({
          ...resource(),
          ...user(username),
          ...(verb === 'delete' ? {} : { permission: level }),
        }),
        answer: notFound('user'),
      };
    }),
  ),
  {
    field: 'createGroup',
    further: 'members',
    caller: 'superuser',
    names: strangers,
    input: (username) => ({ name: 'new', members: [{ username }] }),
    answer: notFound('members', '0'),
  },
  ...['addGroupMembers', 'removeGroupMembers'].map(
    (field): Row => ({
      field,
      further: 'members',
      caller: 'admin',
      names: strangers,
      input: (username) => ({ by: { id: ids.group }, members: [{ username }] }),
      answer: notFound('members', '0'),
    }),
  ),
  ...['createIdentityProvider', 'updateIdentityProvider'].map(
    (field): Row => ({
      field,
      further: 'identityProvider.groups.group',
      caller: 'admin',
      names: () => ['secret-team', 'ghostly'],
      input: (name) => ({
        ...(field === 'updateIdentityProvider' ? { by: { name: 'okta' } } : {}),
        identityProvider: {
          ...{ name: 'new', issuer: 'https://new.example', clientId: 'slipway', groupsClaim: 'groups' },
          groups: [{ value: 'all', group: { name } }],
        },
      }),
      answer: notFound('identityProvider', 'groups', '0', 'group'),
    }),
  ),
  {
    field: 'createIdentityLink',
    further: 'user',
    caller: 'admin',
    names: strangers,
    input: (username) => ({ identityProvider: { name: 'okta' }, ...user(username), subject: 'any' }),
    answer: notFound('user'),
  },
  {
    field: 'createCredentials',
    further: 'user',
    caller: 'admin',
    names: strangers,
    input: (username) => user(username),
    answer: notFound('user'),
  },
  {
    field: 'createTokenForUser',
    further: 'user',
    caller: 'admin',
    names: () => [stranger.id, absentId],
    input: (id) => ({ user: { id } }),
    answer: notFound('user'),
  },
  // An administrator of one tenant is refused for every other tenant, without a look at it.
  {
    field: 'createTokenForUser',
    further: 'tenant',
    caller: 'admin',
    names: () => [stranger.id, absentId],
    input: (id) => ({ user: { id: absentId }, tenant: { id } }),
    answer: { refused: 'PERMISSION_DENIED' },
  },
  {
    field: 'createUser',
    further: 'tenant',
    caller: 'admin',
    names: () => ['strangers', 'ghostly'],
    input: (name) => ({ username: 'new', tenant: { name } }),
    answer: { refused: 'PERMISSION_DENIED' },
  },
];

describe('a hidden object that an input names', () => {
  it.each(rows.map((row) => [row.field, row.further, row] as const))(
    'gets from %s the same answer as an absent one: %s',
    async (field, _further, { caller = 'maker', input, answer, ...row }) => {
      const ask = (name: string) => mutate(app, field, input(name), '', callers[caller]);
      expect(await askAlike(ask, row.names())).toMatchObject(answer);
    },
  );

  it('can be named by a caller who can read it', async () => {
    const open = await newCaller({ role: 'USER', level: 'EDIT' });
    for (const row of rows.filter(({ field }) => /Execution|LaunchPlan|Run|ModelVersion/.test(field))) {
      const [name] = row.names();
      if (row.further === 'source' || row.further === 'inputs') continue;
      const answer = await mutate(app, row.field, row.input(name), '', open);
      expect([row.field, row.further, answer]).toEqual([
        row.field,
        row.further,
        expect.objectContaining({ __typename: expect.stringMatching(/Payload$|AlreadyExistsError/) }),
      ]);
    }
  });
});

describe('the table', () => {
  it('has every object that an input of the schema names', () => {
    const inTable = new Set(rows.map(({ field, further }) => `${field}.${further}`));
    const named = Object.values(schema.getMutationType()?.getFields() ?? {}).flatMap(({ name, args }) => {
      const input = args[0] && getNamedType(args[0].type);
      return isInputObjectType(input) ? furtherObjects(input).map((path) => `${name}.${path}`) : [];
    });
    const missing = named.filter((path) => !inTable.has(path) && !judgedElsewhere.has(path));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(15);
  });
});

/** Not checked here: a token may be limited to a resource that its caller may not see. The resource stays hidden. */
const judgedElsewhere = new Set([
  'login.resources.id',
  // Names a part of the same input.
  'createWorkflow.subWorkflows.key',
  // Only a name: it need not exist, and nothing is read for it.
  'createNodeEvent.targetEntity.key',
  'createLaunchPlan.triggers.launchPlan',
  // A filter: what the caller may not see was not stored in the caller's project.
  'evictCacheEntries.task',
  // The main object. `identity-providers/settings` checks that one of another tenant looks absent.
  'createIdentityLink.identityProvider',
  // The main objects. `executions/terminate` checks that a hidden one looks absent.
  'redeliverNotification.id',
  'terminateExecutions.executions',
  // `retention/delete-executions` checks this.
  'deleteExecutions.executions',
  // `jobs/cancel-jobs`, `preempt-jobs` and `reprioritize-jobs` check this.
  'cancelJobs.ids',
  'preemptJobs.ids',
  'reprioritizeJobs.ids',
]);

/** The fields with the main object of a mutation. */
const about = new Set(['by', 'key', 'owner', 'resource', 'experiment', 'model', 'registeredModel']);
/** The fields with executors and runs, which are the main objects of the calls of executors. */
const ofExecutors = new Set(['instance', 'runs', 'knownRuns', 'stoppingRuns', 'run']);

function furtherObjects(input: GraphQLInputObjectType): string[] {
  const isOfExecutor = /Lease|Report|Renew/.test(input.name);
  return addressesIn(input, []).filter((path) => {
    const last = path.split('.').at(-1) ?? '';
    return !about.has(path) && !(isOfExecutor && ofExecutors.has(last));
  });
}

function addressesIn(
  input: GraphQLInputObjectType,
  path: readonly string[],
  within: readonly string[] = [],
): string[] {
  if (within.includes(input.name)) return [];
  return Object.values(input.getFields()).flatMap((field) => {
    const here = [...path, field.name];
    const type = getNamedType(field.type);
    if (isAddress(field)) return [here.join('.')];
    return isInputObjectType(type) ? addressesIn(type, here, [...within, input.name]) : [];
  });
}

/** An id, a key, or a choice of these. */
function isAddress(field: GraphQLInputField, depth = 3): boolean {
  const type = getNamedType(field.type);
  if (type === GraphQLID) return true;
  if (!isInputObjectType(type)) return false;
  const fields = Object.values(type.getFields());
  if (type.isOneOf) return depth > 0 && fields.some((choice) => isAddress(choice, depth - 1));
  return fields.some(({ name }) => name === 'project') && fields.some(({ name }) => name === 'name');
}

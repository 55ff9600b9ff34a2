import {
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodeTypes } from '../../src/api/node.ts';
import { schema } from '../../src/api/schema.ts';
import { flushDenials } from '../../src/authorization/audit.ts';
import { permissions } from '../../src/authorization/domain/permissions.ts';
import type { Level, ResourceType } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { seedFleet, waitingJobsOf } from '../support/fleet.ts';
import { Hands } from '../support/hands.ts';
import { trustIssuer } from '../support/jwt-issuers.ts';
import { make, mutate } from '../support/mutate.ts';
import { createGroup, createUser } from '../support/people.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  keyOf,
  launch,
  readExecution,
  registerProject,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { newCaller, newTenant, newUser, tokenOf, type UserOptions } from '../support/users.ts';

/**
 * Every field that leads from one protected object to another shows it to exactly the callers who can look it up.
 *
 * The edges come from the schema: a type is protected if a root field looks it up by id, and an edge is every path from
 * such a type to the next one. A new edge is tested automatically. It fails the tests until the world below has an
 * object at both ends, and until some caller may read one end but not the other.
 */

// One document asks for everything.
vi.hoisted(() => {
  process.env['QUERY_ALIAS_LIMIT'] = '1000';
  process.env['QUERY_COST_LIMIT'] = '1000000000';
  process.env['QUERY_TOKEN_LIMIT'] = '100000';
  process.env['RATE_COST_PER_MINUTE'] = '0';
});

/**
 * The reason why a caller may read only one end of an edge, if it is not grants: only the scopes of a credential,
 * because the same grants decide about both ends; or nothing, because one end is a part of the other.
 */
const between: Readonly<Record<string, 'scopes' | 'nothing'>> = {
  'Execution.nodeExecutions': 'nothing',
  'Execution.signals.execution': 'nothing',
  'Experiment.runs': 'scopes',
  'Job.latestRun': 'nothing',
  'Job.runs': 'nothing',
  'JsonWebKeySet.keys': 'nothing',
  'ModelVersion.model': 'nothing',
  'NodeExecution.childNodeExecutions': 'nothing',
  'NamedEntity.latestTask': 'scopes',
  'NamedEntity.latestWorkflow': 'scopes',
  'NamedEntity.tasks': 'scopes',
  'NamedEntity.workflows': 'scopes',
  'NodeExecution.execution': 'nothing',
  'NodeExecution.parent': 'nothing',
  'NodeExecution.parentTaskExecution': 'nothing',
  'NodeExecution.signal.execution': 'nothing',
  'NodeExecution.taskExecutions': 'nothing',
  'Project.tasks': 'scopes',
  'RegisteredModel.aliases.modelVersion': 'nothing',
  'RegisteredModel.latestVersion': 'nothing',
  'RegisteredModel.versions': 'nothing',
  'Run.experiment': 'scopes',
  'Task.description': 'scopes',
  'Task.project': 'scopes',
  'TaskExecution.childNodeExecutions': 'nothing',
  'TaskExecution.nodeExecution': 'nothing',
  'User.groups': 'scopes',
  'User.tenant': 'scopes',
  'Workflow.description': 'scopes',
};

/** How a root field looks up an object of a type. */
const lookups = new Map<string, (id: string) => string>();
for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
  const { type, args } = field;
  const [by] = args;
  if (!isObjectType(type) || !type.getFields()['id'] || args.length !== 1 || !by) continue;
  const given = getNamedType(by.type);
  if (given.name === 'ID') lookups.set(type.name, (id) => `${field.name}(${by.name}: "${id}")`);
  if (isInputObjectType(given) && given.isOneOf && given.getFields()['id'])
    lookups.set(type.name, (id) => `${field.name}(${by.name}: { id: "${id}" })`);
}

const protectedType = (name: string) => schema.getType(name) as GraphQLObjectType;
const isWrapper = (name: string) => /(Connection|Edge)$/.test(name);

/** The edges that begin at a type, by their paths: `aliases.modelVersion`. They may lead through plain types. */
function edgesOf(type: GraphQLObjectType, within: readonly string[] = []): string[] {
  return Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    const path = isWrapper(type.name) ? within : [...within, field.name];
    return objectsOf(field.type).flatMap((named) => {
      if (lookups.has(named.name)) return [path.join('.')];
      return isWrapper(named.name) || path.length < 4 ? edgesOf(named, path) : [];
    });
  });
}

/** The object types to which a field can lead. */
function objectsOf(type: GraphQLOutputType): GraphQLObjectType[] {
  const named = getNamedType(type);
  if (isAbstractType(named)) return [...schema.getPossibleTypes(named)];
  return isObjectType(named) ? [named] : [];
}

/** A selection of the other ends of all edges of a type; empty if it has none. */
function selectionOf(type: GraphQLObjectType, depth = 0): string {
  // Types of values contain themselves, and no path may be deeper.
  if (depth >= 4) return '';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    const below = objectsOf(field.type).flatMap((named) => {
      const selected = lookups.has(named.name)
        ? 'id'
        : selectionOf(named, depth + (isWrapper(named.name) ? 0 : 1));
      return selected ? [`... on ${named.name} { ${selected} }`] : [];
    });
    return below.length > 0 ? [`${field.name} { __typename ${below.join(' ')} }`] : [];
  });
  return fields.join(' ');
}

interface Shown {
  readonly edge: string;
  readonly type: string;
  readonly id: string;
}

/** The other ends in an answer. */
function endsIn(answer: Answer, path: readonly string[] = []): Shown[] {
  if (Array.isArray(answer)) return answer.flatMap((one) => endsIn(one, path));
  if (typeof answer !== 'object' || answer === null) return [];
  if (path.length > 1 && lookups.has(answer.__typename))
    return [{ edge: path.join('.'), type: answer.__typename, id: answer.id }];
  return Object.entries(answer).flatMap(([key, value]) =>
    endsIn(value, key === 'edges' || key === 'node' ? path : [...path, key]),
  );
}

interface Found {
  readonly id: string;
  readonly type: string;
}

/**
 * The objects that a caller can look up: the ends of their edges by id. Objects that the caller does not find are
 * missing.
 */
async function lookUp(objects: readonly Found[], authorization: string): Promise<Map<string, Shown[]>> {
  const asked = objects.map(
    ({ id, type }, index) => `o${index}: ${lookups.get(type)?.(id)} { __typename ...${type}Edges }`,
  );
  const fragments = [...new Set(objects.map(({ type }) => type))].map(
    (type) => `fragment ${type}Edges on ${type} { id ${selectionOf(protectedType(type))} }`,
  );
  const { data, errors } = await app.ask(
    `{ ${asked.join('\n')} } ${fragments.join('\n')}`,
    {},
    authorization,
  );
  const codes = new Set((errors ?? []).map((error) => error.extensions.code));
  expect([...codes].filter((code) => code !== 'NOT_FOUND' && code !== 'PERMISSION_DENIED')).toEqual([]);
  return new Map(
    objects.flatMap(({ id, type }, index) => {
      const answer = data[`o${index}`];
      return answer ? [[id, endsIn(answer, [type])]] : [];
    }),
  );
}

/** What a caller finds when it asks `nodes` for the objects, and `node` for each: its id and type, or null. */
async function askNodes(objects: readonly Found[], authorization: string) {
  const found: (Found | null)[][] = [[], []];
  for (let at = 0; at < objects.length; at += 100) {
    const ids = objects.slice(at, at + 100).map(({ id }) => id);
    const single = ids.map((id, index) => `o${index}: node(id: "${id}") { id type: __typename }`);
    const document = `query ($ids: [ID!]!) { nodes(ids: $ids) { id type: __typename } ${single.join(' ')} }`;
    const { data, errors } = await app.ask(document, { ids }, authorization);
    const { nodes, ...each } = data;
    found[0]?.push(...nodes);
    found[1]?.push(...(Object.values(each) as (Found | null)[]));
    for (const { message, extensions, path } of errors ?? []) {
      const id = ids[Number(path?.[0]?.slice(1))];
      expect([extensions, message]).toEqual([{ code: 'NOT_FOUND' }, `object ${id} not found`]);
    }
  }
  return found;
}

let app: LocalApp;
/** All objects by id, as the administrator sees them. */
const world = new Map<string, Found>();
/** The name of an object in messages of the test: `Project 2`. */
const nameOf = (id: string) => {
  const type = world.get(id)?.type;
  const ofType = [...world.values()].filter((one) => one.type === type);
  return `${type} ${ofType.findIndex((one) => one.id === id) + 1}`;
};
let edges: (Shown & { readonly from: string })[];
let callers: {
  readonly caller: string;
  readonly hasScopes: boolean;
  readonly authorization: string;
  readonly readable: Map<string, Shown[]>;
}[];

beforeAll(async () => {
  app = await startApp();
  const roots = await seedWorld();
  for (let found: Found[] = roots; found.length > 0; ) {
    for (const one of found) world.set(one.id, one);
    const ends = [...(await lookUp(found, app.admin)).values()].flat();
    found = [...new Map(ends.map((end) => [end.id, end])).values()].filter(({ id }) => !world.has(id));
  }
  const objects = [...world.values()];
  edges = [...(await lookUp(objects, app.admin))].flatMap(([from, ends]) =>
    ends.map((end) => ({ ...end, from })),
  );
  callers = [];
  for (const caller of await makeCallers())
    callers.push({ ...caller, readable: await lookUp(objects, caller.authorization) });
});
afterAll(() => app.stop());

/** Two projects that use each other. @returns objects from which edges lead to all others. */
async function seedWorld(): Promise<Found[]> {
  const [home, away] = [await registerProject(app, 'home'), await registerProject(app, 'away')];
  const description = { shortDescription: 'Described.' };
  await createTask(app, { ...taskInput('away', 'double'), description });
  await registerWorkflow(app, 'home', 'one', { a: [] }, { task: 'double', taskProject: 'away' });
  const other = workflowInput('away', 'described', { a: [] });
  await createWorkflow(app, { ...other, description });
  const plan = {
    key: keyOf('away', 'one'),
    workflow: { key: keyOf('home', 'one') },
    defaultInputs: { x: 1 },
  };
  expect(await createLaunchPlan(app, plan)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
  await registerWorkflow(app, 'away', 'other', { a: [] });
  await registerCalling();
  await mutate(app, 'updateLaunchPlan', { by: { key: plan.key }, state: 'ACTIVE' });
  // The versions of this name launch different workflows.
  const newer = { key: keyOf('away', 'one', 'v2'), workflow: { key: other.key } };
  expect(await createLaunchPlan(app, newer)).toMatchObject({ __typename: 'CreateLaunchPlanPayload' });
  const executions = [
    await launch(app, 'home', 'calling', { inputs: { x: 1 } }),
    await launch(app, 'home', 'one'),
    await launch(app, 'away', 'one'),
    await launch(app, 'home', 'one', { launchPlan: { key: keyOf('away', 'one') } }),
    await make(
      app,
      'createExecution',
      { project: 'home', domain, task: { key: keyOf('away', 'double') }, inputs: { x: 1 } },
      'execution',
    ),
  ];
  const signal = { execution: { id: executions[0] }, signalId: 'go', type: { simple: 'BOOLEAN' } };
  await make(app, 'createSignal', signal, 'signal');
  await mutate(app, 'setSignal', { execution: { id: executions[0] }, signalId: 'go', value: true });
  await new Hands(app).work(async () => {
    const read = await Promise.all(executions.map((id) => readExecution(app, id)));
    return read.every(({ phase }) => phase === 'SUCCEEDED');
  });
  await app.stopScheduler();
  await putInsideAttempt(executions[1] ?? '', executions[2] ?? '');
  // A relaunch has the workflow of what it repeats. Only another one shows that the edge asks about its own end.
  const repeated = { referenceId: executions[0] ?? null };
  await db.execution.update({ where: { id: executions[1] ?? '' }, data: repeated });
  const made = (field: string, input: object, noun: string) => make(app, field, input, noun);
  const roots: Found[] = [];
  for (const name of ['published', 'private']) {
    const experiment = await made('createExperiment', { project: 'home', name }, 'experiment');
    const model = await made('createRegisteredModel', { project: 'home', name }, 'registeredModel');
    const execution = { id: executions[0] };
    const run = await made('createRun', { experiment: { id: experiment }, execution, name }, 'run');
    const source = 's3://bucket/model';
    const version = await made(
      'createModelVersion',
      { model: { id: model }, source, execution, run: { id: run } },
      'modelVersion',
    );
    await made('updateModelAlias', { model: { id: model }, alias: 'best', version: 1 }, 'registeredModel');
    if (name === 'published') {
      await made('publishExperiment', { by: { id: experiment } }, 'experiment');
      await made('publishRegisteredModel', { by: { id: model } }, 'registeredModel');
    }
    roots.push(
      { type: 'Experiment', id: experiment },
      { type: 'RegisteredModel', id: model },
      { type: 'ModelVersion', id: version },
    );
  }
  const user = (await createUser(app, { username: 'someone', email: 'someone@example.com' })).user;
  await createGroup(app, { name: 'some', members: [{ id: user.id }] });
  const policy = { name: 'once', retryLimit: 1, defaultAction: 'RETRY' };
  const retryPolicy = await made('createRetryPolicy', policy, 'retryPolicy');
  const client = await made('createOAuth2Client', {}, 'client');
  const issuer = await trustIssuer(app);
  const keySet = await made('createJsonWebKeySet', { set: 'own', alg: 'EdDSA' }, 'jsonWebKeySet');
  const plain = {
    queue: 'away/development',
    jobSet: 'plain',
    jobs: [{ pool: 'nowhere', container: { image: 'x' } }],
  };
  await mutate(app, 'submitJobs', plain);
  const jobs = await waitingJobsOf('away/development', 1);
  const executor = await seedFleet({ executor: 'machines', nodes: ['one'], jobs });
  const names = await db.namedEntity.findMany();
  const queue = await app.ask('{ queue(by: { name: "away/development" }) { id } }');
  const all = (type: string, ids: readonly string[]) => ids.map((id) => ({ type, id }));
  return [
    ...roots,
    ...all('Project', [home, away]),
    ...all('Execution', executions),
    ...all('Queue', [queue.data.queue.id]),
    ...all('RetryPolicy', [retryPolicy]),
    ...all('JsonWebKeySet', [keySet]),
    ...all('OAuth2Client', [client]),
    ...all('JwtGrantIssuer', [issuer]),
    ...all('Executor', [executor]),
    ...all('User', [user.id]),
    ...all(
      'NamedEntity',
      names.map(({ id }) => id),
    ),
  ];
}

/** A workflow with a node that runs a workflow inside of it, and one that starts an execution of another workflow. */
async function registerCalling(): Promise<void> {
  const key = keyOf('home', 'calling');
  const inner = workflowInput('away', 'inner', { a: [] });
  const inputs = [{ var: 'x', binding: { promise: { nodeId: '', var: 'x' } } }];
  const workflow = await createWorkflow(app, {
    key,
    template: {
      interface: { inputs: [{ name: 'x', type: { simple: 'INTEGER' } }] },
      nodes: [
        { id: 'inside', inputs, workflowNode: { subWorkflowRef: inner.key } },
        { id: 'gate', gateNode: { approve: { signalId: 'go' } } },
        { id: 'outside', inputs, workflowNode: { launchplanRef: keyOf('away', 'other') } },
      ],
    },
    subWorkflows: [inner],
  });
  expect(workflow, JSON.stringify(workflow)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  await createLaunchPlan(app, { key, workflow: { key } });
}

/**
 * A node inside of an attempt of an execution, and an execution that the attempt started, as engines from outside report
 * them. Some callers may read only one of the two executions.
 */
async function putInsideAttempt(executionId: string, childExecutionId: string): Promise<void> {
  const attempt = await db.taskExecution.findFirstOrThrow({ where: { executionId }, orderBy: { id: 'asc' } });
  const { tenantId, id: parentTaskId } = attempt;
  await db.nodeExecution.create({
    data: { tenantId, executionId, parentTaskId, nodeId: 'old', specNodeId: 'old' },
  });
  const resource = {
    ...{ externalId: 'x', index: 0, retryAttempt: 0, phase: 'RUNNING', cacheStatus: 'DISABLED' },
    ...{ logs: [], childExecutionId },
  };
  const metadata = {
    ...{ generatedName: '', pluginIdentifier: '', instanceClass: 'DEFAULT', resourcePoolInfo: [] },
    externalResources: [resource],
  };
  const details = { logs: [], reasons: [], eventVersion: 0, metadata };
  await db.taskExecution.update({ where: { id: parentTaskId }, data: { details } });
}

const resourceTypes: Readonly<Record<string, ResourceType>> = {
  Project: 'PROJECT',
  Workflow: 'WORKFLOW',
  Queue: 'QUEUE',
  Experiment: 'EXPERIMENT',
  RegisteredModel: 'REGISTERED_MODEL',
};

/** Callers who may read different parts of the world. */
async function makeCallers() {
  const options: Record<string, UserOptions> = {
    'a user without grants': { role: 'USER' },
    'a superuser without grants': { role: 'SUPERUSER' },
    'an administrator of another tenant': { role: 'ADMIN', tenantId: await newTenant('elsewhere') },
  };
  const confined: Record<string, { type: ResourceType; id: string }> = {};
  for (const { id, type } of world.values()) {
    const resourceType = resourceTypes[type];
    if (!resourceType) continue;
    // A grant on a workflow is for all its versions.
    const resource =
      type === 'Workflow' ? (await db.workflow.findUniqueOrThrow({ where: { id } })).entityId : id;
    const at = (level: Level) => [{ type: resourceType, id: resource, level }];
    options[`a reader of ${nameOf(id)}`] = { role: 'USER', grants: at('READ') };
    options[`a reader of all but ${nameOf(id)}`] = {
      role: 'USER',
      level: 'READ',
      grants: at('NO_PERMISSIONS'),
    };
    confined[`a token that is confined to ${nameOf(id)}`] = { type: resourceType, id: resource };
  }
  for (const permission of Object.keys(permissions))
    if (permission.endsWith(':read'))
      options[`an administrator with the scope ${permission}`] = { role: 'ADMIN', scopes: [permission] };
  const tokens = Object.entries(confined).map(async ([caller, resource]) => ({
    caller,
    hasScopes: false,
    authorization: await tokenOf(app, app.admin, { resources: [resource] }),
  }));
  const credentials = Object.entries(options).map(async ([caller, one]) => ({
    caller,
    hasScopes: Boolean(one.scopes),
    authorization: await newCaller(one),
  }));
  return await Promise.all([...tokens, ...credentials]);
}

const allEdges = [...lookups.keys()].flatMap((type) =>
  edgesOf(protectedType(type)).map((path) => `${type}.${path}`),
);

describe('an edge shows an object to exactly the callers who may look it up', () => {
  it.each(allEdges)('%s', (name) => {
    const ofName = edges.filter(({ edge }) => edge === name);
    expect(ofName.length, 'the world has no such edge').toBeGreaterThan(0);
    const wrong: string[] = [];
    const apart = new Set<string>();
    for (const { from, id } of ofName)
      for (const { caller, hasScopes, readable } of callers) {
        const ends = readable.get(from);
        if (!ends) continue;
        const isShown = ends.some((end) => end.edge === name && end.id === id);
        const mayRead = readable.has(id);
        if (isShown !== mayRead)
          wrong.push(`${nameOf(from)} ${isShown ? 'shows' : 'hides'} ${nameOf(id)} to ${caller}`);
        if (!mayRead) apart.add(hasScopes ? 'scopes' : 'grants');
      }
    expect(wrong).toEqual([]);
    const what = apart.has('grants') ? 'grants' : apart.has('scopes') ? 'scopes' : 'nothing';
    expect(what, 'what comes between its ends').toBe(between[name] ?? 'grants');
  });

  it('every exception in the list is an edge of the schema', () => {
    expect(Object.keys(between).filter((name) => !allEdges.includes(name))).toEqual([]);
  });
});

describe('node', () => {
  it('finds the types that have a lookup by id, and no others implement Node', () => {
    const implementing = schema.getPossibleTypes(schema.getType('Node') as GraphQLInterfaceType);
    expect(implementing.map(({ name }) => name).sort()).toEqual([...lookups.keys()].sort());
    expect([...nodeTypes.keys()].sort()).toEqual([...lookups.keys()].sort());
    const inWorld = new Set([...world.values()].map(({ type }) => type));
    expect([...inWorld].sort()).toEqual([...lookups.keys()].sort());
  });

  it('and nodes show every object to exactly the callers who may look it up', async () => {
    const objects = [...world.values()];
    const hiddenFrom = new Set<string>();
    for (const { caller, authorization, readable } of callers) {
      const expected = objects.map(({ id, type }) => (readable.has(id) ? { id, type } : null));
      const [many, single] = await askNodes(objects, authorization);
      expect(many, `nodes, for ${caller}`).toEqual(expected);
      expect(single, `node, for ${caller}`).toEqual(expected);
      for (const { id, type } of objects) if (!readable.has(id)) hiddenFrom.add(type);
    }
    expect([...hiddenFrom].sort()).toEqual([...lookups.keys()].sort());
  });

  it('records what it hides in the audit log with the permission of the own lookup', async () => {
    const objects = [...new Map([...world.values()].map((one) => [one.type, one])).values()];
    /** The actions in the audit log, by the addresses of what was hidden. */
    const hiddenBy = async (ask: (authorization: string) => Promise<unknown>) => {
      const { id: actorId, authorization } = await newUser({ role: 'USER', level: 'NO_PERMISSIONS' });
      await ask(authorization);
      await flushDenials();
      const rows = await db.auditEvent.findMany({ where: { actorId, code: 'NOT_FOUND' } });
      return Object.fromEntries(rows.map(({ action, targetName }) => [targetName, action]));
    };
    const byLookup = await hiddenBy((authorization) => lookUp(objects, authorization));
    expect(Object.keys(byLookup).length).toBeGreaterThan(5);
    expect(await hiddenBy((authorization) => askNodes(objects, authorization))).toMatchObject(byLookup);
  });
});

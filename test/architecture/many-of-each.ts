/** A world in which every list of the schema has several objects. */
import { expect } from 'vitest';
import type { TaskExecution } from '../../src/generated/prisma/client.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { seedShares } from '../jobs/seed-shares.ts';
import type { LocalApp } from '../support/app.ts';
import { allow } from '../support/consents.ts';
import { seedFleet, waitingJobsOf } from '../support/fleet.ts';
import { Hands } from '../support/hands.ts';
import { linkIdentity } from '../support/identity-providers.ts';
import { trustIssuer } from '../support/jwt-issuers.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  keyOf,
  launch,
  registerTask,
  taskInput,
  untilEnded,
  workflowInput,
} from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { newTenant, newUser } from '../support/users.ts';

/** How many objects each list has at least. */
export const MANY = 3;
export const project = 'many';

/** What a test needs to know of the world. */
export interface Many {
  readonly made: typeof made;
  readonly files: typeof files;
  readonly authorizations: typeof authorizations;
}

let app: LocalApp;
let authorizations: Readonly<Record<'administrator' | 'root' | 'reader', string>>;
let files: { readonly x: { readonly uri: string } };
const made = {
  projects: [] as string[],
  executions: [] as string[],
  experiments: [] as string[],
  models: [] as string[],
};

const labels = [{ key: 'team', value: 'a' }];
const executionConfig = {
  ...{
    labels,
    annotations: labels,
    envs: labels,
    securityContext: { secrets: [{ group: 'database' }], tokens: [{ name: 'registry' }] },
  },
  executionEnvAssignments: [
    { nodeIds: ['a'], taskType: 'container', executionEnv: { name: 'warm', type: 'actor', spec: {} } },
  ],
};
const each = Array.from({ length: MANY }, (_, at) => at);

/** The scheduler of the app must run, and has stopped afterwards. */
export async function seedMany(started: LocalApp): Promise<Many> {
  app = started;
  for (const at of each) {
    const identifier = at === 0 ? project : `more-${at}`;
    made.projects.push(
      await make(app, 'registerProject', { identifier, name: identifier, labels }, 'project'),
    );
    await mutate(app, 'updateProjectAttributes', {
      project: identifier,
      attributes: { workflowExecutionConfig: executionConfig },
    });
    await makeQueue(at);
    const { id: projectId, tenantId } = await db.project.findFirstOrThrow({ where: { identifier } });
    await db.queue.create({ data: { tenantId, projectId, name: `${identifier}/staging` } });
    await newTenant(`tenant-${at}`);
  }
  await seedRich();
  await seedWork();
  await seedJobs();
  await seedExecutors();
  await seedShares();
  await seedTracking();
  await seedPeople();
  return { made, files, authorizations };
}

/** A queue that has something in each of its lists, and a retry policy. */
async function makeQueue(at: number): Promise<void> {
  const fractions = [{ resource: 'cpu', fraction: 0.5 }];
  const resourceLimitsByPriorityClass = [
    {
      priorityClass: 'slipway-default',
      maximumResourceFraction: fractions,
      maximumResourceFractionByPool: [{ pool: 'large', fractions }],
    },
  ];
  const input = { name: `a-queue-${at}`, labels, resourceLimitsByPriorityClass };
  await make(app, 'createQueue', input, 'queue');
  const rules = [{ action: 'RETRY', onCategory: 'USER' }];
  const policy = { name: `policy-${at}`, retryLimit: 1, defaultAction: 'RETRY', rules };
  await make(app, 'createRetryPolicy', policy, 'retryPolicy');
  await allow(await make(app, 'createOAuth2Client', { clientId: `client-${at}` }, 'client'), 'someone');
  await trustIssuer(app, `https://issuer-${at}.example`);
  const users = `users of provider ${at}`;
  await make(app, 'createGroup', { name: users }, 'group');
  const groups = [{ value: 'all', group: { name: users } }];
  await linkIdentity(app, `provider-${at}`, { groupsClaim: 'groups', groups });
  // No executor has the pool, so the jobs wait.
  const jobs = [{ pool: 'nowhere', container: { image: 'x' } }];
  for (const jobSet of each.map(String)) await mutate(app, 'submitJobs', { queue: input.name, jobSet, jobs });
}

/** Executors that have something in each of their lists. */
async function seedExecutors(): Promise<void> {
  const jobs = each.flatMap(() => each).map(() => ({ pool: 'nowhere', container: { image: 'x' } }));
  for (const at of each) {
    await mutate(app, 'submitJobs', { queue: 'a-queue-1', jobSet: `fleet-${at}`, jobs });
    const waiting = await waitingJobsOf('a-queue-1', jobs.length);
    await seedFleet({ executor: `fleet-${at}`, nodes: each.map((node) => `node-${node}`), jobs: waiting });
  }
}

/** Jobs that never start, and have something in each of their lists. */
async function seedJobs(): Promise<void> {
  const job = {
    ...{ pool: 'nowhere', labels, annotations: labels, nodeSelector: labels },
    tolerations: [{ key: 'gpu' }],
    gang: { id: 'gang', cardinality: MANY + 1 },
    container: { image: 'x', env: labels },
  };
  const jobs = each.map(() => job);
  await mutate(app, 'submitJobs', { queue: 'a-queue-0', jobSet: 'set', jobs });
}

/** Tasks, workflows and launch plans that have something in each of their lists. */
async function seedRich(): Promise<void> {
  const entries = [
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
  ];
  const integerType = { simple: 'INTEGER' };
  const columns = ['a', 'b'].map((name) => ({ name, type: 'INTEGER' }));
  const inputs = {
    list: { collectionType: integerType },
    map: { mapValueType: integerType },
  };
  const types = {
    schema: { schema: { columns } },
    table: {
      structuredDatasetType: { columns: columns.map(({ name }) => ({ name, literalType: integerType })) },
    },
    union: { unionType: { variants: [integerType, { simple: 'NONE' }] } },
    struct: { simple: 'STRUCT', structure: { dataclassType: { a: integerType, b: integerType } } },
  };
  const metadata = { tags: entries, labels: entries, annotations: entries };
  const amounts = [
    { name: 'CPU', value: '1' },
    { name: 'MEMORY', value: '1Gi' },
  ];
  for (const at of each) {
    const pod = taskInput(project, `pod-${at}`);
    const k8sPod = {
      metadata: { labels: entries, annotations: entries },
      podSpec: { containers: [{ name: 'a' }] },
    };
    await make(
      app,
      'createTask',
      { ...pod, template: { ...pod.template, container: undefined, k8sPod } },
      'task',
    );
    const plain = taskInput(project, `plain-${at}`, { inputs: { list: inputs.list, map: inputs.map } });
    await make(app, 'createTask', plain, 'task');
    const rich = taskInput(project, `rich-${at}`, { inputs: types });
    const container = {
      ...rich.template.container,
      ...{ env: entries, resources: { requests: amounts, limits: amounts } },
      ports: [{ containerPort: 1 }, { containerPort: 2 }],
    };
    const config = { a: '1', b: '2' };
    const full = { ...rich, template: { ...rich.template, metadata, config, container } };
    await make(app, 'createTask', full, 'task');
    await seedRichWorkflow(at, entries);
  }
}

async function seedRichWorkflow(at: number, entries: readonly object[]): Promise<void> {
  const y = (nodeId: string) => ({ promise: { nodeId, var: 'y' } });
  const node = (id: string) => ({
    id,
    metadata: { config: entries },
    inputs: [
      { var: 'list', binding: { collection: [{ value: 1 }, { value: 2 }] } },
      { var: 'map', binding: { map: ['a', 'b'].map((key) => ({ key, binding: { value: 1 } })) } },
    ],
    outputAliases: ['r', 's'].map((alias) => ({ var: 'y', alias })),
    taskNode: { referenceId: keyOf(project, `plain-${at}`) },
  });
  const block = (id: string) => ({
    condition: { comparison: { operator: 'EQ', leftValue: { var: 'x' }, rightValue: { value: 1 } } },
    thenNode: node(id),
  });
  const ifElse = { case: block('c'), other: [block('d')], elseNode: node('e') };
  const inner = workflowInput(project, 'inner', { a: [] }, { task: `pod-${at}` }).template;
  const template = {
    tags: entries,
    interface: {
      outputs: ['o', 'p'].map((name) => ({ name, type: { simple: 'INTEGER' } })),
    },
    nodes: [
      node('a'),
      { ...node('b'), upstreamNodeIds: ['a'] },
      { id: 'choose', inputs: [{ var: 'x', binding: y('b') }], branchNode: { ifElse } },
    ],
    outputs: ['o', 'p'].map((name) => ({ var: name, binding: y('a') })),
  };
  const subWorkflows = ['inner-1', 'inner-2'].map((name) => ({ key: keyOf(project, name), template: inner }));
  const key = keyOf(project, `rich-${at}`);
  await make(app, 'createWorkflow', { key, template, subWorkflows }, 'workflow');
  await make(app, 'createLaunchPlan', { key, workflow: { key } }, 'launchPlan');
}

const file = { blob: { format: '', dimensionality: 'SINGLE' } };

/** Executions that have ended, each with three nodes, files and logs. */
async function seedWork(): Promise<void> {
  const content = new TextEncoder().encode('content');
  const { uri, uploadUrl } = await announce(app, project, content);
  expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  files = { x: { uri } };
  for (const at of each) {
    await registerTask(app, project, `copy-${at}`, { inputs: { x: file }, outputs: { y: file } });
    const input = workflowInput(project, `flow-${at}`, { a: [], b: [], c: [] }, { task: `copy-${at}` });
    Object.assign(input.template.interface, { inputs: [{ name: 'x', type: file }], outputs: [] });
    input.template.outputs = [];
    expect(await createWorkflow(app, input)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
    const id = keyOf(project, `flow-${at}`);
    const notifications = [{ phases: ['TIMED_OUT'], email: { recipients: ['ada@example.com'] } }];
    const source = { project, domain, name: `never-${at}` };
    const triggers = [{ launchPlan: source, inputs: [{ var: 'x', output: 'x' }] }];
    const plan = { key: id, workflow: { key: id }, notifications, triggers, ...executionConfig };
    await createLaunchPlan(app, plan);
    await mutate(app, 'updateLaunchPlan', { by: { key: id }, state: 'ACTIVE' });
    const description = { shortDescription: 'Copies a file.' };
    await createTask(app, { ...taskInput(project, `described-${at}`), description });
  }
  const ids: string[] = [];
  for (const at of each)
    ids.push(await launch(app, project, `flow-${at}`, { name: `run-${at}`, inputs: { x: uri } }));
  made.executions.push(...ids);
  const hands = new Hands(app);
  for (let done = 0; done < MANY * 3; ) {
    for (const run of (await hands.lease()).runs) {
      await hands.start(run);
      const chunks = [{ sequence: 0, stream: 'STDOUT', text: 'hello', printedAt: new Date().toISOString() }];
      await mutate(app, 'reportRunLog', { run: run.id, chunks }, '', app.executor);
      await hands.succeed(run, { y: uri });
      done += 1;
    }
  }
  for (const id of ids) expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
  await app.stopScheduler();
  for (const id of ids) await seedInside(id);
  for (const projectId of made.projects.slice(1)) await copyExecution(projectId);
  const { id: projectId, tenantId } = await db.project.findFirstOrThrow({ where: { identifier: project } });
  for (const at of each) {
    const task = { taskProject: project, taskDomain: domain, taskName: `copy-${at}`, cacheVersion: '1' };
    await db.cacheEntry.create({
      data: { tenantId, projectId, key: `${at}`, ...task, outputs: {}, catalogKey: {} },
    });
  }
}

/** An execution in another project that has not begun. */
async function copyExecution(projectId: string): Promise<void> {
  await db.$executeRaw`
    insert into executions (id, tenant_id, project_id, domain, name, launch_plan_id, workflow_id,
                            workflow_entity_id, principal_id, queue, user_inputs, inputs)
    select ${newId()}::uuid, tenant_id, ${projectId}::uuid, domain, name, launch_plan_id, workflow_id,
           workflow_entity_id, principal_id, queue, user_inputs, inputs
      from executions where name = ${`run-${MANY - 1}`}
     order by id limit 1`;
}

/** Signals of an execution, and items as if its nodes were arrays. */
async function seedInside(executionId: string): Promise<void> {
  for (const signalId of ['one', 'two', 'three']) {
    const signal = { execution: { id: executionId }, signalId, type: { simple: 'BOOLEAN' } };
    await make(app, 'createSignal', signal, 'signal');
  }
  for (const task of await db.taskExecution.findMany({ where: { executionId } })) await seedAttempt(task);
  const { taskId, taskProject, taskDomain, taskName, taskVersion, ...first } =
    await db.taskExecution.findFirstOrThrow({ where: { executionId } });
  const attempt = {
    taskId,
    taskProject,
    taskDomain,
    taskName,
    taskVersion,
    tenantId: first.tenantId,
    executionId,
  };
  const { tenantId: home, projectId } = await db.execution.findUniqueOrThrow({ where: { id: executionId } });
  for (const position of each)
    await db.notificationDelivery.create({
      data: {
        ...{ tenantId: home, projectId, executionId, position, phase: 'SUCCEEDED', sink: 'EMAIL' },
        ...{ content: {}, state: 'DELIVERED', log: [{ at: new Date(), statusCode: null, error: null }] },
      },
    });
  for (const { id, tenantId, nodeId } of await db.nodeExecution.findMany({ where: { executionId } })) {
    await db.nodeExecution.update({ where: { id }, data: { kind: 'ARRAY', itemCount: MANY } });
    await db.itemPhaseCount.create({
      data: { nodeExecutionId: id, tenantId, phase: 'SUCCEEDED', count: MANY },
    });
    for (const itemIndex of each)
      await db.nodeExecution.create({
        data: {
          ...{ tenantId, executionId, parentId: id, nodeId: `${nodeId}:${itemIndex}` },
          ...{ specNodeId: 'item', itemIndex, phase: 'QUEUED' },
          tasks: { createMany: { data: each.map((retryAttempt) => ({ ...attempt, retryAttempt })) } },
        },
      });
  }
}

const log = {
  ...{ uri: 'https://logs/1', name: '', messageFormat: 'UNKNOWN' },
  ...{ showWhilePending: false, hideOnceFinished: false },
};
const several = <T>(make: (at: number) => T) => each.map(make);

/** What an engine from outside would say about an attempt, and nodes inside of it. */
async function seedAttempt({ id, ...task }: TaskExecution): Promise<void> {
  const { tenantId, executionId } = task;
  const resource = (index: number) => ({
    ...{ externalId: 'x', index, retryAttempt: 0, phase: 'RUNNING', cacheStatus: 'DISABLED' },
    logs: several(() => log),
  });
  const metadata = {
    ...{ generatedName: 'pod', pluginIdentifier: '', instanceClass: 'DEFAULT' },
    externalResources: several(resource),
    resourcePoolInfo: several((at) => ({ allocationToken: `${at}`, namespace: 'pool' })),
  };
  const reasons = several((at) => ({ occurredAt: '2026-01-01T00:00:00.000Z', message: `${at}` }));
  const details = { logs: several(() => log), reasons, eventVersion: 0, metadata };
  await db.taskExecution.update({ where: { id }, data: { details } });
  await db.nodeExecution.createMany({
    data: each.map((at) => ({
      ...{ tenantId, executionId, parentTaskId: id, phase: 'QUEUED' as const },
      ...{ nodeId: `old-${id}-${at}`, specNodeId: 'old' },
    })),
  });
}

async function seedTracking(): Promise<void> {
  const execution = { key: { project, domain, name: 'run-0' } };
  for (const at of each) {
    const experiment = await make(
      app,
      'createExperiment',
      { project, name: `e-${at}`, tags: labels },
      'experiment',
    );
    made.experiments.push(experiment);
    const model = await make(
      app,
      'createRegisteredModel',
      { project, name: `m-${at}`, tags: labels },
      'registeredModel',
    );
    made.models.push(model);
    const source = 's3://bucket/model';
    for (const [index, alias] of ['one', 'two', 'three'].entries()) {
      const run = await make(
        app,
        'createRun',
        { experiment: { id: experiment }, name: alias, execution, tags: labels },
        'run',
      );
      const version = { model: { id: model }, source, execution, run: { id: run }, tags: labels };
      await make(app, 'createModelVersion', version, 'modelVersion');
      await make(
        app,
        'updateModelAlias',
        { model: { id: model }, alias, version: index + 1 },
        'registeredModel',
      );
    }
  }
}

async function seedPeople(): Promise<void> {
  const [home = ''] = made.projects;
  const users = [];
  for (const at of each) {
    const own = { experiment: made.experiments[at] ?? '', model: made.models[at] ?? '' };
    users.push(
      await newUser({
        role: 'USER',
        grants: [
          { type: 'PROJECT', id: home, level: 'READ' },
          { type: 'EXPERIMENT', id: own.experiment, level: 'READ' },
          { type: 'REGISTERED_MODEL', id: own.model, level: 'READ' },
        ],
      }),
    );
  }
  const members = users.map(({ id: userId }) => ({ id: userId }));
  for (const at of each) await make(app, 'createGroup', { name: `team-${at}`, members }, 'group');
  const queues = await db.queue.findMany({ where: { name: { startsWith: 'a-queue-' } } });
  const { authorization } = await newUser({
    role: 'SUPERUSER',
    grants: [
      ...made.projects.map((id) => ({ type: 'PROJECT' as const, id, level: 'READ' as const })),
      ...queues.map(({ id }) => ({ type: 'QUEUE' as const, id, level: 'READ' as const })),
    ],
  });
  for (const at of each) await mutate(app, 'createCredentials', { label: `key ${at}` }, '', authorization);
  const root = (await newUser({ role: 'ROOT' })).authorization;
  authorizations = { administrator: app.admin, root, reader: authorization };
}

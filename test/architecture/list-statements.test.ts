import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import type { TaskExecution } from '../../src/generated/prisma/client.ts';
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { make, mutate } from '../support/mutate.ts';
import { expectRowForEach } from '../support/rows.ts';
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
import { statementsOf } from '../support/statements.ts';
import { announce } from '../support/upload.ts';
import { newTenant, newUser } from '../support/users.ts';

/**
 * Every list of the schema is queried for one object and for several. With only the plain fields of its objects, both
 * take the number of statements in the table. With the objects that they lead to, both take the same number. A list
 * that is not in the table fails the test.
 */

vi.hoisted(() => {
  process.env['QUERY_DEPTH_LIMIT'] = '40';
  process.env['QUERY_COST_LIMIT'] = '1000000000';
  process.env['RATE_COST_PER_MINUTE'] = '0';
});

const MANY = 3;
const project = 'many';

interface Entry {
  /** The fields that lead to the list, from a root field of Query. */
  readonly path: string;
  readonly statements: number;
  /** The arguments of the root field, if they differ from those of other rows. */
  readonly given?: string;
  /** The caller, if others see less. By default, a superuser with a grant on each single project. */
  readonly as?: 'administrator' | 'root';
}

const ofType = (type: string) => `filter: { type: ${type}, project: "${project}", domain: "${domain}" }`;
const named = (name: string) =>
  `filter: { project: "${project}", domain: "${domain}", nameContains: "${name}" }`;
const executions = 'executions';
const nodes = 'executions.nodeExecutions';
const attempts = `${nodes}.taskExecutions`;
const config = 'matchableAttributes.attributes.workflowExecutionConfig';
/** The lists inside of a template, a type or a graph take no statement of their own: it is in one row. */
const template = 'tasks.taskTemplate';
const type = 'tasks.interface.inputs.literalType';
const graph = 'workflows.graph';
const inRow = (path: string, given: string): Entry => ({ path, statements: 4, given: named(given) });
const lists: Readonly<Record<string, Entry>> = {
  'Execution.annotations': { path: `${executions}.annotations`, statements: 4 },
  'Execution.envs': { path: `${executions}.envs`, statements: 4 },
  'Execution.executionEnvAssignments': { path: `${executions}.executionEnvAssignments`, statements: 4 },
  'Execution.labels': { path: `${executions}.labels`, statements: 4 },
  'BindingData.collection': inRow(`${graph}.nodes.inputs.binding.collection`, 'rich'),
  'BindingData.map': inRow(`${graph}.nodes.inputs.binding.map`, 'rich'),
  'BranchNode.cases': inRow(`${graph}.nodes.branchNode.cases`, 'rich'),
  'Container.env': inRow(`${template}.container.env`, 'rich'),
  'Container.ports': inRow(`${template}.container.ports`, 'rich'),
  'ContainerResources.limits': inRow(`${template}.container.resources.limits`, 'rich'),
  'ContainerResources.requests': inRow(`${template}.container.resources.requests`, 'rich'),
  'KubernetesObjectMetadata.annotations': inRow(`${template}.k8sPod.metadata.annotations`, 'pod'),
  'KubernetesObjectMetadata.labels': inRow(`${template}.k8sPod.metadata.labels`, 'pod'),
  'LaunchPlan.expectedOutputs': { path: 'launchPlans.expectedOutputs', statements: 4, given: named('rich') },
  'SchemaType.columns': inRow(`${type}.schema.columns`, 'rich'),
  'StructuredDatasetType.columns': inRow(`${type}.structuredDatasetType.columns`, 'rich'),
  'TaskMetadata.annotations': inRow(`${template}.metadata.annotations`, 'rich'),
  'TaskMetadata.labels': inRow(`${template}.metadata.labels`, 'rich'),
  'TaskMetadata.tags': inRow(`${template}.metadata.tags`, 'rich'),
  'TaskTemplate.config': inRow(`${template}.config`, 'rich'),
  'TypeStructure.dataclassType': inRow(`${type}.structure.dataclassType`, 'rich'),
  'UnionType.variants': inRow(`${type}.unionType.variants`, 'rich'),
  'Workflow.subWorkflows': inRow('workflows.subWorkflows', 'rich'),
  'WorkflowGraph.edges': inRow(`${graph}.edges`, 'rich'),
  'WorkflowGraph.nodes': inRow(`${graph}.nodes`, 'rich'),
  'WorkflowGraph.outputs': inRow(`${graph}.outputs`, 'rich'),
  'WorkflowGraph.tags': inRow(`${graph}.tags`, 'rich'),
  'WorkflowNode.inputs': inRow(`${graph}.nodes.inputs`, 'rich'),
  'WorkflowNode.outputAliases': inRow(`${graph}.nodes.outputAliases`, 'rich'),
  'WorkflowNodeMetadata.config': inRow(`${graph}.nodes.metadata.config`, 'rich'),
  'Execution.nodeCounts': { path: `${executions}.nodeCounts`, statements: 4 },
  'Execution.nodeExecutions': { path: nodes, statements: 5 },
  'Execution.notificationDeliveries': { path: `${executions}.notificationDeliveries`, statements: 4 },
  'Execution.notifications': { path: `${executions}.notifications`, statements: 4 },
  'Execution.signals': { path: `${executions}.signals`, statements: 4 },
  'ExecutionSpan.spans': { path: `${executions}.metrics.spans`, statements: 6 },
  'ExternalResource.logs': { path: `${attempts}.metadata.externalResources.logs`, statements: 6 },
  'ExecutionData.files': { path: `${nodes}.data.files`, statements: 6 },
  'Experiment.runs': { path: 'experiments.runs', statements: 3 },
  'Experiment.tags': { path: 'experiments.tags', statements: 1 },
  'Group.members': { path: 'groups.members', statements: 2 },
  'Job.runs': { path: `${nodes}.taskExecutions.job.runs`, statements: 8 },
  'Job.annotations': { path: 'jobs.annotations', statements: 4 },
  'Job.environment': { path: 'jobs.environment', statements: 4 },
  'Job.labels': { path: 'jobs.labels', statements: 4 },
  'Job.nodeSelector': { path: 'jobs.nodeSelector', statements: 4 },
  'Job.tolerations': { path: 'jobs.tolerations', statements: 4 },
  'JobContainer.env': { path: 'jobs.container.env', statements: 4 },
  'JobResources.limits': { path: 'jobs.container.resources.limits', statements: 4 },
  'JobResources.requests': { path: 'jobs.container.resources.requests', statements: 4 },
  'Query.jobs': { path: 'jobs', statements: 4 },
  'JobRun.log': { path: `${nodes}.taskExecutions.job.runs.log`, statements: 9 },
  'LaunchPlan.annotations': { path: 'launchPlans.annotations', statements: 4 },
  'LaunchPlan.envs': { path: 'launchPlans.envs', statements: 4 },
  'LaunchPlan.executionEnvAssignments': { path: 'launchPlans.executionEnvAssignments', statements: 4 },
  'LaunchPlan.executions': { path: 'launchPlans.executions', statements: 6 },
  'LaunchPlan.expectedInputs': { path: 'launchPlans.expectedInputs', statements: 4 },
  'LaunchPlan.labels': { path: 'launchPlans.labels', statements: 4 },
  'LaunchPlan.notifications': { path: 'launchPlans.notifications', statements: 4 },
  'LaunchPlan.triggers': { path: 'launchPlans.triggers', statements: 5 },
  'LaunchPlanTrigger.inputs': { path: 'launchPlans.triggers.inputs', statements: 5 },
  'ModelVersion.tags': { path: 'registeredModels.versions.tags', statements: 2 },
  'NodeExecution.childNodeExecutions': { path: `${nodes}.childNodeExecutions`, statements: 6 },
  'NodeExecution.itemCounts': { path: `${nodes}.itemCounts`, statements: 5 },
  'NamedEntity.launchPlans': {
    path: 'namedEntities.launchPlans',
    statements: 8,
    given: ofType('LAUNCH_PLAN'),
  },
  'NamedEntity.tasks': { path: 'namedEntities.tasks', statements: 5 },
  'NamedEntity.workflows': {
    path: 'namedEntities.workflows',
    statements: 7,
    given: ofType('WORKFLOW'),
  },
  'NodeExecution.taskExecutions': { path: `${nodes}.taskExecutions`, statements: 7 },
  'NotificationDelivery.attempts': {
    path: `${executions}.notificationDeliveries.attempts`,
    statements: 4,
  },
  'Project.domains': { path: 'projects.domains', statements: 1 },
  'Project.executions': { path: 'projects.executions', statements: 4 },
  'Project.executionCounts': { path: 'projects.executionCounts', statements: 3 },
  'Project.experiments': { path: 'projects.experiments', statements: 3 },
  'Project.labels': { path: 'projects.labels', statements: 1 },
  'Project.launchPlans': { path: 'projects.launchPlans', statements: 7 },
  'Project.queues': { path: 'projects.queues', statements: 3 },
  'Project.registeredModels': { path: 'projects.registeredModels', statements: 3 },
  'Project.tasks': { path: 'projects.tasks', statements: 4 },
  'Project.workflows': { path: 'projects.workflows', statements: 5 },
  'Query.activeLaunchPlans': { path: 'activeLaunchPlans', statements: 7 },
  'Query.allPermissions': { path: 'allPermissions', statements: 0 },
  'Query.auditEvents': { path: 'auditEvents', statements: 1, as: 'administrator' },
  'Query.cacheEntries': { path: 'cacheEntries', statements: 2, as: 'administrator' },
  'Query.credentials': { path: 'credentials', statements: 2 },
  'Query.descriptionEntities': { path: 'descriptionEntities', statements: 3 },
  'Query.domains': { path: 'domains', statements: 0 },
  'Query.executions': { path: executions, statements: 4 },
  'Query.experiments': { path: 'experiments', statements: 1 },
  'Query.grantees': { path: 'grantees', statements: 1, as: 'administrator' },
  'Query.groups': { path: 'groups', statements: 2 },
  'Query.matchableAttributes': { path: 'matchableAttributes', statements: 2 },
  'Query.launchPlanIds': { path: 'launchPlanIds', statements: 3 },
  'Query.launchPlans': { path: 'launchPlans', statements: 7 },
  'Query.myPermissions': { path: 'myPermissions', statements: 3 },
  'Query.namedEntities': { path: 'namedEntities', statements: 3 },
  'Query.nodeExecutions': { path: 'nodeExecutions', statements: 4 },
  'Query.permissions': { path: 'permissions', statements: 2, as: 'administrator' },
  'Query.projects': { path: 'projects', statements: 1 },
  'Query.queues': { path: 'queues', statements: 1 },
  'Query.registeredModels': { path: 'registeredModels', statements: 1 },
  'Query.runs': { path: 'runs', statements: 1 },
  'Query.signals': { path: 'signals', statements: 3 },
  'Query.taskExecutions': { path: 'taskExecutions', statements: 7 },
  'Query.taskIds': { path: 'taskIds', statements: 3 },
  'Query.tasks': { path: 'tasks', statements: 4 },
  'Query.tenants': { path: 'tenants', statements: 1, as: 'root' },
  'Query.users': { path: 'users', statements: 1 },
  'Query.workflowIds': { path: 'workflowIds', statements: 3 },
  'Query.workflows': { path: 'workflows', statements: 5 },
  'Queue.jobs': { path: 'projects.queues.jobs', statements: 6 },
  'Queue.labels': { path: 'queues.labels', statements: 1 },
  'RegisteredModel.aliases': { path: 'registeredModels.aliases', statements: 2 },
  'RegisteredModel.tags': { path: 'registeredModels.tags', statements: 1 },
  'RegisteredModel.versions': { path: 'registeredModels.versions', statements: 3 },
  'Run.tags': { path: 'runs.tags', statements: 1 },
  'SecurityContext.secrets': { path: `${config}.securityContext.secrets`, statements: 1 },
  'SecurityContext.tokens': { path: `${config}.securityContext.tokens`, statements: 1 },
  'TaskExecution.childNodeExecutions': { path: `${attempts}.childNodeExecutions`, statements: 7 },
  'TaskExecution.logs': { path: `${attempts}.logs`, statements: 6 },
  'TaskExecution.reasons': { path: `${attempts}.reasons`, statements: 6 },
  'TaskExecutionMetadata.externalResources': {
    path: `${attempts}.metadata.externalResources`,
    statements: 6,
  },
  'TaskExecutionMetadata.resourcePoolInfo': {
    path: `${attempts}.metadata.resourcePoolInfo`,
    statements: 6,
  },
  'TypedInterface.inputs': { path: 'tasks.interface.inputs', statements: 4 },
  'TypedInterface.outputs': { path: 'tasks.interface.outputs', statements: 4 },
  'User.experimentPermissions': {
    path: 'users.experimentPermissions',
    statements: 2,
    as: 'administrator',
  },
  'User.groups': { path: 'users.groups', statements: 4 },
  'User.registeredModelPermissions': {
    path: 'users.registeredModelPermissions',
    statements: 3,
    as: 'administrator',
  },
  'Workflow.executions': { path: 'workflows.executions', statements: 6 },
  'WorkflowExecutionConfig.annotations': { path: `${config}.annotations`, statements: 1 },
  'WorkflowExecutionConfig.envs': { path: `${config}.envs`, statements: 1 },
  'WorkflowExecutionConfig.executionEnvAssignments': {
    path: `${config}.executionEnvAssignments`,
    statements: 1,
  },
  'WorkflowExecutionConfig.labels': { path: `${config}.labels`, statements: 1 },
  'Workflow.launchPlans': { path: 'workflows.launchPlans', statements: 8 },
};

/**
 * Lists that cannot be reached from pages of other lists. Each has its own test: `nodes` in test/api/node.test.ts, the
 * kinds of attributes in test/attributes/matchable-attributes.test.ts, `differences` in
 * test/registry/version-difference.test.ts, `entities` in test/registry/promote-launch-plan.test.ts, plans of
 * recoveries and results of terminations in test/executions, results of mutations of jobs in test/jobs, the others below.
 */
const others = [
  'DifferentStructureError.differences',
  'VersionDifference.differences',
  'ClusterResourceAttributes.attributes',
  'PluginOverrides.overrides',
  'InvalidArgumentError.problems',
  'LeaseJobsPayload.runs',
  'LeasedRun.inputBlobs',
  'Query.nodes',
  'AccessExplanation.steps',
  'PromoteLaunchPlanPayload.entities',
  'RecoveryPlan.nodes',
  'TerminateExecutionsPayload.results',
  'SubmitJobsPayload.results',
  'CancelJobsPayload.results',
  'ReprioritizeJobsPayload.results',
  'PreemptJobsPayload.results',
];

const inProject = () => `filter: { project: "${project}", domain: "${domain}" }`;
const argumentsOf: Readonly<Record<string, () => string>> = {
  executions: inProject,
  cacheEntries: () => `filter: { project: "${project}" }`,
  matchableAttributes: () => 'resourceType: WORKFLOW_EXECUTION_CONFIG',
  tasks: inProject,
  workflows: inProject,
  launchPlans: inProject,
  activeLaunchPlans: inProject,
  taskIds: inProject,
  workflowIds: inProject,
  launchPlanIds: inProject,
  namedEntities: () => ofType('TASK'),
  descriptionEntities: () => ofType('TASK'),
  nodeExecutions: () => `by: { key: { project: "${project}", domain: "${domain}", name: "run-0" } }`,
  taskExecutions: () =>
    `by: { key: { project: "${project}", domain: "${domain}", execution: "run-0", nodeId: "a:0" } }`,
  signals: () => `by: { key: { project: "${project}", domain: "${domain}", name: "run-0" } }`,
  jobs: () => 'filter: { queue: "a-queue-0" }',
  runs: () => `filter: { experimentIds: ${JSON.stringify(made.experiments)} }`,
  permissions: () => `resource: { project: { identifier: "${project}" } }`,
  grantees: () => 'resource: { tenant: true }, prefix: "team-", first: $first',
  groups: () => 'filter: { namePrefix: "team-" }',
  users: () => 'filter: { usernamePrefix: "user-" }',
};

let app: LocalApp;
let authorizations: Readonly<Record<'administrator' | 'root' | 'reader', string>>;
let files: { readonly x: { readonly uri: string } };
const made = { projects: [] as string[], experiments: [] as string[], models: [] as string[] };

type Composite = GraphQLObjectType | GraphQLInterfaceType;
const isConnection = (type: GraphQLOutputType) => getNamedType(type).name.endsWith('Connection');

/** The type of the objects to which a field leads, in a list or singly; null if it leads to none. */
function nodeOf(type: GraphQLOutputType): Composite | null {
  const named = getNamedType(type);
  if (!isObjectType(named) && !isInterfaceType(named)) return null;
  const edges = isConnection(named) && named.getFields()['edges'];
  const node = edges && (getNamedType(edges.type) as GraphQLObjectType).getFields()['node'];
  return node ? nodeOf(node.type) : named;
}

const allLists = Object.values(schema.getTypeMap()).flatMap((type) => {
  if (!isObjectType(type) || /^__|(Connection|Edge)$/.test(type.name)) return [];
  return Object.values(type.getFields())
    .filter((field) => isConnection(field.type) || isListType(getNullableType(field.type)))
    .filter((field) => nodeOf(field.type))
    .map((field) => `${type.name}.${field.name}`);
});

/** The plain fields of an object; if `deep`, also the plain fields of all objects that it leads to. */
function selectionOf(type: Composite, isDeep: boolean): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    if (isLeafType(getNamedType(field.type))) return [field.name];
    const node = nodeOf(field.type);
    return isDeep && node ? [inField(field, selectionOf(node, false))] : [];
  });
  return ['__typename', ...fields].join(' ');
}

/** A field with a selection of its objects; for a connection, of the first `$first` objects. */
function inField({ name, type }: GraphQLField<unknown, unknown>, selection: string, given = ''): string {
  const asked = [given, isConnection(type) ? 'first: $first' : ''].filter((text) => text !== '').join(', ');
  const inside = isConnection(type) ? `edges { node { ${selection} } }` : selection;
  return `${name}${asked && `(${asked})`} { ${inside} }`;
}

const documentOf = (asked: string) =>
  asked.includes('$first') ? `query ($first: Int = 1) { ${asked} }` : `query { ${asked} }`;

interface Way {
  readonly document: string;
  /** The list at the end of the path: `Execution.nodeCounts`. */
  readonly list: string;
  readonly node: string;
}

function along({ path, given }: Entry, isDeep: boolean): Way {
  let type: Composite = schema.getQueryType() as GraphQLObjectType;
  let list = '';
  const fields = path.split('.').map((name) => {
    const field: GraphQLField<unknown, unknown> | undefined = type.getFields()[name];
    const next = field && nodeOf(field.type);
    if (!field || !next) throw new Error(`${type.name} has no field ${name}`);
    list = `${type.name}.${name}`;
    type = next;
    return field;
  });
  const asked = fields.reduceRight(
    (inner, field, at) => inField(field, inner, at === 0 ? (given ?? argumentsOf[field.name]?.()) : ''),
    selectionOf(type, isDeep),
  );
  return { document: documentOf(asked), list, node: type.name };
}

const objectsOf = (answer: Answer, type: string): number => {
  if (typeof answer !== 'object' || answer === null) return 0;
  const below = Object.values(answer as object).reduce((sum, part) => sum + objectsOf(part, type), 0);
  return below + (answer.__typename === type ? 1 : 0);
};

/** The number of statements, after all caches are filled. @returns also the number of objects. */
async function costOf(type: string, document: string, variables: object, authorization: string) {
  await app.ask(document, variables, authorization);
  const { result, statements } = await statementsOf(() => app.ask(document, variables, authorization));
  expect(result.errors).toBeUndefined();
  return { statements, objects: objectsOf(result.data, type) };
}

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

beforeAll(async () => {
  app = await startApp();
  for (const at of each) {
    const identifier = at === 0 ? project : `more-${at}`;
    made.projects.push(
      await make(app, 'registerProject', { identifier, name: identifier, labels }, 'project'),
    );
    await mutate(app, 'updateProjectAttributes', {
      project: identifier,
      attributes: { workflowExecutionConfig: executionConfig },
    });
    await make(app, 'createQueue', { name: `a-queue-${at}`, labels }, 'queue');
    const { id: projectId, tenantId } = await db.project.findFirstOrThrow({ where: { identifier } });
    await db.queue.create({ data: { tenantId, projectId, name: `${identifier}/staging` } });
    await newTenant(`tenant-${at}`);
  }
  await seedJobs();
  await seedRich();
  await seedWork();
  await seedTracking();
  await seedPeople();
});
afterAll(() => app.stop());

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

describe('a list', () => {
  it('has a row in the table', () => {
    const rows = [...Object.keys(lists), ...others];
    expectRowForEach([...allLists], rows, '`lists` in test/architecture/list-statements.test.ts');
  });

  it.each(Object.entries(lists))(
    '%s takes the same statements for one object and for several',
    async (name, entry) => {
      const { document, list, node } = along(entry, false);
      expect(list).toBe(name);
      const authorization = authorizations[entry.as ?? 'reader'];
      const one = await costOf(node, document, { first: 1 }, authorization);
      const many = await costOf(node, document, { first: MANY }, authorization);
      expect(one.objects).toBeGreaterThan(0);
      expect(many.objects).toBeGreaterThanOrEqual(MANY);
      expect(many.statements).toHaveLength(entry.statements);
      expect(one.statements).toHaveLength(entry.statements);
      const deep = along(entry, true).document;
      // Two and not one, because `latestVersion` and the first page with one version would be the same read.
      const twoDeep = await costOf(node, deep, { first: 2 }, authorization);
      const manyDeep = await costOf(node, deep, { first: MANY }, authorization);
      expect(manyDeep.statements).toHaveLength(twoDeep.statements.length);
    },
  );

  it('InvalidArgumentError.problems takes the same statements for one problem and for several', async () => {
    const costs = [];
    for (const count of [1, MANY]) {
      const wrong = Array.from({ length: count }, (_, at) => ({ key: `!${at}`, value: '' }));
      const input = { identifier: 'wrong', name: 'wrong', labels: wrong };
      const document = `mutation ($input: RegisterProjectInput!) {
        registerProject(input: $input) { ... on InvalidArgumentError { problems { __typename path code message } } }
      }`;
      const { objects, statements } = await costOf('InputProblem', document, { input }, app.admin);
      expect(objects).toBe(count);
      costs.push(statements.length);
    }
    expect(costs).toEqual([0, 0]);
  });

  it('AccessExplanation.steps takes no further statement', async () => {
    const { id } = await db.user.findFirstOrThrow({ where: { role: 'USER' } });
    const field = schema.getType('AccessExplanation') as GraphQLObjectType;
    const steps = field.getFields()['steps'];
    const step = steps && nodeOf(steps.type);
    if (!step) throw new Error('an explanation has no steps');
    const costs = [];
    for (const selection of ['level', inField(steps, selectionOf(step, false))]) {
      const asked = `user: { id: "${id}" }, resource: { project: { identifier: "${project}" } }`;
      const document = `{ explainPermission(${asked}) { ${selection} } }`;
      const { objects, statements } = await costOf(step.name, document, {}, app.admin);
      costs.push({ statements: statements.length, hasSteps: objects > 1 });
    }
    expect(costs).toEqual([
      { statements: 5, hasSteps: false },
      { statements: 5, hasSteps: true },
    ]);
  });

  it('LeaseJobsPayload.runs and LeasedRun.inputBlobs take the same statements for one run and for several', async () => {
    const costs = [];
    for (const count of [1, MANY]) {
      const hands = new Hands(app, `leases-${count}`);
      // Executors of earlier tests must not get anything.
      await db.executor.updateMany({ data: { lastSeenAt: new Date(0) } });
      await hands.lease({ maxJobs: count, wait: 'PT0S' });
      for (let at = 0; at < count; at += 1)
        await advanceExecution(
          await launch(app, project, 'flow-0', { maxParallelism: 1, inputs: { x: files.x.uri } }),
        );
      const { tenantId } = await db.executor.findFirstOrThrow({ where: { name: hands.name } });
      expect((await assignPool({ tenantId, name: 'default' }, 60)).assigned).toBe(count);
      const document = `mutation ($input: LeaseJobsInput!) {
        leaseJobs(input: $input) { ... on LeaseJobsPayload { runs {
          __typename id inputBlobs { __typename uri downloadUrl sizeBytes } } } } }`;
      const input = { executor: hands.name, knownRuns: [], maxJobs: count, wait: 'PT0S' };
      const leased = await costOf('LeasedRun', document, { input }, app.executor);
      expect(leased.objects).toBe(count);
      costs.push(leased.statements.length);
    }
    expect(costs[1]).toBe(costs[0]);
  });
});

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
import { assignPool } from '../../src/jobs/commands/assign-jobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { advanceExecution } from '../../src/scheduler/advance-executions.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { mutate } from '../support/mutate.ts';
import { expectRowForEach } from '../support/rows.ts';
import { domain, launch } from '../support/seed.ts';
import { statementsInRounds } from '../support/statements.ts';
import { MANY, type Many, project, seedMany } from './many-of-each.ts';

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
const fleet = 'filter: { namePrefix: "fleet-" }';
const inUsage = (path: string): Entry => ({
  ...{ path: `executors.usage.${path}`, statements: 2, given: fleet, as: 'administrator' },
});
/** A plan tells that the attempts are selected, too, which are then read together with the nodes. */
const isPlanned = !process.env['REFERENCE_EXECUTOR'];
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
  'Executor.nodes': { path: 'executors.nodes', statements: 3, given: fleet, as: 'administrator' },
  'Executor.runs': { path: 'executors.runs', statements: 2, given: fleet, as: 'administrator' },
  'ExecutorNode.labels': { path: 'executors.nodes.labels', statements: 2, given: fleet, as: 'administrator' },
  'ExecutorNode.runs': { path: 'executors.nodes.runs', statements: 3, given: fleet, as: 'administrator' },
  'ExecutorNode.taints': { path: 'executors.nodes.taints', statements: 2, given: fleet, as: 'administrator' },
  'ExecutorUsage.nodeTypes': inUsage('nodeTypes'),
  'NodeTypeQueueUsage.runsByState': inUsage('nodeTypes.queues.runsByState'),
  'NodeTypeUsage.queues': inUsage('nodeTypes.queues'),
  'NodeTypeUsage.taints': inUsage('nodeTypes.taints'),
  'Queue.usage': { path: 'queues.usage', statements: 2 },
  'QueuePoolUsage.runsByState': { path: 'queues.usage.runsByState', statements: 2 },
  'Query.executors': { path: 'executors', statements: 2, given: fleet, as: 'administrator' },
  'Experiment.runs': { path: 'experiments.runs', statements: 2 },
  'Experiment.tags': { path: 'experiments.tags', statements: 1 },
  'Group.members': { path: 'groups.members', statements: 2 },
  'JobEventPage.events': { path: 'jobSetEvents.events', statements: 4, as: 'administrator' },
  'Job.runs': { path: `${nodes}.taskExecutions.job.runs`, statements: 8 },
  'IdentityProvider.groups': { path: 'identityProviders.groups', statements: 2, as: 'administrator' },
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
  'LaunchPlan.executions': { path: 'launchPlans.executions', statements: 5 },
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
  'Project.executions': { path: 'projects.executions', statements: 3 },
  'Project.executionCounts': { path: 'projects.executionCounts', statements: 2 },
  'Project.experiments': { path: 'projects.experiments', statements: 2 },
  'Project.labels': { path: 'projects.labels', statements: 1 },
  'Project.launchPlans': { path: 'projects.launchPlans', statements: 6 },
  'Project.queues': { path: 'projects.queues', statements: 3 },
  'Project.registeredModels': { path: 'projects.registeredModels', statements: 2 },
  'Project.tasks': { path: 'projects.tasks', statements: 3 },
  'Project.workflows': { path: 'projects.workflows', statements: 4 },
  'Query.activeQueues': { path: 'activeQueues', statements: 1 },
  'Query.queueShares': { path: 'queueShares', statements: 1 },
  'QueueShare.history': { path: 'queueShares.history', statements: 2 },
  'Query.activeLaunchPlans': { path: 'activeLaunchPlans', statements: 6 },
  'Query.allPermissions': { path: 'allPermissions', statements: 0 },
  'Query.auditEvents': { path: 'auditEvents', statements: 1, as: 'administrator' },
  'Query.cacheEntries': { path: 'cacheEntries', statements: 2, as: 'administrator' },
  'Query.consentSessions': {
    ...{ path: 'consentSessions', statements: 2, given: 'subject: "someone"', as: 'administrator' },
  },
  'Query.credentials': { path: 'credentials', statements: 2 },
  'Query.descriptionEntities': { path: 'descriptionEntities', statements: 3 },
  'Query.domains': { path: 'domains', statements: 0 },
  'Query.executions': { path: executions, statements: 4 },
  'Query.experiments': { path: 'experiments', statements: 1 },
  'Query.grantees': { path: 'grantees', statements: 1, as: 'administrator' },
  'Query.groups': { path: 'groups', statements: 2 },
  'Query.matchableAttributes': { path: 'matchableAttributes', statements: 2 },
  'Query.launchPlanIds': { path: 'launchPlanIds', statements: 3 },
  'Query.launchPlans': { path: 'launchPlans', statements: 6 },
  'Query.myPermissions': { path: 'myPermissions', statements: 3 },
  'Query.namedEntities': { path: 'namedEntities', statements: 3 },
  'Query.nodeExecutions': { path: 'nodeExecutions', statements: 3 },
  'Query.permissions': { path: 'permissions', statements: 2, as: 'administrator' },
  'Query.projects': { path: 'projects', statements: 1 },
  'Query.queues': { path: 'queues', statements: 2 },
  'Query.registeredModels': { path: 'registeredModels', statements: 1 },
  'Query.oauth2Clients': { path: 'oauth2Clients', statements: 1, as: 'administrator' },
  'Query.identityLinks': { path: 'identityLinks', statements: 2, as: 'administrator' },
  'Query.identityProviders': { path: 'identityProviders', statements: 1, as: 'administrator' },
  'Query.jwtGrantIssuers': { path: 'jwtGrantIssuers', statements: 1, as: 'administrator' },
  'Query.retryPolicies': { path: 'retryPolicies', statements: 1 },
  'Query.runs': { path: 'runs', statements: 1 },
  'Query.signals': { path: 'signals', statements: 2 },
  'Query.taskExecutions': { path: 'taskExecutions', statements: 7 },
  'Query.taskIds': { path: 'taskIds', statements: 3 },
  'Query.tasks': { path: 'tasks', statements: 4 },
  'Query.tenants': { path: 'tenants', statements: 1, as: 'root' },
  'Query.users': { path: 'users', statements: 1 },
  'Query.workflowIds': { path: 'workflowIds', statements: 3 },
  'Query.workflows': { path: 'workflows', statements: 5 },
  'Queue.jobs': { path: 'projects.queues.jobs', statements: 5 },
  'Queue.counts': { path: 'queues.counts', statements: 2 },
  'Queue.labels': { path: 'queues.labels', statements: 1 },
  'Queue.permissions': { path: 'queues.permissions', statements: 2, as: 'administrator' },
  'Queue.resourceLimitsByPriorityClass': { path: 'queues.resourceLimitsByPriorityClass', statements: 1 },
  'QueueInfo.activeJobSets': { path: 'queueInfo.activeJobSets', statements: 3 },
  'QueuePermission.subjects': { path: 'queues.permissions.subjects', statements: 2, as: 'administrator' },
  'PoolResourceFractions.fractions': {
    path: 'queues.resourceLimitsByPriorityClass.maximumResourceFractionByPool.fractions',
    statements: 1,
  },
  'QueueResourceLimit.maximumResourceFraction': {
    path: 'queues.resourceLimitsByPriorityClass.maximumResourceFraction',
    statements: 1,
  },
  'QueueResourceLimit.maximumResourceFractionByPool': {
    path: 'queues.resourceLimitsByPriorityClass.maximumResourceFractionByPool',
    statements: 1,
  },
  'RetryPolicy.rules': { path: 'retryPolicies.rules', statements: 1 },
  'RegisteredModel.aliases': { path: 'registeredModels.aliases', statements: 2 },
  'RegisteredModel.tags': { path: 'registeredModels.tags', statements: 1 },
  'RegisteredModel.versions': { path: 'registeredModels.versions', statements: 3 },
  'Run.tags': { path: 'runs.tags', statements: 1 },
  'SecurityContext.secrets': { path: `${config}.securityContext.secrets`, statements: 1 },
  'SecurityContext.tokens': { path: `${config}.securityContext.tokens`, statements: 1 },
  'TaskExecution.childNodeExecutions': {
    path: `${attempts}.childNodeExecutions`,
    statements: isPlanned ? 6 : 7,
  },
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
  'Workflow.executions': { path: 'workflows.executions', statements: 5 },
  'WorkflowExecutionConfig.annotations': { path: `${config}.annotations`, statements: 1 },
  'WorkflowExecutionConfig.envs': { path: `${config}.envs`, statements: 1 },
  'WorkflowExecutionConfig.executionEnvAssignments': {
    path: `${config}.executionEnvAssignments`,
    statements: 1,
  },
  'WorkflowExecutionConfig.labels': { path: `${config}.labels`, statements: 1 },
  'Workflow.launchPlans': { path: 'workflows.launchPlans', statements: 7 },
};

/**
 * Lists that cannot be reached from pages of other lists. Each has its own test: `nodes` in test/api/node.test.ts, the
 * kinds of attributes in test/attributes/matchable-attributes.test.ts, `differences` in
 * test/registry/version-difference.test.ts, `entities` in test/registry/promote-launch-plan.test.ts, plans of
 * recoveries and results of terminations in test/executions, of deletions and policies in test/retention, about queues in
 * test/jobs/update-queue.test.ts, of
 * mutations of jobs in test/jobs, of keys in test/key-sets, the others below.
 */
const others = [
  'JsonWebKeySet.keys',
  'DifferentStructureError.differences',
  'VersionDifference.differences',
  'ClusterResourceAttributes.attributes',
  'PluginOverrides.overrides',
  'InvalidArgumentError.problems',
  'LeaseJobsPayload.runs',
  'LeasedRun.inputBlobs',
  'Query.nodes',
  'AccessExplanation.steps',
  'JobExplanation.obstacles',
  'PromoteLaunchPlanPayload.entities',
  'RecoveryPlan.nodes',
  'TerminateExecutionsPayload.results',
  'DeleteExecutionsPayload.results',
  'Query.retentionReport',
  'Retention.rules',
  'RetentionRule.labels',
  'CreateQueuesPayload.results',
  'UpdateQueuesPayload.results',
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
  runs: () => `filter: { experimentIds: ${JSON.stringify(many.made.experiments)} }`,
  permissions: () => `resource: { project: { identifier: "${project}" } }`,
  grantees: () => 'resource: { tenant: true }, prefix: "team-", first: $first',
  jobSetEvents: () =>
    `queue: { name: "${project}/${domain}" }, jobSet: "${many.made.executions[0]}", first: $first`,
  groups: () => 'filter: { namePrefix: "team-" }',
  users: () => 'filter: { usernamePrefix: "user-" }',
  queueInfo: () => 'by: { name: "a-queue-0" }',
};

let app: LocalApp;
let many: Many;

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
  const { result, statements } = await statementsInRounds(() => app.ask(document, variables, authorization));
  expect(result.errors).toBeUndefined();
  return { statements, objects: objectsOf(result.data, type) };
}

beforeAll(async () => {
  app = await startApp();
  many = await seedMany(app);
});
afterAll(() => app.stop());

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
      const authorization = many.authorizations[entry.as ?? 'reader'];
      const one = await costOf(node, document, { first: 1 }, authorization);
      const several = await costOf(node, document, { first: MANY }, authorization);
      expect(one.objects).toBeGreaterThan(0);
      expect(several.objects).toBeGreaterThanOrEqual(MANY);
      expect(several.statements).toHaveLength(entry.statements);
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

  it('JobExplanation.obstacles takes no further statement', async () => {
    const nodes = ['a', 'b'].map((name) => ({
      name,
      allocatable: { cpu: '2' },
      unschedulable: name === 'a',
    }));
    const beat = { executor: 'explained', pool: 'explained', nodes, knownRuns: [], maxJobs: 1, wait: 'PT0S' };
    await mutate(app, 'leaseJobs', beat, 'leaseExpiresAt', app.executor);
    const jobs = [{ pool: 'explained', container: { image: 'x', command: ['true'] } }];
    const answer = await mutate(
      app,
      'submitJobs',
      { queue: 'a-queue-0', jobSet: 'explained', jobs },
      'results { job { id } }',
    );
    const costs = [];
    for (const selection of ['verdict', 'verdict obstacles { __typename kind nodes text }']) {
      const document = `{ explainJob(by: { id: "${answer.results[0].job.id}" }) { ${selection} } }`;
      const { objects, statements } = await costOf('NodeObstacle', document, {}, app.admin);
      costs.push({ statements: statements.length, objects });
    }
    expect(costs[1]).toEqual({ statements: costs[0]?.statements, objects: 2 });
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
          await launch(app, project, 'flow-0', { maxParallelism: 1, inputs: { x: many.files.x.uri } }),
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

import type { MatchableResource } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { entriesOf, KeyValueType } from '../../graphql/key-values.ts';
import type {
  ClusterAssignment,
  ClusterResourceAttributes,
  ExecutionClusterLabel,
  ExecutionEnvAssignment,
  ExecutionEnvironment,
  ExecutionQueueAttributes,
  MatchingAttributes,
  MissingPluginBehavior,
  Payloads,
  PluginOverride,
  PluginOverrides,
  QualityOfService,
  QualityOfServiceTier,
  RunAs,
  SecretReference,
  SecurityContext,
  TaskResourceAttributes,
  TaskResourceSpec,
  WorkflowExecutionConfig,
} from '../domain/payloads.ts';
import * as texts from './payload-texts.ts';

export const MatchableResourceEnum = enumOf<MatchableResource>(
  'MatchableResource',
  'What attributes configure. Each scope has at most one record of each kind.',
  {
    TASK_RESOURCE: 'The default resources of containers, and their limits.',
    CLUSTER_RESOURCE: 'The values of the templates from which cluster objects are created.',
    EXECUTION_QUEUE: 'The tags that choose the queue of an execution.',
    EXECUTION_CLUSTER_LABEL: 'The label that chooses the cluster of an execution.',
    QUALITY_OF_SERVICE_SPECIFICATION: 'How long an execution may wait in its queue.',
    PLUGIN_OVERRIDE: 'The plugins that run a type of task.',
    WORKFLOW_EXECUTION_CONFIG: 'The configuration of executions, such as labels and the maximum parallelism.',
    CLUSTER_ASSIGNMENT: 'The pool of clusters in which executions run.',
  },
);

export const QualityOfServiceTierEnum = enumOf<QualityOfServiceTier>(
  'QualityOfServiceTier',
  'A named queueing budget. The configuration of the server says how long each one is.',
  {
    HIGH: 'The shortest wait.',
    MEDIUM: 'A wait of middle length.',
    LOW: 'The longest wait.',
  },
);

export const MissingPluginBehaviorEnum = enumOf<MissingPluginBehavior>(
  'MissingPluginBehavior',
  'What happens if the engine has none of the plugins of an override.',
  {
    FAIL: 'The task fails.',
    USE_DEFAULT: 'The task runs with the default plugin of its type.',
  },
);

export const SecretMountRequirementEnum = enumOf<SecretReference['mountRequirement']>(
  'SecretMountRequirement',
  'How a task gets a secret.',
  {
    ANY: 'In the way that the engine chooses.',
    ENV_VAR: 'As an environment variable.',
    FILE: 'As a file.',
  },
);

const TaskResourceSpecType = builder.objectRef<TaskResourceSpec>('TaskResourceSpec').implement({
  description: texts.taskResourceSpec.description,
  fields: (t) => {
    const amountOf = (name: keyof TaskResourceSpec) =>
      t.exposeString(name, {
        nullable: true,
        description: `${texts.taskResourceSpec[name]} Null if not set.`,
      });
    return {
      cpu: amountOf('cpu'),
      gpu: amountOf('gpu'),
      memory: amountOf('memory'),
      storage: amountOf('storage'),
      ephemeralStorage: amountOf('ephemeralStorage'),
    };
  },
});

const TaskResourceType = builder.objectRef<TaskResourceAttributes>('TaskResourceAttributes').implement({
  description: texts.taskResource.description,
  fields: (t) => ({
    defaults: t.expose('defaults', {
      type: TaskResourceSpecType,
      nullable: true,
      description: texts.taskResource.defaults,
    }),
    limits: t.expose('limits', {
      type: TaskResourceSpecType,
      nullable: true,
      description: texts.taskResource.limits,
    }),
  }),
});

const ClusterResourceType = builder
  .objectRef<ClusterResourceAttributes>('ClusterResourceAttributes')
  .implement({
    description: texts.clusterResource.description,
    fields: (t) => ({
      attributes: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: texts.clusterResource.attributes,
        resolve: ({ attributes }) => entriesOf(attributes),
      }),
    }),
  });

const ExecutionQueueType = builder.objectRef<ExecutionQueueAttributes>('ExecutionQueueAttributes').implement({
  description: texts.executionQueue.description,
  fields: (t) => ({
    tags: t.stringList({
      description: texts.executionQueue.tags,
      resolve: ({ tags }) => [...tags],
    }),
  }),
});

const ExecutionClusterLabelType = builder
  .objectRef<ExecutionClusterLabel>('ExecutionClusterLabel')
  .implement({
    description: texts.executionClusterLabel.description,
    fields: (t) => ({
      value: t.exposeString('value', { description: texts.executionClusterLabel.value }),
    }),
  });

const QualityOfServiceType = builder.objectRef<QualityOfService>('QualityOfService').implement({
  description: texts.qualityOfService.description,
  fields: (t) => ({
    tier: t.expose('tier', {
      type: QualityOfServiceTierEnum,
      nullable: true,
      description: `${texts.qualityOfService.tier} Null if the budget is given directly.`,
    }),
    queueingBudget: t.expose('queueingBudgetMilliseconds', {
      type: 'Duration',
      nullable: true,
      description: `${texts.qualityOfService.queueingBudget} Null if a tier names it.`,
    }),
  }),
});

const PluginOverrideType = builder.objectRef<PluginOverride>('PluginOverride').implement({
  description: texts.pluginOverride.description,
  fields: (t) => ({
    taskType: t.exposeString('taskType', { description: texts.pluginOverride.taskType }),
    pluginIds: t.stringList({
      description: texts.pluginOverride.pluginIds,
      resolve: ({ pluginIds }) => [...pluginIds],
    }),
    missingPluginBehavior: t.expose('missingPluginBehavior', {
      type: MissingPluginBehaviorEnum,
      description: texts.pluginOverride.missingPluginBehavior,
    }),
  }),
});

const PluginOverridesType = builder.objectRef<PluginOverrides>('PluginOverrides').implement({
  description: texts.pluginOverrides.description,
  fields: (t) => ({
    overrides: t.field({
      type: [PluginOverrideType],
      extensions: { listSize: 5 },
      description: texts.pluginOverrides.overrides,
      resolve: ({ overrides }) => [...overrides],
    }),
  }),
});

const RunAsType = builder.objectRef<RunAs>('RunAs').implement({
  description: texts.runAs.description,
  fields: (t) => ({
    iamRole: t.exposeString('iamRole', { nullable: true, description: texts.runAs.iamRole }),
    k8sServiceAccount: t.exposeString('k8sServiceAccount', {
      nullable: true,
      description: texts.runAs.k8sServiceAccount,
    }),
    executionIdentity: t.exposeString('executionIdentity', {
      nullable: true,
      description: texts.runAs.executionIdentity,
    }),
  }),
});

const SecretReferenceType = builder.objectRef<SecretReference>('SecretReference').implement({
  description: texts.secretReference.description,
  fields: (t) => ({
    group: t.exposeString('group', { description: texts.secretReference.group }),
    groupVersion: t.exposeString('groupVersion', {
      nullable: true,
      description: texts.secretReference.groupVersion,
    }),
    key: t.exposeString('key', { nullable: true, description: texts.secretReference.key }),
    mountRequirement: t.expose('mountRequirement', {
      type: SecretMountRequirementEnum,
      description: texts.secretReference.mountRequirement,
    }),
  }),
});

export const SecurityContextType = builder.objectRef<SecurityContext>('SecurityContext').implement({
  description: texts.securityContext.description,
  fields: (t) => ({
    runAs: t.expose('runAs', {
      type: RunAsType,
      nullable: true,
      description: `${texts.securityContext.runAs} Null if not set.`,
    }),
    secrets: t.field({
      type: [SecretReferenceType],
      extensions: { listSize: 5 },
      description: texts.securityContext.secrets,
      resolve: ({ secrets = [] }) => [...secrets],
    }),
  }),
});

const RawOutputDataConfigType = builder
  .objectRef<NonNullable<WorkflowExecutionConfig['rawOutputDataConfig']>>('RawOutputDataConfig')
  .implement({
    description: texts.rawOutputDataConfig.description,
    fields: (t) => ({
      outputLocationPrefix: t.exposeString('outputLocationPrefix', {
        description: texts.rawOutputDataConfig.outputLocationPrefix,
      }),
    }),
  });

const ExecutionEnvironmentType = builder.objectRef<ExecutionEnvironment>('ExecutionEnvironment').implement({
  description: texts.executionEnvironment.description,
  fields: (t) => ({
    name: t.exposeString('name', { description: texts.executionEnvironment.name }),
    type: t.exposeString('type', { description: texts.executionEnvironment.type }),
    version: t.exposeString('version', {
      nullable: true,
      description: `${texts.executionEnvironment.version} Null if not set.`,
    }),
    extant: t.expose('extant', {
      type: 'JSON',
      nullable: true,
      description: `${texts.executionEnvironment.extant} Null if \`spec\` is set.`,
    }),
    spec: t.expose('spec', {
      type: 'JSON',
      nullable: true,
      description: `${texts.executionEnvironment.spec} Null if \`extant\` is set.`,
    }),
  }),
});

const ExecutionEnvAssignmentType = builder
  .objectRef<ExecutionEnvAssignment>('ExecutionEnvAssignment')
  .implement({
    description: texts.executionEnvAssignment.description,
    fields: (t) => ({
      nodeIds: t.stringList({
        description: texts.executionEnvAssignment.nodeIds,
        resolve: ({ nodeIds }) => [...nodeIds],
      }),
      taskType: t.exposeString('taskType', { description: texts.executionEnvAssignment.taskType }),
      executionEnv: t.expose('executionEnv', {
        type: ExecutionEnvironmentType,
        description: texts.executionEnvAssignment.executionEnv,
      }),
    }),
  });

const WorkflowExecutionConfigType = builder
  .objectRef<WorkflowExecutionConfig>('WorkflowExecutionConfig')
  .implement({
    description: texts.workflowExecutionConfig.description,
    fields: (t) => ({
      maxParallelism: t.exposeInt('maxParallelism', {
        nullable: true,
        description: `${texts.workflowExecutionConfig.maxParallelism} Null if not set.`,
      }),
      securityContext: t.expose('securityContext', {
        type: SecurityContextType,
        nullable: true,
        description: `${texts.workflowExecutionConfig.securityContext} Null if not set.`,
      }),
      rawOutputDataConfig: t.expose('rawOutputDataConfig', {
        type: RawOutputDataConfigType,
        nullable: true,
        description: `${texts.workflowExecutionConfig.rawOutputDataConfig} Null if not set.`,
      }),
      labels: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: texts.workflowExecutionConfig.labels,
        resolve: ({ labels = {} }) => entriesOf(labels),
      }),
      annotations: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: texts.workflowExecutionConfig.annotations,
        resolve: ({ annotations = {} }) => entriesOf(annotations),
      }),
      interruptible: t.exposeBoolean('interruptible', {
        nullable: true,
        description: `${texts.workflowExecutionConfig.interruptible} Null if not set, which is not the same as false.`,
      }),
      overwriteCache: t.exposeBoolean('overwriteCache', {
        nullable: true,
        description: `${texts.workflowExecutionConfig.overwriteCache} Null if not set.`,
      }),
      envs: t.field({
        type: [KeyValueType],
        extensions: { listSize: 5 },
        description: texts.workflowExecutionConfig.envs,
        resolve: ({ envs = {} }) => entriesOf(envs),
      }),
      executionEnvAssignments: t.field({
        type: [ExecutionEnvAssignmentType],
        extensions: { listSize: 5 },
        description: texts.workflowExecutionConfig.executionEnvAssignments,
        resolve: ({ executionEnvAssignments = [] }) => [...executionEnvAssignments],
      }),
    }),
  });

const ClusterAssignmentType = builder.objectRef<ClusterAssignment>('ClusterAssignment').implement({
  description: texts.clusterAssignment.description,
  fields: (t) => ({
    clusterPoolName: t.exposeString('clusterPoolName', {
      description: texts.clusterAssignment.clusterPoolName,
    }),
  }),
});

/** The payload, if it is of this kind. */
const payloadOf =
  <Type extends MatchableResource>(resourceType: Type) =>
  (attributes: MatchingAttributes): Payloads[Type] | null =>
    attributes.resourceType === resourceType ? (attributes.payload as Payloads[Type]) : null;

export const MatchingAttributesType = builder.objectRef<MatchingAttributes>('MatchingAttributes').implement({
  description: 'What a record says. Exactly one of the fields is not null: the one of its `resourceType`.',
  fields: (t) => ({
    taskResource: t.field({
      type: TaskResourceType,
      nullable: true,
      description: texts.taskResource.description,
      resolve: payloadOf('TASK_RESOURCE'),
    }),
    clusterResource: t.field({
      type: ClusterResourceType,
      nullable: true,
      description: texts.clusterResource.description,
      resolve: payloadOf('CLUSTER_RESOURCE'),
    }),
    executionQueue: t.field({
      type: ExecutionQueueType,
      nullable: true,
      description: texts.executionQueue.description,
      resolve: payloadOf('EXECUTION_QUEUE'),
    }),
    executionClusterLabel: t.field({
      type: ExecutionClusterLabelType,
      nullable: true,
      description: texts.executionClusterLabel.description,
      resolve: payloadOf('EXECUTION_CLUSTER_LABEL'),
    }),
    qualityOfService: t.field({
      type: QualityOfServiceType,
      nullable: true,
      description: texts.qualityOfService.description,
      resolve: payloadOf('QUALITY_OF_SERVICE_SPECIFICATION'),
    }),
    pluginOverride: t.field({
      type: PluginOverridesType,
      nullable: true,
      description: texts.pluginOverrides.description,
      resolve: payloadOf('PLUGIN_OVERRIDE'),
    }),
    workflowExecutionConfig: t.field({
      type: WorkflowExecutionConfigType,
      nullable: true,
      description: texts.workflowExecutionConfig.description,
      resolve: payloadOf('WORKFLOW_EXECUTION_CONFIG'),
    }),
    clusterAssignment: t.field({
      type: ClusterAssignmentType,
      nullable: true,
      description: texts.clusterAssignment.description,
      resolve: payloadOf('CLUSTER_ASSIGNMENT'),
    }),
  }),
});

import { builder } from '../../graphql/builder.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import {
  type ExecutionEnvAssignment,
  type MatchingAttributes,
  type Payloads,
  payloadFields,
} from '../domain/payloads.ts';
import * as texts from './payload-texts.ts';
import {
  MissingPluginBehaviorEnum,
  QualityOfServiceTierEnum,
  SecretMountRequirementEnum,
} from './payload-types.ts';

const TaskResourceSpecInput = builder.inputType('TaskResourceSpecInput', {
  description: texts.taskResourceSpec.description,
  fields: (t) => ({
    cpu: t.string({ description: texts.taskResourceSpec.cpu }),
    gpu: t.string({ description: texts.taskResourceSpec.gpu }),
    memory: t.string({ description: texts.taskResourceSpec.memory }),
    storage: t.string({ description: texts.taskResourceSpec.storage }),
    ephemeralStorage: t.string({ description: texts.taskResourceSpec.ephemeralStorage }),
  }),
});

const TaskResourceInput = builder.inputType('TaskResourceAttributesInput', {
  description: `${texts.taskResource.description} Give at least one amount.`,
  fields: (t) => ({
    defaults: t.field({ type: TaskResourceSpecInput, description: texts.taskResource.defaults }),
    limits: t.field({ type: TaskResourceSpecInput, description: texts.taskResource.limits }),
  }),
});

const ClusterResourceInput = builder.inputType('ClusterResourceAttributesInput', {
  description: texts.clusterResource.description,
  fields: (t) => ({
    attributes: t.field({
      type: [KeyValueInput],
      required: true,
      description: texts.clusterResource.attributes,
    }),
  }),
});

const ExecutionQueueInput = builder.inputType('ExecutionQueueAttributesInput', {
  description: texts.executionQueue.description,
  fields: (t) => ({
    tags: t.stringList({ required: true, description: texts.executionQueue.tags }),
  }),
});

const ExecutionClusterLabelInput = builder.inputType('ExecutionClusterLabelInput', {
  description: texts.executionClusterLabel.description,
  fields: (t) => ({
    value: t.string({ required: true, description: texts.executionClusterLabel.value }),
  }),
});

const QualityOfServiceInput = builder.inputType('QualityOfServiceInput', {
  description: texts.qualityOfService.description,
  isOneOf: true,
  fields: (t) => ({
    tier: t.field({ type: QualityOfServiceTierEnum, description: texts.qualityOfService.tier }),
    queueingBudget: t.field({ type: 'Duration', description: texts.qualityOfService.queueingBudget }),
  }),
});

const PluginOverrideInput = builder.inputType('PluginOverrideInput', {
  description: texts.pluginOverride.description,
  fields: (t) => ({
    taskType: t.string({ required: true, description: texts.pluginOverride.taskType }),
    pluginIds: t.stringList({ required: true, description: texts.pluginOverride.pluginIds }),
    missingPluginBehavior: t.field({
      type: MissingPluginBehaviorEnum,
      defaultValue: 'FAIL',
      description: texts.pluginOverride.missingPluginBehavior,
    }),
  }),
});

const PluginOverridesInput = builder.inputType('PluginOverridesInput', {
  description: texts.pluginOverrides.description,
  fields: (t) => ({
    overrides: t.field({
      type: [PluginOverrideInput],
      required: true,
      description:
        'The overrides, at most one for each type of task. Stored overrides of other types of tasks stay; there can be at most 100 together.',
    }),
  }),
});

const RunAsInput = builder.inputType('RunAsInput', {
  description: texts.runAs.description,
  fields: (t) => ({
    iamRole: t.string({ description: texts.runAs.iamRole }),
    k8sServiceAccount: t.string({ description: texts.runAs.k8sServiceAccount }),
    executionIdentity: t.string({ description: texts.runAs.executionIdentity }),
  }),
});

const SecretReferenceInput = builder.inputType('SecretReferenceInput', {
  description: texts.secretReference.description,
  fields: (t) => ({
    group: t.string({ required: true, description: texts.secretReference.group }),
    groupVersion: t.string({ description: texts.secretReference.groupVersion }),
    key: t.string({ description: texts.secretReference.key }),
    mountRequirement: t.field({
      type: SecretMountRequirementEnum,
      defaultValue: 'ANY',
      description: texts.secretReference.mountRequirement,
    }),
  }),
});

export const SecurityContextInput = builder.inputType('SecurityContextInput', {
  description: `${texts.securityContext.description} Give at least one identity or secret.`,
  fields: (t) => ({
    runAs: t.field({ type: RunAsInput, description: texts.securityContext.runAs }),
    secrets: t.field({ type: [SecretReferenceInput], description: texts.securityContext.secrets }),
  }),
});

const RawOutputDataConfigInput = builder.inputType('RawOutputDataConfigInput', {
  description: texts.rawOutputDataConfig.description,
  fields: (t) => ({
    outputLocationPrefix: t.string({
      required: true,
      description: texts.rawOutputDataConfig.outputLocationPrefix,
    }),
  }),
});

const ExecutionEnvironmentInput = builder.inputType('ExecutionEnvironmentInput', {
  description: `${texts.executionEnvironment.description} Give either \`extant\` or \`spec\`.`,
  fields: (t) => ({
    name: t.string({ required: true, description: texts.executionEnvironment.name }),
    type: t.string({ required: true, description: texts.executionEnvironment.type }),
    version: t.string({ description: texts.executionEnvironment.version }),
    extant: t.field({
      type: 'JSON',
      description: `${texts.executionEnvironment.extant} An object of at most 64 KiB.`,
    }),
    spec: t.field({
      type: 'JSON',
      description: `${texts.executionEnvironment.spec} An object of at most 64 KiB.`,
    }),
  }),
});

const ExecutionEnvAssignmentInput = builder.inputType('ExecutionEnvAssignmentInput', {
  description: texts.executionEnvAssignment.description,
  fields: (t) => ({
    nodeIds: t.stringList({ required: true, description: texts.executionEnvAssignment.nodeIds }),
    taskType: t.string({ required: true, description: texts.executionEnvAssignment.taskType }),
    executionEnv: t.field({
      type: ExecutionEnvironmentInput,
      required: true,
      description: texts.executionEnvAssignment.executionEnv,
    }),
  }),
});

const WorkflowExecutionConfigInput = builder.inputType('WorkflowExecutionConfigInput', {
  description: `${texts.workflowExecutionConfig.description} Give at least one field.`,
  fields: (t) => ({
    maxParallelism: t.int({ description: texts.workflowExecutionConfig.maxParallelism }),
    securityContext: t.field({
      type: SecurityContextInput,
      description: texts.workflowExecutionConfig.securityContext,
    }),
    rawOutputDataConfig: t.field({
      type: RawOutputDataConfigInput,
      description: texts.workflowExecutionConfig.rawOutputDataConfig,
    }),
    labels: t.field({ type: [KeyValueInput], description: texts.workflowExecutionConfig.labels }),
    annotations: t.field({ type: [KeyValueInput], description: texts.workflowExecutionConfig.annotations }),
    interruptible: t.boolean({ description: texts.workflowExecutionConfig.interruptible }),
    overwriteCache: t.boolean({ description: texts.workflowExecutionConfig.overwriteCache }),
    envs: t.field({ type: [KeyValueInput], description: texts.workflowExecutionConfig.envs }),
    executionEnvAssignments: t.field({
      type: [ExecutionEnvAssignmentInput],
      description: texts.workflowExecutionConfig.executionEnvAssignments,
    }),
  }),
});

const ClusterAssignmentInput = builder.inputType('ClusterAssignmentInput', {
  description: texts.clusterAssignment.description,
  fields: (t) => ({
    clusterPoolName: t.string({ required: true, description: texts.clusterAssignment.clusterPoolName }),
  }),
});

export const MatchingAttributesInput = builder.inputType('MatchingAttributesInput', {
  description: 'What a record says. The field that you give determines its `resourceType`.',
  isOneOf: true,
  fields: (t) => ({
    taskResource: t.field({ type: TaskResourceInput, description: texts.taskResource.description }),
    clusterResource: t.field({ type: ClusterResourceInput, description: texts.clusterResource.description }),
    executionQueue: t.field({ type: ExecutionQueueInput, description: texts.executionQueue.description }),
    executionClusterLabel: t.field({
      type: ExecutionClusterLabelInput,
      description: texts.executionClusterLabel.description,
    }),
    qualityOfService: t.field({
      type: QualityOfServiceInput,
      description: texts.qualityOfService.description,
    }),
    pluginOverride: t.field({ type: PluginOverridesInput, description: texts.pluginOverrides.description }),
    workflowExecutionConfig: t.field({
      type: WorkflowExecutionConfigInput,
      description: texts.workflowExecutionConfig.description,
    }),
    clusterAssignment: t.field({
      type: ClusterAssignmentInput,
      description: texts.clusterAssignment.description,
    }),
  }),
});

type Input = typeof MatchingAttributesInput.$inferInput;
type Given<Field extends keyof Input> = NonNullable<Input[Field]>;

/** Where a payload stands in the input of a mutation. */
const pathOf = (resourceType: keyof Payloads, ...rest: readonly string[]) => [
  ...['input', 'attributes', payloadFields[resourceType]],
  ...rest,
];

/** The payload in its stored form. @throws InvalidArgumentError if a map has a key twice. */
export function attributesOf(given: Input): MatchingAttributes {
  if (given.taskResource)
    return { resourceType: 'TASK_RESOURCE', payload: taskResourceOf(given.taskResource) };
  if (given.clusterResource) {
    const path = pathOf('CLUSTER_RESOURCE', 'attributes');
    const attributes = mapOf(given.clusterResource.attributes, path);
    return { resourceType: 'CLUSTER_RESOURCE', payload: { attributes } };
  }
  if (given.executionQueue) return { resourceType: 'EXECUTION_QUEUE', payload: given.executionQueue };
  if (given.executionClusterLabel)
    return { resourceType: 'EXECUTION_CLUSTER_LABEL', payload: given.executionClusterLabel };
  if (given.qualityOfService) {
    const { tier, queueingBudget } = given.qualityOfService;
    const payload = withoutNulls({ tier, queueingBudgetMilliseconds: queueingBudget });
    return { resourceType: 'QUALITY_OF_SERVICE_SPECIFICATION', payload };
  }
  if (given.pluginOverride) {
    const overrides = given.pluginOverride.overrides.map((override) => ({
      ...override,
      missingPluginBehavior: override.missingPluginBehavior ?? 'FAIL',
    }));
    return { resourceType: 'PLUGIN_OVERRIDE', payload: { overrides } };
  }
  if (given.workflowExecutionConfig)
    return {
      resourceType: 'WORKFLOW_EXECUTION_CONFIG',
      payload: executionConfigOf(given.workflowExecutionConfig),
    };
  if (given.clusterAssignment)
    return { resourceType: 'CLUSTER_ASSIGNMENT', payload: given.clusterAssignment };
  throw new Error('GraphQL let an input without exactly one field through');
}

function taskResourceOf({ defaults, limits }: Given<'taskResource'>): Payloads['TASK_RESOURCE'] {
  return withoutNulls({
    defaults: defaults && withoutNulls(defaults),
    limits: limits && withoutNulls(limits),
  });
}

function executionConfigOf(given: Given<'workflowExecutionConfig'>): Payloads['WORKFLOW_EXECUTION_CONFIG'] {
  const { labels, annotations, envs, securityContext, executionEnvAssignments, ...others } = given;
  // A list or map without entries says nothing, so it is not stored.
  const map = (field: string, entries: typeof labels) =>
    entries?.length ? mapOf(entries, pathOf('WORKFLOW_EXECUTION_CONFIG', field)) : null;
  return withoutNulls({
    ...others,
    securityContext: securityContext && securityContextOf(securityContext),
    labels: map('labels', labels),
    annotations: map('annotations', annotations),
    envs: map('envs', envs),
    executionEnvAssignments: executionEnvAssignments?.length
      ? executionEnvAssignments.map(assignmentOf)
      : null,
  });
}

function securityContextOf({
  runAs,
  secrets,
}: NonNullable<Given<'workflowExecutionConfig'>['securityContext']>) {
  return withoutNulls({
    runAs: runAs && withoutNulls(runAs),
    secrets: secrets?.map(({ group, mountRequirement, ...others }) => ({
      group,
      mountRequirement: mountRequirement ?? ('ANY' as const),
      ...withoutNulls(others),
    })),
  });
}

function assignmentOf(
  { executionEnv, ...assignment }: typeof ExecutionEnvAssignmentInput.$inferInput,
  at: number,
): ExecutionEnvAssignment {
  const { name, type, version, extant, spec } = executionEnv;
  const path = pathOf('WORKFLOW_EXECUTION_CONFIG', 'executionEnvAssignments', String(at), 'executionEnv');
  const parts = withoutNulls({
    version,
    extant: objectOrNull(extant, [...path, 'extant']),
    spec: objectOrNull(spec, [...path, 'spec']),
  });
  return { ...assignment, executionEnv: { name, type, ...parts } };
}

/** @throws InvalidArgumentError if the value is not an object. */
function objectOrNull(value: unknown, path: readonly string[]): object | null {
  if (value === null || value === undefined) return null;
  if (!isRecord(value)) throw InvalidArgumentError.of(path, 'must be an object');
  return value;
}

type WithoutNulls<T> = { [Key in keyof T]?: NonNullable<T[Key]> };

/** A field that is null is stored like a field that is left out. */
function withoutNulls<T extends object>(given: T): WithoutNulls<T> {
  const entries = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as WithoutNulls<T>;
}

import { builder } from '../../graphql/builder.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import {
  type MatchingAttributes,
  type Payloads,
  payloadFields,
  type QualityOfService,
} from '../domain/payloads.ts';
import { executionConfigInputs, executionConfigOf } from './execution-config.ts';
import * as texts from './payload-texts.ts';
import { MissingPluginBehaviorEnum, QualityOfServiceTierEnum } from './payload-types.ts';
import { withoutNulls } from './without-nulls.ts';

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

export const ExecutionClusterLabelInput = builder.inputType('ExecutionClusterLabelInput', {
  description: texts.executionClusterLabel.description,
  fields: (t) => ({
    value: t.string({ required: true, description: texts.executionClusterLabel.value }),
  }),
});

export const QualityOfServiceInput = builder.inputType('QualityOfServiceInput', {
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

const WorkflowExecutionConfigInput = builder.inputType('WorkflowExecutionConfigInput', {
  description: `${texts.workflowExecutionConfig.description} Give at least one field.`,
  fields: (t) => ({
    maxParallelism: t.int({ description: texts.workflowExecutionConfig.maxParallelism }),
    ...executionConfigInputs(t),
  }),
});

export const ClusterAssignmentInput = builder.inputType('ClusterAssignmentInput', {
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
    const payload = qualityOfServiceOf(given.qualityOfService);
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
      payload: executionConfigOf(given.workflowExecutionConfig, pathOf('WORKFLOW_EXECUTION_CONFIG')),
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

/** The stored form of a quality of service. */
export const qualityOfServiceOf = ({
  tier,
  queueingBudget,
}: typeof QualityOfServiceInput.$inferInput): QualityOfService =>
  withoutNulls({ tier, queueingBudgetMilliseconds: queueingBudget });

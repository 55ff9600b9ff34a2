import {
  type ExecutionConfigInput,
  executionConfigFields,
  executionConfigInputs,
  executionConfigOf,
} from '../../attributes/graphql/execution-config.ts';
import {
  ClusterAssignmentInput,
  ExecutionClusterLabelInput,
  QualityOfServiceInput,
  qualityOfServiceOf,
} from '../../attributes/graphql/payload-inputs.ts';
import * as texts from '../../attributes/graphql/payload-texts.ts';
import {
  ClusterAssignmentType,
  ExecutionClusterLabelType,
  QualityOfServiceType,
} from '../../attributes/graphql/payload-types.ts';
import type { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import type { ExecutionSettings, ExecutionSpec } from '../domain/execution-spec.ts';
import type { ExecutionRow } from '../store/reads.ts';

type ObjectFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, ExecutionRow>;
type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;

const specOf = async ({ id }: ExecutionRow, { loaders }: Context): Promise<ExecutionSpec> =>
  (await loaders.executionSpec.load(id))?.spec ?? {};

/** With the identity that the execution has if nothing gives it another one: the user who created it. */
async function shownSpecOf(execution: ExecutionRow, context: Context): Promise<ExecutionSpec> {
  const { securityContext, ...spec } = await specOf(execution, context);
  const runAs = { executionIdentity: execution.principalId, ...securityContext?.runAs };
  return { ...spec, securityContext: { ...securityContext, runAs } };
}

/** The settings after they were resolved, as fields of an execution. */
export const executionSettingFields = (t: ObjectFields) => ({
  ...executionConfigFields(t, shownSpecOf),
  maxParallelism: t.exposeInt('maxParallelism', {
    description: `${texts.workflowExecutionConfig.parallelism} 0 means no limit. An execution that a node starts has the limit of its parent, or that of its launch plan if this is smaller.`,
  }),
  interruptible: t.exposeBoolean('interruptible', {
    nullable: true,
    description: `${texts.workflowExecutionConfig.interruptible} Null leaves it to each task.`,
  }),
  overwriteCache: t.exposeBoolean('overwriteCache', {
    description: 'Whether the execution computes everything again and replaces what is cached.',
  }),
  tags: t.stringList({
    description: 'The tags of the execution, as it was asked for.',
    resolve: async (execution, _args, context) => [...((await specOf(execution, context)).tags ?? [])],
  }),
  qualityOfService: t.field({
    type: QualityOfServiceType,
    nullable: true,
    description:
      'The quality of service that the request asked for; null if it left this to the launch plan, the workflow and the attributes. `queueingBudget` is the result.',
    resolve: async (execution, _args, context) => (await specOf(execution, context)).qualityOfService ?? null,
  }),
  queueingBudget: t.field({
    type: 'Duration',
    nullable: true,
    description:
      'How long the execution may wait until its first task begins. After this time it is TIMED_OUT; an engine from outside sees to this itself. Null if there is no limit.',
    resolve: async (execution, _args, context) =>
      (await specOf(execution, context)).queueingBudgetMilliseconds ?? null,
  }),
  timeout: t.field({
    type: 'Duration',
    nullable: true,
    description:
      'How long the execution may take, from its creation. After this time its work is stopped, and it is TIMED_OUT; an engine from outside sees to this itself. Null if there is no limit.',
    resolve: async (execution, _args, context) =>
      (await specOf(execution, context)).timeoutMilliseconds ?? null,
  }),
  clusterAssignment: t.field({
    type: ClusterAssignmentType,
    nullable: true,
    description: `${texts.clusterAssignment.description} Null if none was chosen.`,
    resolve: async (execution, _args, context) =>
      (await specOf(execution, context)).clusterAssignment ?? null,
  }),
  executionClusterLabel: t.field({
    type: ExecutionClusterLabelType,
    nullable: true,
    description: `${texts.executionClusterLabel.description} Null if none was chosen.`,
    resolve: async (execution, _args, context) =>
      (await specOf(execution, context)).executionClusterLabel ?? null,
  }),
});

const attributes =
  'from the attributes of the workflow, domain or project, or from the configuration of the server.';
const resolution = `If left out, it comes from the launch plan, ${attributes}`;

/** The settings as inputs of `createExecution`. */
export const executionSettingInputs = (t: InputFields) => ({
  maxParallelism: t.int({
    description: `${texts.workflowExecutionConfig.parallelism} 0 means no limit. ${resolution} A 0 of a launch plan or of attributes counts as not set.`,
  }),
  ...executionConfigInputs(t),
  timeout: t.field({
    type: 'Duration',
    description:
      'How long the execution may take, from its creation: at most 366 days. After this time its work is stopped, and it is TIMED_OUT. If left out, there is no limit. Executions of its nodes have their own.',
  }),
  tags: t.stringList({ description: 'Tags by which lists can be filtered: at most 100, all different.' }),
  qualityOfService: t.field({
    type: QualityOfServiceInput,
    description: `${texts.qualityOfService.description} If left out, it comes from the launch plan, from the workflow itself, ${attributes}`,
  }),
  clusterAssignment: t.field({
    type: ClusterAssignmentInput,
    description: `${texts.clusterAssignment.description} It must not differ from the pool of the domain. ${resolution}`,
  }),
  executionClusterLabel: t.field({
    type: ExecutionClusterLabelInput,
    description: `${texts.executionClusterLabel.description} If left out, it comes ${attributes}`,
  }),
});

interface ExecutionSettingsInput extends ExecutionConfigInput {
  readonly tags?: readonly string[] | null | undefined;
  /** In milliseconds. */
  readonly timeout?: number | null | undefined;
  readonly qualityOfService?: typeof QualityOfServiceInput.$inferInput | null | undefined;
  readonly clusterAssignment?: typeof ClusterAssignmentInput.$inferInput | null | undefined;
  readonly executionClusterLabel?: typeof ExecutionClusterLabelInput.$inferInput | null | undefined;
}

/** These inputs as settings. @throws InvalidArgumentError if a map has a key twice. */
export function executionSettingsOf(given: ExecutionSettingsInput): ExecutionSettings {
  const { qualityOfService, clusterAssignment, executionClusterLabel, tags, timeout } = given;
  return {
    ...executionConfigOf(given, ['input']),
    ...(tags?.length && { tags }),
    ...(timeout != null && { timeoutMilliseconds: timeout }),
    ...(qualityOfService && { qualityOfService: qualityOfServiceOf(qualityOfService) }),
    ...(clusterAssignment && { clusterAssignment }),
    ...(executionClusterLabel && { executionClusterLabel }),
  };
}

import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import type {
  ExecutionEnvAssignment,
  ExecutionEnvironment,
  WorkflowExecutionConfig,
} from '../domain/payloads.ts';
import * as texts from './payload-texts.ts';
import { SecurityContextInput, SecurityContextType, securityContextOf } from './security-context.ts';
import { withoutNulls } from './without-nulls.ts';

/** What configures executions: records of attributes, launch plans and executions have the same fields. */

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

type ObjectFields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;
type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;

/** The fields of a configuration that are objects or lists. `configOf` reads it. */
export function executionConfigFields<Parent>(
  t: ObjectFields<Parent>,
  configOf: (parent: Parent, context: Context) => WorkflowExecutionConfig | Promise<WorkflowExecutionConfig>,
) {
  const mapField = (name: 'labels' | 'annotations' | 'envs') =>
    t.field({
      type: [KeyValueType],
      extensions: { listSize: 5 },
      description: texts.workflowExecutionConfig[name],
      resolve: async (parent, _args, context) => entriesOf((await configOf(parent, context))[name] ?? {}),
    });
  return {
    securityContext: t.field({
      type: SecurityContextType,
      nullable: true,
      description: `${texts.workflowExecutionConfig.securityContext} Null if not set.`,
      resolve: async (parent, _args, context) => (await configOf(parent, context)).securityContext ?? null,
    }),
    rawOutputDataConfig: t.field({
      type: RawOutputDataConfigType,
      nullable: true,
      description: `${texts.workflowExecutionConfig.rawOutputDataConfig} Null if not set.`,
      resolve: async (parent, _args, context) =>
        (await configOf(parent, context)).rawOutputDataConfig ?? null,
    }),
    labels: mapField('labels'),
    annotations: mapField('annotations'),
    envs: mapField('envs'),
    executionEnvAssignments: t.field({
      type: [ExecutionEnvAssignmentType],
      extensions: { listSize: 5 },
      description: texts.workflowExecutionConfig.executionEnvAssignments,
      resolve: async (parent, _args, context) => [
        ...((await configOf(parent, context)).executionEnvAssignments ?? []),
      ],
    }),
  };
}

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

/** The same fields as inputs, except `maxParallelism`, whose 0 does not mean the same everywhere. */
export const executionConfigInputs = (t: InputFields) => ({
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
});

type Nullable<T> = T | null | undefined;
type Entries = Nullable<readonly { readonly key: string; readonly value: string }[]>;

/** These inputs, as GraphQL gives them. */
export interface ExecutionConfigInput {
  readonly maxParallelism?: Nullable<number>;
  readonly securityContext?: Nullable<typeof SecurityContextInput.$inferInput>;
  readonly rawOutputDataConfig?: Nullable<typeof RawOutputDataConfigInput.$inferInput>;
  readonly labels?: Entries;
  readonly annotations?: Entries;
  readonly interruptible?: Nullable<boolean>;
  readonly overwriteCache?: Nullable<boolean>;
  readonly envs?: Entries;
  readonly executionEnvAssignments?: Nullable<readonly (typeof ExecutionEnvAssignmentInput.$inferInput)[]>;
}

/**
 * The configuration in its stored form.
 *
 * @param path  where the fields stand in the input.
 * @throws InvalidArgumentError if a map has a key twice.
 */
export function executionConfigOf(
  given: ExecutionConfigInput,
  path: readonly string[],
): WorkflowExecutionConfig {
  const { maxParallelism, interruptible, overwriteCache, rawOutputDataConfig } = given;
  const { labels, annotations, envs, securityContext, executionEnvAssignments } = given;
  // A list or map without entries says nothing, so it is not stored.
  const map = (field: string, entries: Entries) =>
    entries?.length ? mapOf(entries, [...path, field]) : null;
  return withoutNulls({
    maxParallelism,
    interruptible,
    overwriteCache,
    rawOutputDataConfig,
    securityContext: securityContext && securityContextOf(securityContext),
    labels: map('labels', labels),
    annotations: map('annotations', annotations),
    envs: map('envs', envs),
    executionEnvAssignments: executionEnvAssignments?.length
      ? executionEnvAssignments.map((one, at) =>
          assignmentOf(one, [...path, 'executionEnvAssignments', String(at)]),
        )
      : null,
  });
}

function assignmentOf(
  { executionEnv, ...assignment }: typeof ExecutionEnvAssignmentInput.$inferInput,
  path: readonly string[],
): ExecutionEnvAssignment {
  const { name, type, version, extant, spec } = executionEnv;
  const parts = withoutNulls({
    version,
    extant: objectOrNull(extant, [...path, 'executionEnv', 'extant']),
    spec: objectOrNull(spec, [...path, 'executionEnv', 'spec']),
  });
  return { ...assignment, executionEnv: { name, type, ...parts } };
}

/** @throws InvalidArgumentError if the value is not an object. */
function objectOrNull(value: unknown, path: readonly string[]): object | null {
  if (value === null || value === undefined) return null;
  if (!isRecord(value)) throw InvalidArgumentError.of(path, 'must be an object');
  return value;
}

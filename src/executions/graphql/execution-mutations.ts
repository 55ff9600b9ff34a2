import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { getProject } from '../../projects/loaders.ts';
import { LaunchPlanByInput } from '../../registry/graphql/entity-key.ts';
import { NotificationInput } from '../../registry/graphql/notification.ts';
import type { VersionBy } from '../../registry/store.ts';
import { createExecution, DEFAULT_MAX_PARALLELISM } from '../commands/create-execution.ts';
import { terminateExecution } from '../commands/terminate-execution.ts';
import type { ExecutionBy } from '../store/reads.ts';
import { ExecutionByInput, ExecutionEngineEnum, ExecutionType } from './execution.ts';

const CreateExecutionInput = builder.inputType('CreateExecutionInput', {
  description: 'An execution to start.',
  fields: (t) => ({
    project: t.string({ required: true, description: 'The identifier of the project that it belongs to.' }),
    domain: t.string({ required: true, description: 'The domain that it runs in, such as `development`.' }),
    name: t.string({
      description:
        'A name that is unique in the project and domain: at most 63 lower-case letters, digits and hyphens, beginning with a letter. If left out, the server chooses a name.',
    }),
    launchPlan: t.field({
      type: LaunchPlanByInput,
      required: true,
      description: 'The version of the launch plan to run. It need not be ACTIVE.',
    }),
    inputs: t.field({
      type: 'JSON',
      description: 'The inputs as plain values, as an object with the name of each input: `{rows: 100}`.',
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description:
        "The inputs as Flyte's literals, as an object with the name of each input. Give each input here or in `inputs`, but not in both.",
    }),
    maxParallelism: t.int({
      defaultValue: DEFAULT_MAX_PARALLELISM,
      description: 'How many nodes may run at the same time; 0 means no limit.',
    }),
    notifications: t.field({
      type: [NotificationInput],
      description:
        'Whom to tell about the end of the execution, at most 20. They take the place of those of the launch plan; an empty list does not.',
    }),
    disableNotifications: t.boolean({
      defaultValue: false,
      description: 'Whether to leave the notifications of the launch plan out, too.',
    }),
    engine: t.field({
      type: ExecutionEngineEnum,
      defaultValue: 'SLIPWAY',
      description: 'What runs the execution. It cannot be changed later.',
    }),
  }),
});

const CreateExecutionPayload = payload('CreateExecutionPayload', 'execution', ExecutionType);
const TerminateExecutionPayload = payload('TerminateExecutionPayload', 'execution', ExecutionType);

const TerminateExecutionInput = builder.inputType('TerminateExecutionInput', {
  description: 'An execution to stop.',
  fields: (t) => ({
    by: t.field({ type: ExecutionByInput, required: true, description: 'Which execution to stop.' }),
    cause: t.string({ required: true, description: 'The reason, at most 500 characters. `abort` shows it.' }),
  }),
});

builder.mutationFields((t) => ({
  createExecution: t.field({
    type: CreateExecutionPayload,
    nullable: true,
    description:
      'Starts an execution of a launch plan. Requires USE on the workflow, and on the project if it is not the project of the launch plan. The execution is QUEUED, and the scheduler starts it at once.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError] },
    args: inputOf(CreateExecutionInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.project, context.loaders);
      const execution = await createExecution(callerOf(context), project, {
        domain: input.domain,
        name: input.name ?? null,
        launchPlan: {
          by: input.launchPlan as VersionBy,
          find: () => context.loaders.launchPlan.load(input.launchPlan as VersionBy),
        },
        inputs: input.inputs,
        inputLiterals: input.inputLiterals,
        maxParallelism: input.maxParallelism ?? null,
        engine: input.engine ?? 'SLIPWAY',
        notifications: input.notifications,
        disableNotifications: input.disableNotifications ?? false,
      });
      return { execution };
    },
  }),
  terminateExecution: t.field({
    type: TerminateExecutionPayload,
    nullable: true,
    description:
      'Aborts an execution. Requires EDIT on its workflow. The execution is ABORTING at once, and ABORTED when its work has stopped.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(TerminateExecutionInput),
    resolve: async (_root, { input }, context) => ({
      execution: await terminateExecution(
        callerOf(context),
        input.by as ExecutionBy,
        input.cause,
        new Date(),
      ),
    }),
  }),
}));

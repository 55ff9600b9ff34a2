import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { NO_ID } from '../../platform/ids.ts';
import { getProject } from '../../projects/loaders.ts';
import { LaunchPlanByInput, TaskByInput } from '../../registry/graphql/entity-key.ts';
import { NotificationInput } from '../../registry/graphql/notification.ts';
import type { VersionBy } from '../../registry/store.ts';
import { createExecution } from '../commands/create-execution.ts';
import { createTaskExecution } from '../commands/create-task-execution.ts';
import { getParentNode, type ParentNode } from '../commands/get-parent-node.ts';
import { recoverExecution } from '../commands/recover-execution.ts';
import { relaunchExecution } from '../commands/relaunch-execution.ts';
import { updateExecution } from '../commands/update-execution.ts';
import { MAX_NESTING } from '../domain/limits.ts';
import type { ExecutionBy, ExecutionRow } from '../store/reads.ts';
import { ExecutionByInput, ExecutionEngineEnum, ExecutionStateEnum, ExecutionType } from './execution.ts';
import { executionSettingInputs, executionSettingsOf } from './execution-settings.ts';
import { loadNodeExecution, type NodeExecutionBy, NodeExecutionByInput } from './node-execution.ts';

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
      description: 'The version of the launch plan to run. It need not be ACTIVE. Give this or `task`.',
    }),
    task: t.field({
      type: TaskByInput,
      description:
        'In place of a launch plan, the version of a task to run by itself. The server makes a workflow around it.',
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
    ...executionSettingInputs(t),
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
      description:
        'What runs the execution. It cannot be changed later. If left out: EXTERNAL with `parentNodeExecution`, and SLIPWAY without.',
    }),
    parentNodeExecution: t.field({
      type: NodeExecutionByInput,
      description: `For an engine from outside: the node that starts the execution. Requires EDIT on the workflow of the execution that the node belongs to. The engine of that execution is EXTERNAL, and neither it nor the node has ended. The new execution is in mode CHILD_WORKFLOW, runs for the same user as that one, and has its cluster label, also if \`executionClusterLabel\` is given. At most ${MAX_NESTING} executions are above one. The engine must report an event of the node when the new execution ends. If the execution of the node is aborted, the engine must abort the new one, unless the abort is forced: then the server does it.`,
    }),
  }),
});

const CreateExecutionPayload = payload('CreateExecutionPayload', 'execution', ExecutionType);
const RecoverExecutionPayload = payload('RecoverExecutionPayload', 'execution', ExecutionType);

const RecoverExecutionInput = builder.inputType('RecoverExecutionInput', {
  description: 'An execution that ended without success, to run again.',
  fields: (t) => ({
    by: t.field({
      type: ExecutionByInput,
      required: true,
      description: 'Which execution to recover. It is FAILED, ABORTED or TIMED_OUT.',
    }),
    name: t.string({
      description:
        'The name of the new execution, as in `createExecution`. If left out, the server chooses a name.',
    }),
    parentNodeExecution: t.field({
      type: NodeExecutionByInput,
      description:
        'For an engine from outside: the node that starts the new execution, as in `createExecution`. The mode of the new execution is RECOVERED all the same. If left out, no node has started it, also if a node had started the one to recover.',
    }),
  }),
});

const UpdateExecutionPayload = payload('UpdateExecutionPayload', 'execution', ExecutionType);
const RelaunchExecutionPayload = payload('RelaunchExecutionPayload', 'execution', ExecutionType);

const UpdateExecutionInput = builder.inputType('UpdateExecutionInput', {
  description: 'An execution to archive, or to take out of the archive.',
  fields: (t) => ({
    by: t.field({ type: ExecutionByInput, required: true, description: 'Which execution to change.' }),
    state: t.field({ type: ExecutionStateEnum, required: true, description: 'The new state.' }),
  }),
});

const RelaunchExecutionInput = builder.inputType('RelaunchExecutionInput', {
  description: 'An execution to repeat.',
  fields: (t) => ({
    by: t.field({ type: ExecutionByInput, required: true, description: 'Which execution to repeat.' }),
    name: t.string({
      description:
        'A name for the new execution, as for `createExecution`. If left out, the server chooses a name.',
    }),
    overwriteCache: t.boolean({
      defaultValue: false,
      description:
        'Whether the new execution computes everything again and replaces what is cached. What the earlier execution had does not count.',
    }),
    inputs: t.field({
      type: 'JSON',
      description:
        'Inputs that replace those of the earlier execution, as plain values: an object with the name of each input. All other inputs stay as the user gave them.',
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description:
        "The same as Flyte's literals, as an object with the name of each input. Give each input here or in `inputs`, but not in both.",
    }),
  }),
});

/** The execution that the rule has read. */
export async function getExecution(by: ExecutionBy, { loaders }: Context): Promise<ExecutionRow> {
  const execution = await loaders.execution.load(by);
  if (!execution) throw new NotFoundError('execution', addressText(by), ['input', 'by']);
  return execution;
}

/** The node that starts a new execution; null if the input names none. @throws the errors of `getParentNode`. */
async function parentOf(by: unknown, context: Context): Promise<ParentNode | null> {
  if (by == null) return null;
  const { loaders } = context;
  return await getParentNode(callerOf(context), addressText(by as NodeExecutionBy), async () => {
    const node = await loadNodeExecution(by as NodeExecutionBy, loaders);
    const execution = await loaders.execution.load({ id: node?.executionId ?? NO_ID });
    return node && execution && { node, execution };
  });
}

/** What the execution is to run. @throws InvalidArgumentError unless the input names exactly one thing. */
function requireOneEntity({
  launchPlan,
  task,
}: typeof CreateExecutionInput.$inferInput):
  | { readonly launchPlan: VersionBy; readonly task: null }
  | { readonly launchPlan: null; readonly task: VersionBy } {
  if (launchPlan && !task) return { launchPlan: launchPlan as VersionBy, task: null };
  if (task && !launchPlan) return { launchPlan: null, task: task as VersionBy };
  throw InvalidArgumentError.of(['input', 'launchPlan'], 'give either launchPlan or task');
}

builder.mutationFields((t) => ({
  relaunchExecution: t.field({
    type: RelaunchExecutionPayload,
    nullable: true,
    description:
      'Starts an execution that repeats another one: the same version of the launch plan, with the inputs that the user gave there and the settings that it had. Requires USE as `createExecution` does. The execution to repeat may be in any phase. `referenceExecution` leads back to it.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError] },
    args: inputOf(RelaunchExecutionInput),
    resolve: async (_root, { input }, context) => {
      const source = await getExecution(input.by as ExecutionBy, context);
      const project = await getProject(source.project, context.loaders);
      const execution = await relaunchExecution(callerOf(context), source, project, {
        name: input.name ?? null,
        overwriteCache: input.overwriteCache ?? false,
        inputs: input.inputs,
        inputLiterals: input.inputLiterals,
        findLaunchPlan: () => context.loaders.launchPlan.load({ id: source.launchPlanId }),
      });
      return { execution };
    },
  }),
  updateExecution: t.field({
    type: UpdateExecutionPayload,
    nullable: true,
    description:
      'Archives an execution, or takes it out of the archive, in whatever phase it is. Lists leave archived executions out by default; an archived execution goes on. Requires EDIT on its workflow.',
    errors: { types: [NotFoundError] },
    args: inputOf(UpdateExecutionInput),
    resolve: async (_root, { input }, context) => {
      const found = await getExecution(input.by as ExecutionBy, context);
      const execution = await updateExecution(callerOf(context), found, input.state);
      context.loaders.execution.clearAll();
      return { execution };
    },
  }),
  createExecution: t.field({
    type: CreateExecutionPayload,
    nullable: true,
    description:
      'Starts an execution of a launch plan, or of a single task. Requires USE on the workflow, and on the project if it is not the project of the launch plan; for a task, USE on its project and on the project of the execution. The execution is QUEUED, and the scheduler starts it at once.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError, FailedPreconditionError] },
    args: inputOf(CreateExecutionInput),
    resolve: async (_root, { input }, context) => {
      const project = await getProject(input.project, context.loaders);
      const caller = callerOf(context);
      const parent = await parentOf(input.parentNodeExecution, context);
      const request = {
        domain: input.domain,
        name: input.name ?? null,
        inputs: input.inputs,
        inputLiterals: input.inputLiterals,
        settings: executionSettingsOf(input),
        engine: input.engine ?? (parent ? 'EXTERNAL' : 'SLIPWAY'),
        parent,
        notifications: input.notifications,
        disableNotifications: input.disableNotifications ?? false,
      };
      const { launchPlan, task } = requireOneEntity(input);
      if (task) return { execution: await createTaskExecution(caller, project, task, request) };
      const find = () => context.loaders.launchPlan.load(launchPlan);
      return {
        execution: await createExecution(caller, project, {
          ...request,
          launchPlan: { by: launchPlan, find },
        }),
      };
    },
  }),
  recoverExecution: t.field({
    type: RecoverExecutionPayload,
    nullable: true,
    description:
      'Runs an execution that ended without success again, with the same inputs and settings, as a new execution. Requires USE as `createExecution` does. Nodes that succeeded are RECOVERED with their outputs, and only the others run. A node of a launch plan recovers the execution that it had started.',
    errors: { types: [InvalidArgumentError, NotFoundError, AlreadyExistsError, FailedPreconditionError] },
    args: inputOf(RecoverExecutionInput),
    resolve: async (_root, { input }, context) => {
      const source = await getExecution(input.by as ExecutionBy, context);
      const project = await getProject(source.project, context.loaders);
      const execution = await recoverExecution(callerOf(context), source, project, {
        name: input.name ?? null,
        parent: await parentOf(input.parentNodeExecution, context),
        findLaunchPlan: () => context.loaders.launchPlan.load({ id: source.launchPlanId }),
      });
      return { execution };
    },
  }),
}));

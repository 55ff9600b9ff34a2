import type { EntityType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import type { ObjectKind } from '../../platform/object-kinds.ts';
import { deleteVersion } from '../commands/delete-version.ts';
import { entityNouns } from '../entity-nouns.ts';
import type { VersionBy } from '../store.ts';
import { LaunchPlanByInput, TaskByInput, WorkflowByInput } from './entity-key.ts';

interface Deleted {
  readonly id: string;
}

const payloadOf = (name: `Delete${string}Payload`, kind: ObjectKind) =>
  builder.objectRef<Deleted>(name).implement({
    description: `What the deletion of a version of a ${kind} answers when it succeeds.`,
    fields: (t) => ({
      id: t.exposeID('id', {
        description: 'The id that the version had. With `dryRun`, it still has this id.',
      }),
    }),
  });

const inputNamed = <By extends typeof TaskByInput>(name: `Delete${string}Input`, kind: ObjectKind, by: By) =>
  builder.inputType(name, {
    description: `A version of a ${kind} to delete.`,
    fields: (t) => ({
      by: t.field({ type: by, required: true, description: 'Which version to delete.' }),
      dryRun: t.boolean({
        defaultValue: false,
        description: 'Whether to check everything and delete nothing.',
      }),
    }),
  });

interface Input {
  readonly by: unknown;
  readonly dryRun?: boolean | null;
}

/** Deletes the version that the rule has read. */
async function remove(type: EntityType, { by, dryRun }: Input, context: Context): Promise<Deleted> {
  const { task, workflow, launchPlan } = context.loaders;
  const loader = { TASK: task, WORKFLOW: workflow, LAUNCH_PLAN: launchPlan }[type];
  const version = await loader.load(by as VersionBy);
  if (!version) throw new NotFoundError(entityNouns[type], addressText(by as VersionBy), ['input', 'by']);
  await deleteVersion(callerOf(context), type, version.id, dryRun === true);
  loader.clearAll();
  return { id: version.id };
}

const stays = 'The name stays, and the version can be registered again, also with another content.';
const errors = { types: [NotFoundError, FailedPreconditionError] };

builder.mutationFields((t) => ({
  deleteTask: t.field({
    type: payloadOf('DeleteTaskPayload', 'task'),
    nullable: true,
    description: `Deletes a version of a task to which no workflow refers. Requires MANAGE on its project. ${stays}`,
    errors,
    args: inputOf(inputNamed('DeleteTaskInput', 'task', TaskByInput)),
    resolve: (_root, { input }, context) => remove('TASK', input, context),
  }),
  deleteWorkflow: t.field({
    type: payloadOf('DeleteWorkflowPayload', 'workflow'),
    nullable: true,
    description: `Deletes a version of a workflow that has no launch plans and no executions. Requires MANAGE on the workflow. ${stays}`,
    errors,
    args: inputOf(inputNamed('DeleteWorkflowInput', 'workflow', WorkflowByInput)),
    resolve: (_root, { input }, context) => remove('WORKFLOW', input, context),
  }),
  deleteLaunchPlan: t.field({
    type: payloadOf('DeleteLaunchPlanPayload', 'launch plan'),
    nullable: true,
    description: `Deletes a version of a launch plan that is INACTIVE, has no executions, and to which no workflow refers. Requires MANAGE on its workflow. ${stays}`,
    errors,
    args: inputOf(inputNamed('DeleteLaunchPlanInput', 'launch plan', LaunchPlanByInput)),
    resolve: (_root, { input }, context) => remove('LAUNCH_PLAN', input, context),
  }),
}));

import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { pauseLaunchPlanSchedule } from '../commands/pause-launch-plan-schedule.ts';
import { resumeLaunchPlanSchedule } from '../commands/resume-launch-plan-schedule.ts';
import { entityMetadataIn } from '../domain/entity-metadata.ts';
import { nextSlots, slotsOf } from '../domain/slots.ts';
import type { ScheduleRow } from '../store/schedules.ts';
import type { VersionBy } from '../store.ts';
import { LaunchPlanByInput } from './entity-key.ts';
import { LaunchPlanType } from './launch-plan.ts';
import { NotificationType } from './notification.ts';
import { ScheduleType } from './schedule.ts';

/** A slot takes up to a millisecond to find, so the field has a high cost. */
const MAX_NEXT = 20;
const USUAL_NEXT = 5;
const NEXT_COST = 500;

const SchedulePauseType = builder
  .objectRef<ScheduleRow & { readonly pausedAt: Date }>('SchedulePause')
  .implement({
    description: 'Who paused a schedule, when and why.',
    fields: (t) => ({
      at: t.expose('pausedAt', { type: 'DateTime', description: 'When the schedule was paused.' }),
      principal: t.field({
        type: PrincipalType,
        nullable: true,
        description: 'The user who paused it.',
        resolve: ({ pausedById }, _args, { loaders }) =>
          pausedById === null ? null : loaders.publicUser.load(pausedById),
      }),
      reason: t.string({
        description: 'The reason that the user gave.',
        resolve: ({ pauseReason }) => pauseReason ?? '',
      }),
    }),
  });

interface Failure {
  readonly slot: Date;
  readonly at: Date;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly isGivenUp: boolean;
}

const ScheduleFailureType = builder.objectRef<Failure>('ScheduleFailure').implement({
  description: 'Why the execution of a slot could not be created.',
  fields: (t) => ({
    slot: t.expose('slot', { type: 'DateTime', description: 'The nominal time of the execution.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When the latest attempt failed.' }),
    code: t.exposeString('code', {
      description: 'The code of the error, such as `PERMISSION_DENIED`, as `createExecution` answers it.',
    }),
    message: t.exposeString('message', { description: 'What went wrong, for people.' }),
    attempts: t.exposeInt('attempts', {
      description: 'How often it was tried. After 30 attempts, the slot is given up.',
    }),
    isGivenUp: t.exposeBoolean('isGivenUp', {
      description: 'Whether the slot was given up. If not, it is tried again.',
    }),
  }),
});

const MAX_ATTEMPTS = 30;

const ScheduleStatusType = builder.objectRef<ScheduleRow>('ScheduleStatus').implement({
  description: 'How the schedule of an active launch plan is doing.',
  fields: (t) => ({
    activatedAt: t.expose('activatedAt', {
      type: 'DateTime',
      description: 'When the version was last activated. Rates count from here.',
    }),
    principal: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'The user who activated the version. The executions are started as this user, who must still be allowed to start them.',
      resolve: ({ activatedById }, _args, { loaders }) => loaders.publicUser.load(activatedById),
    }),
    lastSlot: t.expose('firedSlotAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The newest slot that has an execution; null if none has one since the activation.',
    }),
    lastSkippedSlot: t.expose('skippedSlotAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The newest slot that was given up because of the catch-up policy; null if there is none.',
    }),
    failure: t.field({
      type: ScheduleFailureType,
      nullable: true,
      description: 'The latest failure. Null if there is none, or if a later attempt has succeeded.',
      resolve: failureOf,
    }),
    pause: t.field({
      type: SchedulePauseType,
      nullable: true,
      description: 'Why nothing is started at the moment; null if the schedule is not paused.',
      resolve: ({ pausedAt, ...row }) => pausedAt && { ...row, pausedAt },
    }),
    nextFireTimes: t.field({
      type: ['DateTime'],
      extensions: { cost: NEXT_COST },
      args: {
        first: t.arg.int({ defaultValue: USUAL_NEXT, description: `How many times, 1 to ${MAX_NEXT}.` }),
      },
      description: 'The next slots, from now on. Empty while the schedule is paused.',
      resolve: ({ schedule, activatedAt, lastSlotAt, pausedAt }, { first }) => {
        const limit = first ?? USUAL_NEXT;
        if (limit < 1 || limit > MAX_NEXT)
          throw InvalidArgumentError.of(['first'], `must be from 1 to ${MAX_NEXT}`);
        if (pausedAt) return [];
        const from = new Date(Math.max(lastSlotAt.getTime(), Date.now()));
        return nextSlots(slotsOf(schedule, activatedAt), from, limit);
      },
    }),
  }),
});

function failureOf(row: ScheduleRow): Failure | null {
  const { errorSlotAt, errorAt, errorCode, errorMessage, lostSlotAt, attempts } = row;
  if (!errorSlotAt || !errorAt) return null;
  const isGivenUp = lostSlotAt?.getTime() === errorSlotAt.getTime();
  return {
    slot: errorSlotAt,
    at: errorAt,
    code: errorCode ?? 'INTERNAL',
    message: errorMessage ?? '',
    attempts: isGivenUp ? MAX_ATTEMPTS : attempts,
    isGivenUp,
  };
}

const metadataOf = async (id: string, { loaders }: Context) =>
  entityMetadataIn((await loaders.launchPlanSpec.load(id))?.spec ?? {});

builder.objectFields(LaunchPlanType, (t) => ({
  schedule: t.field({
    type: ScheduleType,
    nullable: true,
    description: 'When this version starts executions by itself, while it is ACTIVE; null if it does not.',
    resolve: async ({ id }, _args, context) => (await metadataOf(id, context)).schedule ?? null,
  }),
  notifications: t.field({
    type: [NotificationType],
    extensions: { listSize: 10 },
    description: 'Whom to tell about the end of its executions, unless an execution asks for something else.',
    resolve: async ({ id }, _args, context) => [...((await metadataOf(id, context)).notifications ?? [])],
  }),
  scheduleStatus: t.field({
    type: ScheduleStatusType,
    nullable: true,
    description: 'How the schedule is doing; null if the version is not ACTIVE or has no schedule.',
    resolve: ({ id }, _args, { loaders }) => loaders.launchPlanSchedule.load(id),
  }),
}));

const PausePayload = payload('PauseLaunchPlanSchedulePayload', 'launchPlan', LaunchPlanType);
const ResumePayload = payload('ResumeLaunchPlanSchedulePayload', 'launchPlan', LaunchPlanType);

const PauseInput = builder.inputType('PauseLaunchPlanScheduleInput', {
  description: 'A schedule to pause.',
  fields: (t) => ({
    by: t.field({
      type: LaunchPlanByInput,
      required: true,
      description: 'The version with the schedule. It is ACTIVE.',
    }),
    reason: t.string({
      required: true,
      description: 'The reason, 1 to 500 characters. The status shows it.',
    }),
  }),
});

const ResumeInput = builder.inputType('ResumeLaunchPlanScheduleInput', {
  description: 'A schedule to resume.',
  fields: (t) => ({
    by: t.field({
      type: LaunchPlanByInput,
      required: true,
      description: 'The version with the schedule. It is ACTIVE.',
    }),
  }),
});

async function getPlan(by: VersionBy, { loaders }: Context) {
  const plan = await loaders.launchPlan.load(by);
  if (!plan) throw new NotFoundError('launch plan', addressText(by), ['input', 'by']);
  return plan;
}

builder.mutationFields((t) => ({
  pauseLaunchPlanSchedule: t.field({
    type: PausePayload,
    nullable: true,
    description:
      'Pauses the schedule of an ACTIVE version. Requires EDIT on its workflow. The pause stays if another version is activated; it ends when it is resumed, and when the launch plan is deactivated. If the schedule is paused already, nothing changes.',
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(PauseInput),
    resolve: async (_root, { input }, context) => {
      const launchPlan = await getPlan(input.by as VersionBy, context);
      await pauseLaunchPlanSchedule(callerOf(context), launchPlan, input.reason);
      context.loaders.launchPlanSchedule.clear(launchPlan.id);
      return { launchPlan };
    },
  }),
  resumeLaunchPlanSchedule: t.field({
    type: ResumePayload,
    nullable: true,
    description:
      'Lets a paused schedule go on. Requires EDIT on its workflow. Its catch-up policy decides about the slots of the pause; NONE gives all of them up. If the schedule is not paused, nothing changes.',
    errors: { types: [FailedPreconditionError] },
    args: inputOf(ResumeInput),
    resolve: async (_root, { input }, context) => {
      const launchPlan = await getPlan(input.by as VersionBy, context);
      await resumeLaunchPlanSchedule(launchPlan);
      context.loaders.launchPlanSchedule.clear(launchPlan.id);
      return { launchPlan };
    },
  }),
}));

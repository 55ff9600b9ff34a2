import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import { FailedPreconditionError, InvalidArgumentError } from '../../platform/errors.ts';
import { pauseLaunchPlanSchedule } from '../commands/pause-launch-plan-schedule.ts';
import { resumeLaunchPlanSchedule } from '../commands/resume-launch-plan-schedule.ts';
import { entityMetadataIn } from '../domain/entity-metadata.ts';
import { nextSlots, slotsOf } from '../domain/slots.ts';
import type { ScheduleRow } from '../store/schedules.ts';
import type { VersionBy } from '../store.ts';
import { LaunchPlanType } from './launch-plan.ts';
import { getPlan, pauseInput, resumeInput } from './launch-plan-pause.ts';
import { NotificationType } from './notification.ts';
import { ScheduleType } from './schedule.ts';
import {
  activationFields,
  failureFields,
  pauseOf,
  pauseType,
  type StartFailure,
  startFailureIn,
} from './start-status.ts';

/** A slot takes up to a millisecond to find, so the field has a high cost. */
const MAX_NEXT = 20;
const USUAL_NEXT = 5;
const NEXT_COST = 500;

const SchedulePauseType = pauseType('SchedulePause', 'a schedule');

interface Failure extends StartFailure {
  readonly slot: Date;
  readonly attempts: number;
  readonly isGivenUp: boolean;
}

const ScheduleFailureType = builder.objectRef<Failure>('ScheduleFailure').implement({
  description: 'Why the execution of a slot could not be created.',
  fields: (t) => ({
    slot: t.expose('slot', { type: 'DateTime', description: 'The nominal time of the execution.' }),
    ...failureFields(t, 'When the latest attempt failed.'),
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
    ...activationFields(t, 'Rates count from here.'),
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
      resolve: pauseOf,
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
  const { errorSlotAt, lostSlotAt, attempts } = row;
  const failure = startFailureIn(row);
  if (!errorSlotAt || !failure) return null;
  const isGivenUp = lostSlotAt?.getTime() === errorSlotAt.getTime();
  return {
    ...failure,
    slot: errorSlotAt,
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

const PauseInput = pauseInput('PauseLaunchPlanScheduleInput', 'schedule');
const ResumeInput = resumeInput('ResumeLaunchPlanScheduleInput', 'schedule');

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

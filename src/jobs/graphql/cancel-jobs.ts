import type { JobState } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { cancelJobs, cancelOpenJobs, cancelWholeJobSet } from '../commands/cancel-jobs.ts';
import { type JobSetState, MAX_REASON } from '../domain/job-changes.ts';
import { JobStateEnum } from './job.ts';
import {
  askedFor,
  changesOf,
  changesPayload,
  getQueueId,
  idsText,
  namesOf,
  progressPayload,
} from './job-change.ts';

const reasonText = `Why, for people, at most ${MAX_REASON} characters. The job and its events show it.`;
const errors = { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] };

const JobSetStateEnum = enumOf<JobSetState>('JobSetState', 'Which jobs of a job set are cancelled.', {
  QUEUED: 'Jobs that wait for an executor.',
  PENDING: 'With RUNNING: jobs that are leased to an executor.',
  RUNNING: 'With PENDING: jobs that are leased to an executor.',
});

const CancelJobsInput = builder.inputType('CancelJobsInput', {
  description: 'Jobs to cancel: give `ids`, or a whole job set with `queue` and `jobSet`.',
  fields: (t) => ({
    ids: t.idList({ description: `${idsText} If left out: all jobs of the job set.` }),
    queue: t.string({
      description:
        'The name of the queue of the job set. Together with `ids`: jobs of other queues are not found.',
    }),
    jobSet: t.string({
      description: 'The name of the job set. Together with `ids`: jobs of other job sets are not found.',
    }),
    reason: t.string({ description: reasonText }),
  }),
});

const CancelJobSetInput = builder.inputType('CancelJobSetInput', {
  description: 'A job set whose jobs are cancelled.',
  fields: (t) => ({
    queue: t.string({ required: true, description: 'The name of the queue.' }),
    jobSet: t.string({
      required: true,
      description: 'The name of the job set. If it does not exist, nothing is cancelled.',
    }),
    states: t.field({
      type: [JobSetStateEnum],
      defaultValue: [],
      description:
        'Only jobs in these states. PENDING and RUNNING can only be given together. If empty: all jobs that have not ended.',
    }),
    reason: t.string({ description: reasonText }),
  }),
});

const CancelOnQueueInput = builder.inputType('CancelOnQueueInput', {
  description: 'Which jobs of a queue are cancelled: the jobs that meet all of these conditions.',
  fields: (t) => ({
    queue: t.string({ required: true, description: 'The name of the queue.' }),
    priorityClasses: t.stringList({
      defaultValue: [],
      description: 'Only jobs of these priority classes, at most 100. If empty: of all.',
    }),
    jobStates: t.field({
      type: [JobStateEnum],
      defaultValue: [],
      description: 'Only jobs in these states, none of them final. If empty: all that have not ended.',
    }),
    pools: t.stringList({
      defaultValue: [],
      description: 'Only jobs of these pools, at most 100. If empty: of all.',
    }),
    reason: t.string({ description: reasonText }),
  }),
});

const CancelJobsPayload = changesPayload('CancelJobsPayload');
const CancelJobSetPayload = progressPayload('CancelJobSetPayload');
const CancelOnQueuePayload = progressPayload('CancelOnQueuePayload');

const finalStates: ReadonlySet<JobState> = new Set([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'PREEMPTED',
  'REJECTED',
]);

function openStates(states: readonly JobState[] | null | undefined): readonly JobState[] | null {
  const wrong = states?.find((state) => finalStates.has(state));
  if (wrong) throw InvalidArgumentError.of(['input', 'jobStates'], `${wrong} is a final state`);
  return states && states.length > 0 ? states : null;
}

builder.mutationFields((t) => ({
  cancelJobs: t.field({
    type: CancelJobsPayload,
    nullable: true,
    description:
      'Cancels jobs. Requires EDIT on their queues, which is checked for all jobs before any is cancelled; a job that cannot be cancelled does not keep the others from it. Jobs of executions are refused. A job whose run an executor has is CANCELLING until the run has ended.',
    errors,
    args: inputOf(CancelJobsInput),
    resolve: async (_root, { input }, context) => {
      const asked = askedFor(input);
      const caller = callerOf(context);
      const reason = input.reason ?? null;
      if ('ids' in asked) return changesOf(await cancelJobs(caller, asked.ids, input, reason));
      const queueId = await getQueueId(asked.queue, context);
      return { results: [], ...(await cancelWholeJobSet(caller, queueId, asked.jobSet, [], reason)) };
    },
  }),
  cancelJobSet: t.field({
    type: CancelJobSetPayload,
    nullable: true,
    description:
      'Cancels the jobs of a job set, at most 10,000 in one call. Requires EDIT on the queue. The job set of an execution is refused.',
    errors,
    args: inputOf(CancelJobSetInput),
    resolve: async (_root, { input }, context) => {
      const { queue, jobSet, states, reason } = input;
      const queueId = await getQueueId(queue, context);
      return await cancelWholeJobSet(callerOf(context), queueId, jobSet, states ?? [], reason ?? null);
    },
  }),
  cancelOnQueue: t.field({
    type: CancelOnQueuePayload,
    nullable: true,
    description:
      'Cancels jobs of a queue, also those of executions, at most 10,000 in one call. Requires EDIT on the queue. Jobs of workflows on which you do not have EDIT are left out.',
    errors,
    args: inputOf(CancelOnQueueInput),
    resolve: async (_root, { input }, context) => {
      const filter = {
        states: openStates(input.jobStates),
        priorityClasses: namesOf(input.priorityClasses, 'priorityClasses'),
        pools: namesOf(input.pools, 'pools'),
      };
      const queueId = await getQueueId(input.queue, context);
      return await cancelOpenJobs(callerOf(context), { queueId, ...filter }, input.reason ?? null);
    },
  }),
}));

import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { preemptJobs, preemptOpenJobs } from '../commands/preempt-jobs.ts';
import { MAX_REASON } from '../domain/job-changes.ts';
import { getQueueId, idsText, namesOf, PreemptJobsPayload, progressPayload } from './job-change.ts';

const reasonText = `Why, for people, at most ${MAX_REASON} characters. If left out, the reason says that somebody asked for it.`;

const PreemptJobsInput = builder.inputType('PreemptJobsInput', {
  description: 'Jobs that must make room for others.',
  fields: (t) => ({
    ids: t.idList({ required: true, description: idsText }),
    reason: t.string({ description: reasonText }),
  }),
});

const PreemptOnQueueInput = builder.inputType('PreemptOnQueueInput', {
  description: 'Which jobs of a queue must make room: the jobs that meet all of these conditions.',
  fields: (t) => ({
    queue: t.string({ required: true, description: 'The name of the queue.' }),
    priorityClasses: t.stringList({
      defaultValue: [],
      description: 'Only jobs of these priority classes, at most 100. If empty: of all.',
    }),
    pools: t.stringList({
      defaultValue: [],
      description: 'Only jobs of these pools, at most 100. If empty: of all.',
    }),
    reason: t.string({ description: reasonText }),
  }),
});

const PreemptOnQueuePayload = progressPayload('PreemptOnQueuePayload');

builder.mutationFields((t) => ({
  preemptJobs: t.field({
    type: PreemptJobsPayload,
    nullable: true,
    description:
      'Takes jobs their place on an executor. Requires EDIT on their queues. Only jobs that are leased and of a class that can be preempted react. A job of a gang takes the whole gang with it; all these together are at most 10,000. A job is PREEMPTING until its run has ended; then it is PREEMPTED, or QUEUED again if its `onPreemption` says so. Jobs of executions are included.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(PreemptJobsInput),
    resolve: async (_root, { input }, context) => ({
      results: await preemptJobs(callerOf(context), input.ids, input.reason ?? null),
    }),
  }),
  preemptOnQueue: t.field({
    type: PreemptOnQueuePayload,
    nullable: true,
    description:
      'Takes jobs of a queue their place, each as `preemptJobs` does, about 10,000 in one call. Requires EDIT on the queue. Jobs of workflows on which you do not have EDIT are left out.',
    errors: { types: [InvalidArgumentError, NotFoundError] },
    args: inputOf(PreemptOnQueueInput),
    resolve: async (_root, { input }, context) => {
      const filter = {
        priorityClasses: namesOf(input.priorityClasses, 'priorityClasses'),
        pools: namesOf(input.pools, 'pools'),
      };
      const queueId = await getQueueId(input.queue, context);
      return await preemptOpenJobs(callerOf(context), { queueId, ...filter }, input.reason ?? null);
    },
  }),
}));

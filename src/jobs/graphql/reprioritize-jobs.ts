import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { reprioritizeJobSet, reprioritizeJobs } from '../commands/reprioritize-jobs.ts';
import { askedFor, changesOf, changesPayload, getQueueId, idsText } from './job-change.ts';

const ReprioritizeJobsInput = builder.inputType('ReprioritizeJobsInput', {
  description: 'Jobs that get another priority: give `ids`, or a whole job set with `queue` and `jobSet`.',
  fields: (t) => ({
    ids: t.idList({ description: `${idsText} If left out: all jobs of the job set.` }),
    queue: t.string({
      description:
        'The name of the queue of the job set. Together with `ids`: jobs of other queues are not found.',
    }),
    jobSet: t.string({
      description: 'The name of the job set. Together with `ids`: jobs of other job sets are not found.',
    }),
    newPriority: t.float({
      required: true,
      description:
        'The new priority: lower numbers start first. Negative numbers count as 0, halves are rounded up, and the largest number is 4294967295.',
    }),
  }),
});

const ReprioritizeJobsPayload = changesPayload('ReprioritizeJobsPayload');

builder.mutationField('reprioritizeJobs', (t) =>
  t.field({
    type: ReprioritizeJobsPayload,
    nullable: true,
    description:
      'Changes the priority of jobs in their queue, also of jobs that run: they keep it if they wait again. Requires EDIT on their queues. Jobs that have ended do not change, and jobs of executions are refused. Of a gang, only the named jobs change; the gang has the place of its job with the lowest number. A whole job set changes at most 10,000 jobs in one call.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(ReprioritizeJobsInput),
    resolve: async (_root, { input }, context) => {
      const asked = askedFor(input);
      const caller = callerOf(context);
      const { newPriority } = input;
      if ('ids' in asked) return changesOf(await reprioritizeJobs(caller, asked.ids, input, newPriority));
      const queueId = await getQueueId(asked.queue, context);
      return { results: [], ...(await reprioritizeJobSet(caller, queueId, asked.jobSet, newPriority)) };
    },
  }),
);

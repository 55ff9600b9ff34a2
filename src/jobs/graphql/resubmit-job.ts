import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { type ById, inputOf } from '../../graphql/input.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { resubmitJob } from '../commands/resubmit-job.ts';
import type { SubmittedJob } from '../commands/submit-plain-jobs.ts';
import { JobByInput, JobType } from './job.ts';

const ResubmitJobInput = builder.inputType('ResubmitJobInput', {
  description: 'A job to submit again.',
  fields: (t) => ({
    by: t.field({ type: JobByInput, required: true, description: 'Which job. It must have ended.' }),
    clientId: t.string({
      description:
        'The client id of the new job, at most 100 characters. If the queue has a job with this id, no job is created. Without it, there is always a new job.',
    }),
  }),
});

const ResubmitJobPayload = builder.objectRef<SubmittedJob>('ResubmitJobPayload').implement({
  description: 'What `resubmitJob` answers when it succeeds.',
  fields: (t) => ({
    job: t.field({
      type: JobType,
      nullable: true,
      description:
        'The new job; for a duplicate, the job that was submitted earlier. Null if it was deleted since then.',
      resolve: ({ jobId }, _args, { loaders }) => loaders.job.load(jobId),
    }),
    isDuplicate: t.exposeBoolean('isDuplicate', {
      description: 'Whether there was a job with this client id already, so that no job was created.',
    }),
  }),
});

builder.mutationField('resubmitJob', (t) =>
  t.field({
    type: ResubmitJobPayload,
    nullable: true,
    description:
      'Submits a copy of a job that has ended, to the same job set. Requires USE on its queue. Where labels and annotations name the job, they name the copy. Jobs of executions and of gangs are refused.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(ResubmitJobInput),
    resolve: async (_root, { input }, context) => {
      const { id } = input.by as ById;
      const job = await context.loaders.job.load(id);
      if (!job) throw new NotFoundError('job', id, ['input', 'by']);
      return await resubmitJob(callerOf(context), job, input.clientId ?? null);
    },
  }),
);

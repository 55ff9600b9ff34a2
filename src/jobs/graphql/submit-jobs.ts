import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { FailedPreconditionError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { type SubmittedJob, submitPlainJobs } from '../commands/submit-plain-jobs.ts';
import { MAX_JOBS_PER_REQUEST } from '../domain/submission.ts';
import { JobType } from './job.ts';
import { JobRequestInput } from './job-request-input.ts';

const SubmitJobsInput = builder.inputType('SubmitJobsInput', {
  description: 'Jobs to submit to one job set of a queue.',
  fields: (t) => ({
    queue: t.string({ required: true, description: 'The name of the queue.' }),
    jobSet: t.string({
      required: true,
      description:
        'The name of the job set, at most 1023 characters. A job set is created with its first job. The names of the job sets of executions cannot be used.',
    }),
    jobs: t.field({
      type: [JobRequestInput],
      required: true,
      description: `The jobs, 1 to ${MAX_JOBS_PER_REQUEST}.`,
    }),
  }),
});

export const SubmittedJobType = builder.objectRef<SubmittedJob>('SubmittedJob').implement({
  description: 'What became of one job that was submitted.',
  fields: (t) => ({
    job: t.field({
      type: JobType,
      nullable: true,
      description:
        'The job; for a duplicate, the job that was submitted earlier. Null if it was deleted since then.',
      resolve: ({ jobId }, _args, { loaders }) => loaders.job.load(jobId),
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description: 'The client id of the request; null if it had none.',
    }),
    isDuplicate: t.exposeBoolean('isDuplicate', {
      description: 'Whether there was a job with this client id already, so that no job was created.',
    }),
  }),
});

const SubmitJobsPayload = builder
  .objectRef<{ readonly results: readonly SubmittedJob[] }>('SubmitJobsPayload')
  .implement({
    description: 'What `submitJobs` answers when it succeeds.',
    fields: (t) => ({
      results: t.field({
        type: [SubmittedJobType],
        extensions: { listSize: MAX_JOBS_PER_REQUEST },
        description: 'One result for each job of the request, in their order.',
        resolve: ({ results }) => [...results],
      }),
    }),
  });

builder.mutationField('submitJobs', (t) =>
  t.field({
    type: SubmitJobsPayload,
    nullable: true,
    description:
      'Submits jobs to a queue. Requires USE on the queue; for jobs with inputs or outputs in the queue of a project, also on the project. The whole request is checked first: if one job is wrong, no job is submitted. A cordoned queue accepts jobs and does not start them. It answers FAILED_PRECONDITION if a job of the gang of a new job has ended, because this gang can never start. `path` names the first such new job, as in `input.jobs.2.gang.id`.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(SubmitJobsInput),
    resolve: async (_root, { input }, context) => {
      const queue = await context.loaders.queue.load({ name: input.queue });
      if (!queue) throw new NotFoundError('queue', input.queue, ['input', 'queue']);
      return { results: await submitPlainJobs(callerOf(context), queue, input.jobSet, input.jobs) };
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { ItemErrorType, itemErrorOf } from '../../graphql/item-error.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import type { JobChange, Progress } from '../commands/change-jobs.ts';
import { type JobChangeOutcome, MAX_JOB_IDS } from '../domain/job-changes.ts';
import { JobType } from './job.ts';

const JobChangeOutcomeEnum = enumOf<JobChangeOutcome>(
  'JobChangeOutcome',
  'What became of one job that a request names.',
  {
    DONE: 'The request changed the job.',
    UNCHANGED: 'The job is already as asked, or it is being stopped already.',
    ALREADY_ENDED: 'The job has ended. It does not change any more.',
    BELONGS_TO_EXECUTION: 'The job belongs to an execution, and can only be changed through it.',
    NOT_RUNNING: 'The job waits, so it has no place that it could give to others.',
    NOT_PREEMPTIBLE: 'The jobs of its priority class are not preempted.',
    NOT_FOUND: 'The job does not exist, or is hidden from you.',
    NOT_ALLOWED: 'You may see the job, but not change it.',
  },
);

const JobChangeType = builder.objectRef<JobChange>('JobChange').implement({
  description: 'What became of one job that a request names.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id in the request.' }),
    job: t.field({
      type: JobType,
      nullable: true,
      description: 'The job as it is now; null if it does not exist or is hidden from you.',
      resolve: ({ id, isShown }, _args, { loaders }) => (isShown ? loaders.job.load(id) : null),
    }),
    outcome: t.expose('outcome', { type: JobChangeOutcomeEnum, description: 'What became of it.' }),
    error: t.field({
      type: ItemErrorType,
      nullable: true,
      description: 'Why it was not changed; null for DONE and UNCHANGED.',
      resolve: ({ error }) => itemErrorOf(error),
    }),
  }),
});

/** The answer of a mutation that changes many jobs. */
export interface JobChanges extends Progress {
  readonly results: readonly JobChange[];
}

export const changesOf = (results: readonly JobChange[]): JobChanges => ({
  results,
  count: results.filter(({ outcome }) => outcome === 'DONE').length,
  hasMore: false,
});

export const changesPayload = (name: 'CancelJobsPayload' | 'ReprioritizeJobsPayload') =>
  builder.objectRef<JobChanges>(name).implement({
    description: `What \`${name.charAt(0).toLowerCase()}${name.slice(1).replace('Payload', '')}\` answers when it succeeds.`,
    fields: (t) => ({
      results: t.field({
        type: [JobChangeType],
        extensions: { listSize: MAX_JOB_IDS },
        description: 'One result for each of `ids`, in their order. Empty for a whole job set.',
        resolve: ({ results }) => [...results],
      }),
      count: t.exposeInt('count', { description: 'How many jobs were changed.' }),
      hasMore: t.exposeBoolean('hasMore', {
        description: 'Whether a whole job set may have more jobs to change. Then repeat the call.',
      }),
    }),
  });

export const PreemptJobsPayload = builder
  .objectRef<{ readonly results: readonly JobChange[] }>('PreemptJobsPayload')
  .implement({
    description: 'What `preemptJobs` answers when it succeeds.',
    fields: (t) => ({
      results: t.field({
        type: [JobChangeType],
        extensions: { listSize: MAX_JOB_IDS },
        description: 'One result for each of `ids`, in their order.',
        resolve: ({ results }) => [...results],
      }),
    }),
  });

export const progressPayload = (
  name: 'CancelJobSetPayload' | 'CancelOnQueuePayload' | 'PreemptOnQueuePayload',
) =>
  builder.objectRef<Progress>(name).implement({
    description: `What \`${name.charAt(0).toLowerCase()}${name.slice(1).replace('Payload', '')}\` answers when it succeeds.`,
    fields: (t) => ({
      count: t.exposeInt('count', { description: 'How many jobs were changed.' }),
      hasMore: t.exposeBoolean('hasMore', {
        description: 'Whether there may be more jobs to change. Then repeat the call.',
      }),
    }),
  });

export const idsText = `The ids of the jobs, at most ${MAX_JOB_IDS}.`;

/** The queue that an input names. The rule has found it. */
export async function getQueueId(name: string, { loaders }: Context): Promise<string> {
  const queue = await loaders.queue.load({ name });
  if (!queue) throw new NotFoundError('queue', name, ['input', 'queue']);
  return queue.id;
}

/** Which jobs a request is about: jobs with these ids, or a whole job set. */
export function askedFor(input: {
  readonly ids?: readonly string[] | null;
  readonly queue?: string | null;
  readonly jobSet?: string | null;
}): { readonly ids: readonly string[] } | { readonly queue: string; readonly jobSet: string } {
  const { ids, queue, jobSet } = input;
  if (ids) return { ids };
  if (queue != null && jobSet != null) return { queue, jobSet };
  throw InvalidArgumentError.of(['input', 'ids'], 'give ids, or queue and jobSet', 'MissingField');
}

const MAX_NAMES = 100;

/** The names of a filter; null if there are none. @throws InvalidArgumentError if there are too many. */
export function namesOf(
  names: readonly string[] | null | undefined,
  field: string,
): readonly string[] | null {
  if ((names?.length ?? 0) > MAX_NAMES)
    throw InvalidArgumentError.of(['input', field], `must have at most ${MAX_NAMES} entries`, 'TooLarge');
  return names && names.length > 0 ? names : null;
}

import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { KeyValueInput, mapOf } from '../../graphql/key-values.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isId, NO_ID } from '../../platform/ids.ts';
import { countJobs, type JobListFilter, type JobOrder, jobListOrder, listJobs } from '../store/job-lists.ts';
import { JobConnection, JobStateEnum, JobType } from './job.ts';

/** As many as Armada looks up in one call. */
const MAX_IDS = 500;
const MAX_NAMES = 100;
const MAX_LABELS = 16;

const JobFilterInput = builder.inputType('JobFilterInput', {
  description: 'Which jobs a list shows: the jobs that meet all of these conditions.',
  fields: (t) => ({
    queue: t.string({ description: 'Only jobs of the queue with this name.' }),
    jobSet: t.string({ description: 'Only jobs of job sets with this name.' }),
    states: t.field({ type: [JobStateEnum], description: 'Only jobs in one of these states.' }),
    ids: t.idList({
      description: `Only jobs with these ids, at most ${MAX_IDS}. Ids of jobs that do not exist or are hidden from you are left out.`,
    }),
    clientIds: t.stringList({ description: `Only jobs with these client ids, at most ${MAX_IDS}.` }),
    externalUri: t.string({ description: 'Only jobs with this reference of their submitter.' }),
    priorityClasses: t.stringList({
      description: `Only jobs of these priority classes, at most ${MAX_NAMES}.`,
    }),
    pools: t.stringList({ description: `Only jobs of these pools, at most ${MAX_NAMES}.` }),
    labels: t.field({
      type: [KeyValueInput],
      description: `Only jobs that have all of these labels, at most ${MAX_LABELS}.`,
    }),
    submittedAfter: t.field({
      type: 'DateTime',
      description: 'Only jobs that were submitted at this time or later.',
    }),
    submittedBefore: t.field({
      type: 'DateTime',
      description: 'Only jobs that were submitted before this time.',
    }),
  }),
});

const JobOrderEnum = enumOf<JobOrder>('JobOrder', 'How a list of jobs is sorted.', {
  NEWEST: 'The job that was submitted last comes first.',
  OLDEST: 'The job that was submitted first comes first.',
  PRIORITY:
    'By the order in which the jobs of one queue start: higher classes first, then lower priorities, then jobs that were submitted earlier.',
});

function atMost<Value>(
  values: readonly Value[] | null | undefined,
  most: number,
  field: string,
): readonly Value[] | null {
  if ((values?.length ?? 0) > most)
    throw InvalidArgumentError.of(['filter', field], `must have at most ${most} entries`, 'TooLarge');
  return values ?? null;
}

/** The rule has found the queue. A queue that was deleted since then has no jobs. */
async function filterOf(
  filter: typeof JobFilterInput.$inferInput | null | undefined,
  orderBy: JobOrder | null | undefined,
  { loaders }: Context,
): Promise<JobListFilter> {
  const { queue } = filter ?? {};
  const labels = atMost(filter?.labels, MAX_LABELS, 'labels');
  return {
    queueId: queue == null ? null : ((await loaders.queue.load({ name: queue }))?.id ?? NO_ID),
    jobSet: filter?.jobSet ?? null,
    states: filter?.states ?? null,
    ids: atMost(filter?.ids, MAX_IDS, 'ids')?.filter(isId) ?? null,
    clientIds: atMost(filter?.clientIds, MAX_IDS, 'clientIds'),
    externalUri: filter?.externalUri ?? null,
    priorityClasses: atMost(filter?.priorityClasses, MAX_NAMES, 'priorityClasses'),
    pools: atMost(filter?.pools, MAX_NAMES, 'pools'),
    labels: labels && mapOf(labels, ['filter', 'labels']),
    submittedAfter: filter?.submittedAfter ?? null,
    submittedBefore: filter?.submittedBefore ?? null,
    orderBy: orderBy ?? 'NEWEST',
  };
}

builder.queryField('jobs', (t) =>
  t.connection(
    {
      type: JobType,
      description:
        'The jobs that you may read, newest first. With a queue in the filter, NOT_FOUND if it does not exist or you may see neither the queue nor any of its jobs.',
      args: {
        filter: t.arg({ type: JobFilterInput, description: 'Which jobs to list. If left out: all.' }),
        orderBy: t.arg({ type: JobOrderEnum, defaultValue: 'NEWEST', description: 'How to sort the list.' }),
      },
      resolve: async (_root, args, context) => {
        const caller = callerOf(context);
        const filter = await filterOf(args.filter, args.orderBy, context);
        return await pagedList(
          args,
          jobListOrder(filter),
          (page) => listJobs(caller, filter, page),
          () => countJobs(caller, filter),
        );
      },
    },
    JobConnection,
  ),
);

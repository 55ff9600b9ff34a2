import { refusal } from '../../authorization/can.ts';
import type { JobEventKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { eventIdOf, sequenceIn } from '../../graphql/event-id.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { jobTarget } from '../domain/targets.ts';
import {
  type JobEventRow,
  type JobSetEnd,
  type JobSetName,
  type JobSetRow,
  readJobEventsAfter,
  readJobSetEnd,
} from '../store/job-set-events.ts';
import type { QueueBy } from '../store/queues.ts';
import { expired, requireNext, untilJobSet, watchJobSet } from '../watch-job-set.ts';
import { JobRunType, JobType } from './job.ts';
import { QueueByInput } from './queue.ts';

const JobEventKindEnum = enumOf<JobEventKind>(
  'JobEventKind',
  "What an event says about a job. Source: Armada's events.",
  {
    SUBMITTED: 'The server accepted the job.',
    QUEUED: 'The job waits for an executor. This is not repeated when it waits again.',
    LEASED: 'The server assigned the job to an executor.',
    LEASE_RETURNED: 'The executor returned the lease without a result.',
    LEASE_EXPIRED: 'The executor did not renew the lease in time.',
    PENDING: 'The executor prepares the run.',
    RUNNING: 'The program runs.',
    SUCCEEDED: 'The program succeeded. Final.',
    FAILED: 'The program failed, or its last attempt was lost. Final, unless `retryable` is true.',
    CANCELLING: 'Somebody asked for the end of the job.',
    CANCELLED: 'The job was cancelled, and nothing of it runs any more. Final.',
    REPRIORITIZING: 'Somebody asked for another priority.',
    REPRIORITIZED: 'The job has another priority.',
    PREEMPTING: 'The run was asked to stop, because it must make room for others.',
    PREEMPTED: 'The run has made room for others. Final, unless `requeued` is true.',
    UTILISATION: 'The executor says how much the program uses.',
    REJECTED: 'The server found that the job can never run. Final.',
  },
);

export const JobEventType = builder.objectRef<JobEventRow>('JobEvent').implement({
  description: 'One change of a job, in the order of its job set.',
  fields: (t) => ({
    id: t.id({
      description:
        'The position of the event among all events of the job set. Pass it as `after` to continue after this event.',
      resolve: ({ jobSetId, sequence }) => eventIdOf(jobSetId, sequence),
    }),
    kind: t.expose('kind', { type: JobEventKindEnum, description: 'What the event says.' }),
    jobId: t.exposeID('jobId', { description: 'The id of the job.' }),
    runId: t.exposeID('runId', {
      nullable: true,
      description: 'The id of the run; null if the event has nothing to do with a run.',
    }),
    job: t.field({
      type: JobType,
      nullable: true,
      description: 'The job as it is now. It may have moved on since the event.',
      resolve: guardedEdge('job:read', ({ jobId }, { loaders }) => loaders.job.load(jobId), jobTarget),
    }),
    run: t.field({
      type: JobRunType,
      nullable: true,
      description:
        'The run as it is now, with its executor and node. Null if the event has nothing to do with a run, or if the run was deleted together with its job.',
      resolve: guardedEdge(
        'job:read',
        ({ runId }, { loaders }) => (runId === null ? null : loaders.jobRun.load(runId)),
        jobTarget,
      ),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the server stored the event, by its clock.',
    }),
    occurredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it happened, by the clock of the executor; null if no executor reported it.',
      resolve: ({ detail }) => (detail.occurredAt === undefined ? null : new Date(detail.occurredAt)),
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it happened, for people; null if no reason was given.',
      resolve: ({ detail }) => detail.reason ?? null,
    }),
    requestor: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who asked for it; null if it was not a user.',
      resolve: ({ detail }, _args, { loaders }) =>
        detail.requestor ? loaders.publicUser.load(detail.requestor) : null,
    }),
    executor: t.string({
      nullable: true,
      description: 'LEASED: the name of the executor; otherwise null.',
      resolve: ({ detail }) => detail.executor ?? null,
    }),
    pool: t.string({
      nullable: true,
      description: 'LEASED: the pool of the executor; otherwise null.',
      resolve: ({ detail }) => detail.pool ?? null,
    }),
    node: t.string({
      nullable: true,
      description: 'LEASED: the node of the run; null if its executor reports no nodes, and otherwise.',
      resolve: ({ detail }) => detail.node ?? null,
    }),
    attempted: t.boolean({
      nullable: true,
      description: 'LEASE_RETURNED and LEASE_EXPIRED: whether the work had possibly begun; otherwise null.',
      resolve: ({ detail }) => detail.attempted ?? null,
    }),
    requeued: t.boolean({
      nullable: true,
      description:
        'LEASE_RETURNED, LEASE_EXPIRED and PREEMPTED: whether the job waits again; otherwise null.',
      resolve: ({ detail }) => detail.requeued ?? null,
    }),
    retryable: t.boolean({
      nullable: true,
      description: 'FAILED: whether a retry policy lets the job run again; otherwise null.',
      resolve: ({ kind, detail }) => (kind === 'FAILED' ? (detail.retryable ?? false) : null),
    }),
    exitCode: t.int({
      nullable: true,
      description:
        'SUCCEEDED and FAILED: the exit code of the program; null if there is none, and otherwise.',
      resolve: ({ detail }) => detail.exitCode ?? null,
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'FAILED and REJECTED: why; otherwise null.',
      resolve: ({ detail }) => detail.error ?? null,
    }),
    outputs: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'SUCCEEDED: the outputs as plain values, as an object with the name of each output; otherwise null.',
      resolve: ({ detail }) => detail.outputs ?? null,
    }),
    priority: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'REPRIORITIZING and REPRIORITIZED: the new priority; otherwise null.',
      resolve: ({ detail }) => (detail.newPriority === undefined ? null : BigInt(detail.newPriority)),
    }),
    preemptingJobId: t.id({
      nullable: true,
      description: 'PREEMPTING: the job that gets the room; null if there is none, and otherwise.',
      resolve: ({ detail }) => detail.preemptingJob ?? null,
    }),
  }),
});

interface Page {
  readonly events: readonly JobEventRow[];
  readonly hasMore: boolean;
}

const JobEventPageType = builder.objectRef<Page>('JobEventPage').implement({
  description: 'Events of a job set that follow each other.',
  fields: (t) => ({
    events: t.field({
      type: [JobEventType],
      extensions: { listSize: 100 },
      description: 'The events, oldest first.',
      resolve: ({ events }) => [...events],
    }),
    hasMore: t.exposeBoolean('hasMore', {
      description:
        'Whether there were more events when the query was answered. Pass the id of the last event as `after` to get them.',
    }),
  }),
});

const MAX_EVENTS = 500;
const MAX_JOBS = 1000;

interface StreamArguments {
  readonly queue: unknown;
  readonly jobSet: string;
  readonly after?: string | null;
  readonly errorIfMissing?: boolean | null;
}

/** The job set of the arguments; null if nothing was ever submitted to it. The rule has found the queue. */
async function jobSetOf(args: StreamArguments, { loaders }: Context): Promise<JobSetRow | null> {
  const set = await loaders.jobSet.load(nameOf(args));
  if (!set && args.errorIfMissing) throw new NotFoundError('job set', args.jobSet);
  if (!set && args.after != null) throw expired();
  return set;
}

const nameOf = ({ queue, jobSet }: StreamArguments) => ({ queue: queue as QueueBy, name: jobSet });

/**
 * Without an id, the number before the first event that is stored.
 *
 * @throws InvalidArgumentError for a text that is not the id of an event of a job set; FailedPreconditionError for an
 * event of another job set, or of one of this name that is not stored any more, or if the next event was deleted.
 */
function sequenceOf(id: string | null | undefined, set: JobSetRow, end: JobSetEnd | null): bigint {
  if (id == null) return end?.expiredSequence ?? 0n;
  const sequence = sequenceIn(id, set.id);
  if (sequence === null) throw notAnEvent();
  if (sequence === 'OTHER_STREAM') throw expired();
  // The event must exist. Otherwise, no event would ever come.
  if (!end || sequence > end.lastSequence) throw notAnEvent();
  if (sequence < end.expiredSequence) throw expired();
  return sequence;
}

const notAnEvent = () =>
  InvalidArgumentError.of(['after'], 'after must be the id of an event of this job set');

const streamArguments = builder.args((t) => ({
  queue: t.field({ type: QueueByInput, required: true, description: 'The queue of the job set.' }),
  jobSet: t.string({ required: true, description: 'The name of the job set.' }),
  after: t.id({
    description:
      'The id of the last event that you have seen. If left out: from the first one that is stored.',
  }),
  errorIfMissing: t.boolean({
    defaultValue: false,
    description: 'Whether the answer is NOT_FOUND if nothing was ever submitted to the job set.',
  }),
}));

builder.queryField('jobSetEvents', (t) =>
  t.field({
    type: JobEventPageType,
    nullable: true,
    description:
      'The events of a job set that are stored now, oldest first. Without the argument `errorIfMissing`, a job set that does not exist has no events. If events after `after` were deleted, because their time was over, the answer is FAILED_PRECONDITION with the reason STREAM_EXPIRED.',
    args: {
      ...streamArguments,
      first: t.arg.int({
        defaultValue: 100,
        description: `How many events at most: 1 to ${MAX_EVENTS}. If their outputs are large, there are fewer.`,
      }),
    },
    resolve: async (_root, args, context) => {
      const first = args.first ?? MAX_EVENTS;
      if (first < 1 || first > MAX_EVENTS)
        throw InvalidArgumentError.of(['first'], `first must be between 1 and ${MAX_EVENTS}`);
      const set = await jobSetOf(args, context);
      if (!set) return { events: [], hasMore: false };
      const end = await readJobSetEnd(set.id);
      const after = sequenceOf(args.after, set, end);
      const events = await readJobEventsAfter(set.id, after, first);
      requireNext(after, events);
      if (events.length === 0 && end && end.lastSequence > after) throw expired();
      const last = events.at(-1)?.sequence ?? after;
      return { events, hasMore: last < (end?.lastSequence ?? 0n) };
    },
  }),
);

const JobSetWatchEndEnum = builder.enumType('JobSetWatchEnd', {
  description: 'When the subscription to the events of a job set completes.',
  values: {
    NEVER: { description: 'Only when the client ends it, or when the job set is deleted.' },
    ALL_JOBS_ENDED: {
      description:
        'When all events were sent and all jobs of the set have ended. A job set without jobs has not ended.',
    },
  } as const,
});

builder.subscriptionField('jobSetEvents', (t) =>
  t.field({
    type: JobEventType,
    description:
      'Sends every event of a job set exactly once: from the first one that is stored, or from the one that follows `after`. It waits for a job set that does not exist yet. If events were deleted before they could be sent, it ends with FAILED_PRECONDITION and the reason STREAM_EXPIRED.',
    args: {
      ...streamArguments,
      until: t.arg({
        type: JobSetWatchEndEnum,
        defaultValue: 'NEVER',
        description: 'When the subscription completes.',
      }),
      jobs: t.arg.idList({
        description: `Only events of these jobs, at most ${MAX_JOBS}. If left out: of all.`,
      }),
      kinds: t.arg({
        type: [JobEventKindEnum],
        description: 'Only these kinds of events. If left out: all.',
      }),
    },
    subscribe: async (_root, args, context) => {
      const jobIds = args.jobs ?? null;
      if (jobIds && jobIds.length > MAX_JOBS)
        throw InvalidArgumentError.of(['jobs'], `must have at most ${MAX_JOBS} ids`);
      if (jobIds && !jobIds.every(isId)) throw InvalidArgumentError.of(['jobs'], 'an id must be a UUIDv7');
      const set = await jobSetOf(args, context);
      const after = set ? sequenceOf(args.after, set, await readJobSetEnd(set.id)) : 0n;
      return events(nameOf(args), set, {
        after,
        jobIds: jobIds && new Set(jobIds),
        kinds: args.kinds ? new Set(args.kinds) : null,
        untilFinished: args.until === 'ALL_JOBS_ENDED',
        signal: context.signal,
        context,
      });
    },
    resolve: (event: JobEventRow) => event,
  }),
);

async function* events(
  name: JobSetName,
  known: JobSetRow | null,
  { context, ...watch }: Parameters<typeof watchJobSet>[1] & { readonly context: Context },
) {
  const caller = callerOf(context);
  const set = known ?? (await untilJobSet(caller.tenantId, name, watch.signal));
  if (!set) return;
  // The rule knew only the queue.
  const target = async () => jobTarget(set);
  const refused = known
    ? null
    : await refusal(caller, 'job:read', { kind: 'job set', key: name.name, target });
  if (refused) throw refused;
  yield* watchJobSet(set, watch);
}

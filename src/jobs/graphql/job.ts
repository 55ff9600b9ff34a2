import { builder } from '../../graphql/builder.ts';
import { ErrorKindEnum } from '../../graphql/error-kind.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import type { JobRow, JobRunRow, LogChunkRow } from '../store/reads.ts';

export const JobStateEnum = builder.enumType('JobState', {
  description: 'Where a job stands. SUCCEEDED, FAILED, CANCELLED, PREEMPTED and REJECTED are ends.',
  values: {
    QUEUED: { description: 'It waits for an executor.' },
    LEASED: { description: 'An executor was chosen for it.' },
    PENDING: { description: 'Its executor prepares it.' },
    RUNNING: { description: 'It runs.' },
    SUCCEEDED: { description: 'It ended well.' },
    FAILED: { description: 'It failed, or its attempts are used up.' },
    CANCELLING: {
      description: 'Somebody asked for its end, and its executor has not confirmed the end yet.',
    },
    CANCELLED: { description: 'It was ended on request: nothing of it runs any more.' },
    PREEMPTED: { description: 'It had to give way to other work.' },
    REJECTED: { description: 'It can never run here.' },
  } as const,
});

const JobRunStateEnum = builder.enumType('JobRunState', {
  description: 'Where one lease of a job stands. All but LEASED, PENDING and RUNNING are ends.',
  values: {
    LEASED: { description: 'It is assigned to an executor.' },
    PENDING: { description: 'The executor prepares it.' },
    RUNNING: { description: 'It runs, also while its job is CANCELLING.' },
    SUCCEEDED: { description: 'It ended well.' },
    FAILED: { description: 'It failed.' },
    PREEMPTED: { description: 'It had to give way to other work.' },
    CANCELLED: { description: 'It was ended on request.' },
    LEASE_EXPIRED: {
      description:
        'Its executor was not heard of in time. If the executor comes back while nobody else has the job, the run goes on.',
    },
    LEASE_RETURNED: { description: 'The executor gave it back without a result.' },
  } as const,
});

const JobErrorType = builder.objectRef<JobRunRow>('JobError').implement({
  fields: (t) => ({
    code: t.string({ resolve: (run) => run.errorCode ?? '' }),
    message: t.string({ resolve: (run) => run.errorMessage ?? '' }),
    kind: t.field({
      type: ErrorKindEnum,
      resolve: (run) => run.errorKind ?? 'UNKNOWN',
    }),
  }),
});

export const LogStreamEnum = builder.enumType('LogStream', {
  values: ['STDOUT', 'STDERR'] as const,
});

const LogChunkType = builder.objectRef<LogChunkRow>('LogChunk').implement({
  description: 'A piece of what a run printed.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', {
      description: 'To go on after it: `after`.',
    }),
    stream: t.field({ type: LogStreamEnum, resolve: (chunk) => chunk.stream }),
    text: t.exposeString('text'),
    at: t.field({ type: 'DateTime', resolve: (chunk) => chunk.createdAt }),
  }),
});

const MAX_LOG_CHUNKS = 1000;

export const JobRunType = builder.objectRef<JobRunRow>('JobRun').implement({
  description: 'One lease of a job to one executor.',
  fields: (t) => ({
    id: t.exposeID('id'),
    executor: t.exposeString('executor', { description: 'Its name.' }),
    state: t.field({ type: JobRunStateEnum, resolve: (run) => run.state }),
    exitCode: t.exposeInt('exitCode', { nullable: true }),
    error: t.field({
      type: JobErrorType,
      nullable: true,
      resolve: (run) => (run.errorCode === null ? null : run),
    }),
    leasedAt: t.field({ type: 'DateTime', resolve: (run) => run.leasedAt }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (run) => run.startedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (run) => run.endedAt,
    }),
    log: t.field({
      type: [LogChunkType],
      description: 'What it printed, in its order, bounded; readable while it runs and after it ended.',
      args: {
        after: t.arg.int({
          description: 'The sequence of the piece to go on after.',
          defaultValue: -1,
        }),
        first: t.arg.int({
          description: 'How many pieces: 1 to 1000.',
          defaultValue: 100,
        }),
      },
      resolve: (run, { after, first }, { loaders }) => {
        if (first == null || first < 1 || first > MAX_LOG_CHUNKS)
          throw InvalidArgumentError.of(['first'], `first must lie in 1 … ${MAX_LOG_CHUNKS}`);
        return loaders.logOfRun.load({ parentId: run.id, page: { after: after ?? -1, first } });
      },
    }),
  }),
});

export const JobType = builder.objectRef<JobRow>('Job').implement({
  description: 'A unit of work on a queue.',
  fields: (t) => ({
    id: t.exposeID('id'),
    queue: t.exposeString('queue', { description: "The queue's name." }),
    jobSet: t.exposeString('jobSet', {
      description: 'What it is watched and cancelled with.',
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description: 'Chosen by the submitter: the same one in the same queue is the same job.',
    }),
    state: t.field({ type: JobStateEnum, resolve: (job) => job.state }),
    priority: t.field({
      type: 'BigInt',
      description: 'Orders jobs inside their queue, lower first.',
      resolve: (job) => job.priority,
    }),
    attemptedRuns: t.exposeInt('attemptedRuns', {
      description: 'Leases lost or given back after the work may have begun.',
    }),
    maxAttempts: t.exposeInt('maxAttempts'),
    submittedAt: t.field({
      type: 'DateTime',
      resolve: (job) => job.submittedAt,
    }),
    endedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (job) => job.endedAt,
    }),
    runs: t.field({
      type: [JobRunType],
      extensions: { listSize: 5 },
      description: 'Its leases, newest first, at most 100.',
      resolve: (job, _args, { loaders }) => loaders.runsOfJob.load(job.id),
    }),
  }),
});

builder.queryFields((t) => ({
  job: t.field({
    type: JobType,
    nullable: true,
    description: 'One job; null with NOT_FOUND when it is absent or hidden.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { loaders }) => loaders.job.load(id),
  }),
  jobRun: t.field({
    type: JobRunType,
    nullable: true,
    description: 'One lease of a job; null with NOT_FOUND when it is absent or hidden.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { loaders }) => loaders.jobRun.load(id),
  }),
}));

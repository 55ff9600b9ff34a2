import type { JobRunState, JobState, LogStream } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge, guardedList } from '../../graphql/guarded-edge.ts';
import { addressOf, type ById, byId } from '../../graphql/input.ts';
import type { PageArguments } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { WorkErrorType } from '../../graphql/work-error.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { workErrorOf } from '../../platform/work-error.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getIdentifier } from '../../projects/loaders.ts';
import { queueTarget } from '../domain/targets.ts';
import { type JobRow, type JobRunRow, jobOrder, type LogChunkRow } from '../store/reads.ts';
import { QueueType } from './queue.ts';

export const JobStateEnum = enumOf<JobState>(
  'JobState',
  'Where a job stands. It moves with its latest run, and goes back to QUEUED when a lease is lost and attempts are left.',
  {
    QUEUED: 'The job waits for an executor.',
    LEASED: 'An executor is to run it, and has not said anything about it yet.',
    PENDING: 'The executor has it, and waits for a place or fetches images and files.',
    RUNNING: 'Its program runs.',
    SUCCEEDED: 'Its program ended well. Final.',
    FAILED: 'Its program failed, or its last attempt was lost. Final.',
    CANCELLING: 'Somebody asked for its end, and its executor has not confirmed the end yet.',
    CANCELLED: 'It was ended on request, and nothing of it runs any more. Final.',
    PREEMPTED: 'It was stopped to make room for other work. Final.',
    REJECTED: 'The server found that it can never run. Final.',
  },
);

const JobRunStateEnum = enumOf<JobRunState>(
  'JobRunState',
  'Where one lease of a job stands. The next lease of the job is another run.',
  {
    LEASED: 'The executor is to run it, and has not said anything about it yet.',
    PENDING: 'The executor has it, and waits for a place or fetches images and files.',
    RUNNING: 'Its program runs, also while its job is CANCELLING.',
    SUCCEEDED: 'Its program ended well. Final.',
    FAILED: 'Its program failed; `error` says why. Final.',
    PREEMPTED: 'It was stopped to make room for other work. Final.',
    CANCELLED: 'It was ended on request. Final.',
    LEASE_EXPIRED:
      'The executor was not heard of before the lease ended. If it comes back while nobody else has the job, the run goes on.',
    LEASE_RETURNED: 'The executor gave it back without a result. Final; the job may be leased again.',
  },
);

export const LogStreamEnum = enumOf<LogStream>('LogStream', 'Which of its two outputs a program wrote to.', {
  STDOUT: 'The standard output.',
  STDERR: 'The standard error.',
});

const LogChunkType = builder.objectRef<LogChunkRow>('LogChunk').implement({
  description: 'A piece of what a run printed.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', {
      description: "The number of the piece in its run's log. Pass it as `after` to go on with what follows.",
    }),
    stream: t.expose('stream', {
      type: LogStreamEnum,
      description: 'The output that the text was written to.',
    }),
    text: t.exposeString('text', { description: 'The text. A line may be cut at the end of a piece.' }),
    printedAt: t.field({
      type: 'DateTime',
      description: 'When the program printed it, by the clock of its executor.',
      resolve: (chunk) => chunk.createdAt,
    }),
  }),
});

const MAX_LOG_CHUNKS = 1000;
const DEFAULT_LOG_CHUNKS = 100;

export const JobRunType = builder.objectRef<JobRunRow>('JobRun').implement({
  description: 'One lease of a job to one executor. Who may read the job may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    executor: t.exposeString('executor', {
      description: 'The name of the executor that holds or held the lease.',
    }),
    state: t.expose('state', { type: JobRunStateEnum, description: 'Where the run stands now.' }),
    exitCode: t.exposeInt('exitCode', {
      nullable: true,
      description: 'The exit code of the program; null until it has ended, and when it was killed.',
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'Why the run failed; null unless it did.',
      resolve: workErrorOf,
    }),
    leasedAt: t.expose('leasedAt', { type: 'DateTime', description: 'When the executor was given the job.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the program began to run; null before that.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the run reached a final state; null before that.',
    }),
    log: t.field({
      type: [LogChunkType],
      description:
        'What the program printed, piece by piece. Readable while it runs and after it has ended; what is beyond 2 MiB is dropped.',
      args: {
        after: t.arg.int({
          description: 'Only pieces that follow the one of this sequence.',
          defaultValue: -1,
        }),
        first: t.arg.int({
          description: `How many pieces: 1 to ${MAX_LOG_CHUNKS}.`,
          defaultValue: DEFAULT_LOG_CHUNKS,
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
  description:
    'A unit of work on a queue. Who may read the queue, or the workflow that it works for, may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    queue: t.exposeString('queue', { description: 'The name of the queue that it waits on.' }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project that the work is for; null when there is none, or it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (job, { loaders }) => (job.projectId ? loaders.project.load({ id: job.projectId }) : null),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      nullable: true,
      description:
        "The project's identifier, shown even when the project itself is hidden from you; null when there is none.",
      resolve: ({ projectId }, _args, { loaders }) => (projectId ? getIdentifier(projectId, loaders) : null),
    }),
    jobSet: t.exposeString('jobSet', {
      description: 'The name of the set of jobs that it is watched and cancelled with.',
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description:
        'The id that the submitter chose: submitting it twice to one queue makes one job. Null when none was chosen.',
    }),
    state: t.expose('state', { type: JobStateEnum, description: 'Where the job stands now.' }),
    priority: t.expose('priority', {
      type: 'BigInt',
      description: 'Its place in its queue: lower numbers start first.',
    }),
    attemptedRuns: t.exposeInt('attemptedRuns', {
      description: 'How many leases were lost or given back after the work may have begun.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', {
      description: 'How many leases may be lost or given back before the job fails.',
    }),
    submittedAt: t.expose('submittedAt', {
      type: 'DateTime',
      description: 'When the job came to its queue.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the job reached a final state; null before that.',
    }),
    runs: t.field({
      type: [JobRunType],
      extensions: { listSize: 5 },
      description: 'Its leases, newest first, at most 100.',
      resolve: (job, _args, { loaders }) => loaders.runsOfJob.load(job.id),
    }),
  }),
});

const JobConnection = connectionType(JobType);

builder.objectField(QueueType, 'jobs', (t) =>
  t.connection(
    {
      type: JobType,
      nullable: true,
      description:
        'The jobs of the queue that you may read, the latest first; null when your scopes do not include `job:read`.',
      resolve: guardedList(
        'job:read',
        queueTarget,
        ({ loaders }) => loaders.jobsOfQueue,
        () => jobOrder,
        (_args: PageArguments) => null,
      ),
    },
    JobConnection,
  ),
);

const JobByInput = byId('JobByInput', 'a job');
const JobRunByInput = byId('JobRunByInput', 'a run of a job');

builder.queryFields((t) => ({
  job: t.field({
    type: JobType,
    nullable: true,
    description: 'One job; null with NOT_FOUND when it is absent or hidden.',
    args: addressOf(JobByInput, 'job'),
    resolve: (_root, { by }, { loaders }) => loaders.job.load((by as ById).id),
  }),
  jobRun: t.field({
    type: JobRunType,
    nullable: true,
    description: 'One lease of a job; null with NOT_FOUND when it is absent or hidden.',
    args: addressOf(JobRunByInput, 'run of a job'),
    resolve: (_root, { by }, { loaders }) => loaders.jobRun.load((by as ById).id),
  }),
}));

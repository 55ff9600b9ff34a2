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
  'The state of a job. It follows the latest run, and goes back to QUEUED when a lease is lost and attempts are left.',
  {
    QUEUED: 'The job waits for an executor.',
    LEASED: 'The server has assigned it to an executor, which has not reported anything about it yet.',
    PENDING: 'The executor has it, and waits for free resources or downloads images and files.',
    RUNNING: 'Its program runs.',
    SUCCEEDED: 'Its program succeeded. Final.',
    FAILED: 'Its program failed, or its last attempt was lost. Final.',
    CANCELLING: 'The job was cancelled, and its executor has not confirmed yet that it has stopped.',
    CANCELLED: 'The job was cancelled, and nothing of it runs any more. Final.',
    PREEMPTING:
      'The job must make room for other work, and its executor has not confirmed yet that it has stopped. Then it is PREEMPTED, or QUEUED again.',
    PREEMPTED: 'It was stopped to make room for other work. Final.',
    REJECTED: 'The server found that the job can never run. Final.',
  },
);

export const JobRunStateEnum = enumOf<JobRunState>(
  'JobRunState',
  'The state of one lease of a job. Each lease of a job is a separate run.',
  {
    LEASED: 'The server has assigned it to an executor, which has not reported anything about it yet.',
    PENDING: 'The executor has it, and waits for free resources or downloads images and files.',
    RUNNING: 'Its program runs. It stays RUNNING while its job is CANCELLING.',
    SUCCEEDED: 'Its program succeeded. Final.',
    FAILED: 'Its program failed; `error` says why. Final.',
    PREEMPTED: 'It was stopped to make room for other work. Final.',
    CANCELLED: 'It was stopped because its job was cancelled. Final.',
    LEASE_EXPIRED:
      'The executor did not renew the lease in time. If it comes back before another executor has the job, the run continues.',
    LEASE_RETURNED:
      'The executor returned the lease without a result. Final; another executor may lease the job.',
  },
);

export const LogStreamEnum = enumOf<LogStream>('LogStream', 'The output stream that a program wrote to.', {
  STDOUT: 'The standard output.',
  STDERR: 'The standard error.',
});

export const LogChunkType = builder.objectRef<LogChunkRow>('LogChunk').implement({
  description: 'A piece of the output of a run.',
  fields: (t) => ({
    sequence: t.exposeInt('sequence', {
      description:
        'The number of the piece in the log of the run. Pass it as `after` to get the pieces after it.',
    }),
    stream: t.expose('stream', {
      type: LogStreamEnum,
      description: 'The output stream that the text was written to.',
    }),
    text: t.exposeString('text', { description: 'The text. A long line may be split into two pieces.' }),
    isCut: t.exposeBoolean('isCut', {
      description:
        'Whether the program did not print the text: it says that output is missing here, because there was too much.',
    }),
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
  description: 'One lease of a job to one executor. Everybody who may read the job may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    executor: t.exposeString('executor', {
      description: 'The name of the executor that has or had the lease.',
    }),
    state: t.expose('state', { type: JobRunStateEnum, description: 'The current state of the run.' }),
    exitCode: t.exposeInt('exitCode', {
      nullable: true,
      description: 'The exit code of the program; null before it has ended, and if a signal killed it.',
    }),
    error: t.field({
      type: WorkErrorType,
      nullable: true,
      description: 'Why the run failed; null if it did not fail.',
      resolve: workErrorOf,
    }),
    leasedAt: t.expose('leasedAt', {
      type: 'DateTime',
      description: 'When the server assigned the job to the executor.',
    }),
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
        'The output of the program, in pieces. You can read it while the program runs and afterwards. The server keeps the first 2 MiB, and then one piece that says that the rest is missing.',
      args: {
        after: t.arg.int({
          description: 'Only pieces with a higher number than this.',
          defaultValue: -1,
        }),
        first: t.arg.int({
          description: `How many pieces: 1 to ${MAX_LOG_CHUNKS}.`,
          defaultValue: DEFAULT_LOG_CHUNKS,
        }),
      },
      resolve: (run, { after, first }, { loaders }) => {
        if (first == null || first < 1 || first > MAX_LOG_CHUNKS)
          throw InvalidArgumentError.of(['first'], `first must be between 1 and ${MAX_LOG_CHUNKS}`);
        return loaders.logOfRun.load({ parentId: run.id, page: { after: after ?? -1, first } });
      },
    }),
  }),
});

export const JobType = builder.objectRef<JobRow>('Job').implement({
  description:
    'A unit of work on a queue. Everybody who may read the queue, or the workflow of the execution, may read it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    queue: t.exposeString('queue', { description: 'The name of the queue of the job.' }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project of the work; null if there is none, or if it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (job, { loaders }) => (job.projectId ? loaders.project.load({ id: job.projectId }) : null),
        projectTarget,
      ),
    }),
    projectIdentifier: t.string({
      nullable: true,
      description:
        'The identifier of the project, or null if there is none. It is shown even if the project is hidden from you.',
      resolve: ({ projectId }, _args, { loaders }) => (projectId ? getIdentifier(projectId, loaders) : null),
    }),
    jobSet: t.exposeString('jobSet', {
      description: 'The name of the job set. The jobs of one job set are watched and cancelled together.',
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description:
        'The id that the submitter chose; null if none was chosen. If a client submits the same id twice to a queue, there is only one job.',
    }),
    state: t.expose('state', { type: JobStateEnum, description: 'The current state of the job.' }),
    priority: t.expose('priority', {
      type: 'BigInt',
      description: 'The priority in its queue: jobs with lower numbers start first.',
    }),
    attemptedRuns: t.exposeInt('attemptedRuns', {
      description: 'How many leases were lost or returned after the work had possibly begun.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', {
      description: 'How many leases can be lost or returned before the job fails.',
    }),
    submittedAt: t.expose('submittedAt', {
      type: 'DateTime',
      description: 'When the job was submitted.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the job reached a final state; null before that.',
    }),
    runs: t.field({
      type: [JobRunType],
      extensions: { listSize: 5 },
      description: 'The leases of the job, newest first, at most 100.',
      resolve: (job, _args, { loaders }) => loaders.runsOfJob.load(job.id),
    }),
  }),
});

export const JobConnection = connectionType(JobType);

builder.objectField(QueueType, 'jobs', (t) =>
  t.connection(
    {
      type: JobType,
      nullable: true,
      description:
        'The jobs of the queue that you may read, newest first; null if your scopes do not include `job:read`.',
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

export const JobByInput = byId('JobByInput', 'a job');
const JobRunByInput = byId('JobRunByInput', 'a run of a job');

builder.queryFields((t) => ({
  job: t.field({
    type: JobType,
    nullable: true,
    description: 'One job. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(JobByInput, 'job'),
    resolve: (_root, { by }, { loaders }) => loaders.job.load((by as ById).id),
  }),
  jobRun: t.field({
    type: JobRunType,
    nullable: true,
    description: 'One lease of a job. Null and NOT_FOUND if it does not exist or you may not see it.',
    args: addressOf(JobRunByInput, 'run of a job'),
    resolve: (_root, { by }, { loaders }) => loaders.jobRun.load((by as ById).id),
  }),
}));

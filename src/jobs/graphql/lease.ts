import { textsIn } from '../../blobs/domain/texts.ts';
import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import type { ErrorKind } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { leaseJobs } from '../commands/lease-jobs.ts';
import { renewLeases } from '../commands/renew-leases.ts';
import { type ReportOutcome, reportJobEvents } from '../commands/report-job-events.ts';
import { reportRunLog } from '../commands/report-run-log.ts';
import { returnLease } from '../commands/return-lease.ts';
import type { ReportableKind } from '../domain/states.ts';
import type { LeasedRun } from '../store/leases.ts';
import { LogStreamEnum } from './job.ts';

const DEFAULT_POOL = 'default';

/** The calls of executors. All need the scope `executor`, which only service accounts of role SYSTEM may use. */

const LeasedRunType = builder.objectRef<LeasedRun>('LeasedRun').implement({
  description: 'A run that an executor has to start, with all that it needs for it.',
  fields: (t) => ({
    id: t.id({
      description: "The run's id. It fences the run: every report about it names this id.",
      resolve: (run) => run.runId,
    }),
    jobId: t.exposeID('jobId', { description: 'The id of the job that the run is a lease of.' }),
    queue: t.exposeString('queue', { description: 'The name of the queue that the job waited on.' }),
    jobSet: t.exposeString('jobSet', { description: 'The name of the set of jobs that the job belongs to.' }),
    container: t.field({
      type: 'JSON',
      description: 'The program to run: `{image, command[], args[], env[{key, value}], resources}`.',
      resolve: (run) => run.spec.container,
    }),
    interface: t.field({
      type: 'JSON',
      description:
        "The inputs and outputs that it declares: `{inputs: {name: {type}}, outputs: {name: {type}}}`, with types as Flyte's LiteralType.",
      resolve: (run) => run.spec.interface,
    }),
    inputs: t.field({
      type: 'JSON',
      description: 'An object from the name of each input to its plain value. A file is its URI.',
      resolve: (run) => run.spec.inputs,
    }),
    environment: t.field({
      type: 'JSON',
      description: 'An object of environment variables that tell the program what it is part of.',
      resolve: (run) => run.spec.environment,
    }),
    activeDeadline: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long it may run; null is no limit.',
      resolve: (run) => (run.activeDeadlineSeconds === null ? null : run.activeDeadlineSeconds * 1000),
    }),
    terminationGrace: t.field({
      type: 'Duration',
      description: 'How long the program has between being asked to end and being killed.',
      resolve: (run) => run.spec.terminationGraceSeconds * 1000,
    }),
    inputBlobs: t.field({
      type: [SignedBlobType],
      extensions: { listSize: 10 },
      description: 'The files stored on this server that the inputs name, with addresses to fetch them from.',
      resolve: (run, _args, { loaders }) => signedBlobs(run, textsIn(run.spec.inputs), loaders),
    }),
  }),
});

const ExecutorNodeInput = builder.inputType('ExecutorNodeInput', {
  description: 'A machine that an executor runs work on.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name of the machine, unique in its executor.' }),
    allocatable: t.field({
      type: 'JSON',
      description: 'An object from resource name to what the machine has for work, as Kubernetes quantities.',
    }),
  }),
});

const LeaseJobsInput = builder.inputType('LeaseJobsInput', {
  description: 'What an executor has and what it would take.',
  fields: (t) => ({
    executor: t.string({
      required: true,
      description: "The executor's name, a DNS-1123 label. Each name is for one process only.",
    }),
    instance: t.id({
      description:
        'A UUIDv7 that the calling process chose, the same in all its calls. While the process that has the name lives, calls with another id answer FailedPreconditionError. It loses the name when it was silent for a lease.',
    }),
    isLast: t.boolean({
      defaultValue: false,
      description:
        'Whether this is the last call of the process. Another process may then have the name at once.',
    }),
    pool: t.string({
      defaultValue: DEFAULT_POOL,
      description: 'The pool of executors that it belongs to, a DNS-1123 label.',
    }),
    nodes: t.field({
      type: [ExecutorNodeInput],
      defaultValue: [],
      description: 'The machines that it runs work on.',
    }),
    knownRuns: t.idList({
      required: true,
      description: 'The ids of all runs that it knows of, started or not. Their leases are renewed.',
    }),
    stoppingRuns: t.idList({
      defaultValue: [],
      description:
        'The ids of those `knownRuns` that the executor is stopping already. Their leases are renewed too, and the call does not answer because of them.',
    }),
    maxJobs: t.int({ required: true, description: 'How many more jobs it would take: 0 to 100.' }),
    wait: t.field({
      type: 'Duration',
      defaultValue: 0,
      description: 'How long the call may wait until there is something to answer: at most 30 s.',
    }),
  }),
});

interface LeasePayload {
  readonly runs: readonly LeasedRun[];
  readonly cancelRuns: readonly string[];
  readonly leaseExpiresAt: Date;
  readonly leaseMs: number;
}

const LeaseJobsPayload = builder.objectRef<LeasePayload>('LeaseJobsPayload').implement({
  description: 'What an executor has to start and to stop.',
  fields: (t) => ({
    runs: t.field({
      type: [LeasedRunType],
      extensions: { listSize: 50 },
      description:
        'Runs that were assigned to the executor and that `knownRuns` did not name, oldest first. They are repeated until it does.',
      resolve: (payload) => [...payload.runs],
    }),
    cancelRuns: t.field({
      type: ['ID'],
      description:
        'Runs from `knownRuns` that the executor must stop: somebody cancelled them, or they have ended for the server. The executor names each until nothing of it is left, and then reports CANCELLED.',
      resolve: (payload) => [...payload.cancelRuns],
    }),
    leaseExpiresAt: t.expose('leaseExpiresAt', {
      type: 'DateTime',
      description:
        "When the leases of the known runs end, unless the executor calls again. By the server's clock.",
    }),
    leaseDuration: t.field({
      type: 'Duration',
      description:
        'The same as a length of time, counted from the moment when the call was sent. It is right whatever the clock of the executor says.',
      resolve: (payload) => payload.leaseMs,
    }),
  }),
});

const RenewLeasesInput = builder.inputType('RenewLeasesInput', {
  description: 'Leases to renew.',
  fields: (t) => ({
    runs: t.idList({ required: true, description: 'The ids of the runs that the executor holds.' }),
  }),
});

const RenewLeasesPayload = builder.objectRef<{ held: string[] }>('RenewLeasesPayload').implement({
  description: 'What `renewLeases` answers when it succeeds.',
  fields: (t) => ({
    held: t.exposeIDList('held', {
      description:
        'The ids of the runs to go on with. The others must be stopped: somebody cancelled them, or they have ended for the server.',
    }),
  }),
});

const ReturnLeaseInput = builder.inputType('ReturnLeaseInput', {
  description: 'A run to give back.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    reason: t.string({ required: true, description: 'Why the executor gives it back, for people.' }),
    attempted: t.boolean({
      required: true,
      description: 'Whether the work may have begun. Only then does it count among the attempts of the job.',
    }),
  }),
});

const ReturnLeasePayload = builder.objectRef<{ returned: boolean }>('ReturnLeasePayload').implement({
  description: 'What `returnLease` answers when it succeeds.',
  fields: (t) => ({
    returned: t.exposeBoolean('returned', {
      description: 'Whether the lease was given back. False when the run had ended already.',
    }),
  }),
});

const JobEventReportKindEnum = enumOf<ReportableKind>(
  'JobEventReportKind',
  'What an executor can report about a run.',
  {
    PENDING: 'It has the run, and waits for a place or fetches images and files.',
    RUNNING: 'The program runs.',
    SUCCEEDED: 'The program ended well. `outputs` says what it put out.',
    FAILED: 'The program failed, or could not be run. `error` says why.',
    CANCELLED: 'The executor was told to stop the run, and nothing of it is left.',
  },
);

const JobErrorKindEnum = enumOf<Exclude<ErrorKind, 'UNKNOWN'>>(
  'JobErrorKind',
  'Who or what caused a failure. An executor always knows which.',
  {
    USER: 'The work itself failed: the code of the task, or its input.',
    SYSTEM: 'What ran the work failed: the executor or its machine.',
  },
);

const JobErrorInput = builder.inputType('JobErrorInput', {
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'A stable word for programs, at most 255 characters.' }),
    message: t.string({
      required: true,
      description: 'What happened, for people. What is beyond 8192 characters is cut.',
    }),
    kind: t.field({
      type: JobErrorKindEnum,
      required: true,
      description: 'Whether the work failed, or what ran it.',
    }),
  }),
});

const JobEventInput = builder.inputType('JobEventInput', {
  description: 'One report about a run.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    kind: t.field({ type: JobEventReportKindEnum, required: true, description: 'What happened to it.' }),
    occurredAt: t.field({
      type: 'DateTime',
      required: true,
      description: "When it happened, by the executor's clock.",
    }),
    exitCode: t.int({ description: 'The exit code of the program, when it has ended by itself.' }),
    error: t.field({
      type: JobErrorInput,
      description: 'Why the run failed. Required for FAILED, and only there.',
    }),
    outputs: t.field({
      type: 'JSON',
      description: 'For SUCCEEDED: an object from the name of each output to its plain value.',
    }),
  }),
});

const ReportJobEventsInput = builder.inputType('ReportJobEventsInput', {
  description: 'Reports about runs.',
  fields: (t) => ({
    events: t.field({
      type: [JobEventInput],
      required: true,
      description: 'The reports in the order in which things happened, at most 500.',
    }),
  }),
});

const ReportOutcomeEnum = enumOf<ReportOutcome>('ReportOutcome', 'What became of one report.', {
  APPLIED: 'The run moved.',
  REPEATED: 'The run is in that state, or has passed it. Nothing changed.',
  FENCED:
    "The run has ended otherwise, or is not the executor's. Stop it: further reports about it are ignored.",
});

const ReportJobEventsPayload = builder
  .objectRef<{ outcomes: ReportOutcome[] }>('ReportJobEventsPayload')
  .implement({
    description: 'What `reportJobEvents` answers when it succeeds.',
    fields: (t) => ({
      outcomes: t.expose('outcomes', {
        type: [ReportOutcomeEnum],
        description: 'One outcome for each event, in the order of the request.',
      }),
    }),
  });

const LogChunkInput = builder.inputType('LogChunkInput', {
  description: 'A piece of what a run printed.',
  fields: (t) => ({
    sequence: t.int({
      required: true,
      description: 'The number of the piece: from 0, without gaps. A number that was sent before is ignored.',
    }),
    stream: t.field({
      type: LogStreamEnum,
      required: true,
      description: 'The output that the text was written to.',
    }),
    text: t.string({ required: true, description: 'The text, at most 64 KiB.' }),
    printedAt: t.field({
      type: 'DateTime',
      required: true,
      description: "When it was printed, by the executor's clock.",
    }),
  }),
});

const ReportRunLogInput = builder.inputType('ReportRunLogInput', {
  description: 'What a run printed since the last report.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    chunks: t.field({
      type: [LogChunkInput],
      required: true,
      description: 'The pieces in their order, at most 200.',
    }),
  }),
});

const ReportRunLogPayload = builder.objectRef<{ stored: number }>('ReportRunLogPayload').implement({
  description: 'What `reportRunLog` answers when it succeeds.',
  fields: (t) => ({
    stored: t.exposeInt('stored', {
      description: 'How many of the pieces were new and within the 2 MiB that are kept of a run.',
    }),
  }),
});

builder.mutationFields((t) => ({
  leaseJobs: t.field({
    type: LeaseJobsPayload,
    nullable: true,
    description:
      'Tells the server that an executor lives, renews its leases, and waits for runs to start and to stop. Requires the scope `executor`. Repeating it is safe.',
    extensions: { longPoll: true },
    errors: { types: [InvalidArgumentError, FailedPreconditionError] },
    args: inputOf(LeaseJobsInput),
    resolve: (_root, { input }, context) =>
      leaseJobs(
        callerOf(context),
        {
          executor: input.executor,
          instance: input.instance ?? null,
          isLast: input.isLast ?? false,
          pool: input.pool ?? DEFAULT_POOL,
          nodes: input.nodes ?? [],
          knownRuns: input.knownRuns,
          stoppingRuns: input.stoppingRuns ?? [],
          maxJobs: input.maxJobs,
          waitMs: input.wait ?? 0,
        },
        { leaseSeconds: controlPlaneConfig.leaseSeconds, signal: context.signal },
      ),
  }),
  renewLeases: t.field({
    type: RenewLeasesPayload,
    nullable: true,
    description:
      'Renews leases, for executors that do it apart from `leaseJobs`. Requires the scope `executor`.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(RenewLeasesInput),
    resolve: async (_root, { input }, context) => ({
      held: await renewLeases(callerOf(context), input.runs, controlPlaneConfig.leaseSeconds),
    }),
  }),
  returnLease: t.field({
    type: ReturnLeasePayload,
    nullable: true,
    description:
      'Gives a run back without a result. Requires the scope `executor`. Its job waits again, fails when its attempts are used up, or is CANCELLED if it was CANCELLING.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: inputOf(ReturnLeaseInput),
    resolve: async (_root, { input }, context) => ({
      returned: await returnLease(callerOf(context), {
        runId: input.run,
        reason: input.reason,
        attempted: input.attempted,
      }),
    }),
  }),
  reportJobEvents: t.field({
    type: ReportJobEventsPayload,
    nullable: true,
    description:
      'Reports what happened to runs. Requires the scope `executor`. Reporting the same twice changes nothing.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError, ResourceExhaustedError] },
    args: inputOf(ReportJobEventsInput),
    resolve: async (_root, { input }, context) => ({
      outcomes: await reportJobEvents(
        callerOf(context),
        input.events.map((event) => ({
          runId: event.run,
          kind: event.kind,
          occurredAt: event.occurredAt,
          exitCode: event.exitCode ?? null,
          error: event.error ?? null,
          outputs: (event.outputs as Record<string, unknown> | null | undefined) ?? null,
        })),
        controlPlaneConfig,
      ),
    }),
  }),
  reportRunLog: t.field({
    type: ReportRunLogPayload,
    nullable: true,
    description:
      'Reports what a run printed. Requires the scope `executor`. Reporting the same twice changes nothing; what is beyond 2 MiB of a run is dropped.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: inputOf(ReportRunLogInput),
    resolve: async (_root, { input }, context) => ({
      stored: await reportRunLog(callerOf(context), input.run, input.chunks),
    }),
  }),
}));

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
import { withUniformityValue } from '../domain/submitting/job-environment.ts';
import type { LeasedRun } from '../store/leases.ts';
import { ExecutorNodeInput, reportedNode } from './executor-node-input.ts';
import { LogStreamEnum } from './job.ts';

const DEFAULT_POOL = 'default';

/**
 * The calls of executors. All require the scope `executor`, which only service accounts with the role SYSTEM can have.
 */

const LeasedRunType = builder.objectRef<LeasedRun>('LeasedRun').implement({
  description: 'A run that the executor must start, with everything that it needs for it.',
  fields: (t) => ({
    id: t.id({
      description: 'The id of the run. Every report about the run must name it.',
      resolve: (run) => run.runId,
    }),
    jobId: t.exposeID('jobId', { description: 'The id of the job of this run.' }),
    queue: t.exposeString('queue', { description: 'The name of the queue of the job.' }),
    jobSet: t.exposeString('jobSet', { description: 'The name of the job set of the job.' }),
    node: t.exposeString('node', {
      nullable: true,
      description:
        'The name of the node on which the program must run; null if the executor reported no nodes, and then it chooses.',
    }),
    container: t.field({
      type: 'JSON',
      description: 'The program to run: `{image, command[], args[], env[{key, value}], resources}`.',
      resolve: (run) => run.spec.container,
    }),
    interface: t.field({
      type: 'JSON',
      description:
        "The declared inputs and outputs: `{inputs: {name: {type}}, outputs: {name: {type}}}`, with types as Flyte's LiteralType.",
      resolve: (run) => run.spec.interface,
    }),
    inputs: t.field({
      type: 'JSON',
      description:
        'The inputs as plain values, as an object with the name of each input. The value of a file is its URI.',
      resolve: (run) => run.spec.inputs,
    }),
    inputLiterals: t.field({
      type: 'JSON',
      description:
        "The inputs that plain values do not say completely, as an object with Flyte's Literal by the name of each input: for example the variant of a union, the hash of a value, or the format of bytes. For these inputs the literal counts, and `inputs` has their plain values as well.",
      resolve: (run) => run.spec.inputLiterals ?? {},
    }),
    environment: t.field({
      type: 'JSON',
      description:
        'Environment variables that tell the program its execution, node and attempt, or its queue, job set and gang.',
      resolve: ({ spec, uniformityValue }) =>
        withUniformityValue(spec.environment, uniformityValue, spec.container.env),
    }),
    activeDeadline: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long the program may run; null means no limit.',
      resolve: (run) => (run.activeDeadlineSeconds === null ? null : run.activeDeadlineSeconds * 1000),
    }),
    interruptible: t.boolean({
      description: 'Whether the program may run on a machine that the provider can take away.',
      resolve: (run) => run.spec.interruptible ?? false,
    }),
    terminationGrace: t.field({
      type: 'Duration',
      description: 'How long the executor waits after it asks the program to end before it kills it.',
      resolve: (run) => run.spec.terminationGraceSeconds * 1000,
    }),
    inputBlobs: t.field({
      type: [SignedBlobType],
      extensions: { listSize: 10 },
      description: 'The files in the inputs that are stored on this server, with URLs to download them.',
      resolve: (run, _args, { loaders }) => signedBlobs(run, textsIn(run.spec.inputs), loaders),
    }),
  }),
});

const LeaseJobsInput = builder.inputType('LeaseJobsInput', {
  description: 'The state of an executor, and how many jobs it can take.',
  fields: (t) => ({
    executor: t.string({
      required: true,
      description: 'The name of the executor, a DNS-1123 label. Only one process may use a name at a time.',
    }),
    instance: t.id({
      description:
        'A UUIDv7 that the calling process chooses and sends in all its calls. While this process lives, the server refuses calls of other processes under the same executor name with FailedPreconditionError. A process loses the name when it is silent for the time of a lease.',
    }),
    isLast: t.boolean({
      defaultValue: false,
      description:
        'True if this is the last call of the process. Another process can then use the name at once.',
    }),
    pool: t.string({
      defaultValue: DEFAULT_POOL,
      description: 'The pool of the executor, a DNS-1123 label. The executor gets only jobs of this pool.',
    }),
    nodes: t.field({
      type: [ExecutorNodeInput],
      defaultValue: [],
      description: 'The machines of the executor.',
    }),
    knownRuns: t.idList({
      required: true,
      description:
        'The ids of all runs that the executor knows, even if it has not started them. The server renews their leases.',
    }),
    stoppingRuns: t.idList({
      defaultValue: [],
      description:
        'The ids of the `knownRuns` that the executor is already stopping. The server renews their leases too, and does not answer early because of them.',
    }),
    maxJobs: t.int({ required: true, description: 'How many more jobs the executor can take: 0 to 100.' }),
    wait: t.field({
      type: 'Duration',
      defaultValue: 0,
      description: 'How long the server may wait for something to answer: at most 30 s.',
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
  description: 'The runs that an executor must start and stop.',
  fields: (t) => ({
    runs: t.field({
      type: [LeasedRunType],
      extensions: { listSize: 50 },
      description:
        'Runs that are assigned to the executor and not in `knownRuns`, oldest first. The server repeats them until they are in `knownRuns`.',
      resolve: (payload) => [...payload.runs],
    }),
    cancelRuns: t.field({
      type: ['ID'],
      description:
        'Runs from `knownRuns` that the executor must stop, because they are cancelled or have ended for the server. The executor keeps them in `knownRuns` until they have stopped, and then reports CANCELLED.',
      resolve: (payload) => [...payload.cancelRuns],
    }),
    leaseExpiresAt: t.expose('leaseExpiresAt', {
      type: 'DateTime',
      description:
        'When the leases of the known runs end if the executor does not call again, by the clock of the server.',
    }),
    leaseDuration: t.field({
      type: 'Duration',
      description:
        'How long the leases last, counted from the moment when the executor sent the call. Use this if the clocks may differ.',
      resolve: (payload) => payload.leaseMs,
    }),
  }),
});

const RenewLeasesInput = builder.inputType('RenewLeasesInput', {
  description: 'Leases to renew.',
  fields: (t) => ({
    runs: t.idList({ required: true, description: 'The ids of the runs whose leases are renewed.' }),
  }),
});

const RenewLeasesPayload = builder.objectRef<{ held: string[] }>('RenewLeasesPayload').implement({
  description: 'What `renewLeases` answers when it succeeds.',
  fields: (t) => ({
    held: t.exposeIDList('held', {
      description:
        'The ids of the runs to continue. The executor must stop the others, because they are cancelled or have ended for the server.',
    }),
  }),
});

const ReturnLeaseInput = builder.inputType('ReturnLeaseInput', {
  description: 'A run whose lease the executor returns.',
  fields: (t) => ({
    run: t.id({ required: true, description: 'The id of the run.' }),
    reason: t.string({ required: true, description: 'Why the executor returns the lease, for people.' }),
    attempted: t.boolean({
      required: true,
      description:
        'Whether the work has possibly begun. If it has, the lease counts as an attempt of the job.',
    }),
  }),
});

const ReturnLeasePayload = builder.objectRef<{ returned: boolean }>('ReturnLeasePayload').implement({
  description: 'What `returnLease` answers when it succeeds.',
  fields: (t) => ({
    returned: t.exposeBoolean('returned', {
      description: 'Whether the lease was returned. False if the run had already ended.',
    }),
  }),
});

const JobEventReportKindEnum = enumOf<ReportableKind>(
  'JobEventReportKind',
  'What an executor can report about a run.',
  {
    PENDING: 'The executor has the run, and waits for free resources or downloads images and files.',
    RUNNING: 'The program runs.',
    SUCCEEDED: 'The program succeeded. `outputs` has its outputs.',
    FAILED: 'The program failed, or could not be run. `error` says why.',
    CANCELLED: 'The server asked for the end of the run, and nothing of it runs any more.',
  },
);

const JobErrorKindEnum = enumOf<Exclude<ErrorKind, 'UNKNOWN'>>(
  'JobErrorKind',
  'What caused a failure. An executor must know the cause, so there is no UNKNOWN.',
  {
    USER: 'The work itself failed: the code of the task, or its input.',
    SYSTEM: 'The system failed: the executor or its machine.',
  },
);

const JobErrorInput = builder.inputType('JobErrorInput', {
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.string({
      required: true,
      description: 'The kind of error, a fixed word for programs, at most 255 characters.',
    }),
    message: t.string({
      required: true,
      description: 'What happened, for people. The server keeps the first 8192 characters.',
    }),
    kind: t.field({
      type: JobErrorKindEnum,
      required: true,
      description: 'Whether the cause is the work itself or the system that runs it.',
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
    exitCode: t.int({ description: 'The exit code of the program, if it has ended by itself.' }),
    error: t.field({
      type: JobErrorInput,
      description: 'Why the run failed. Required for FAILED, and not allowed for other states.',
    }),
    outputs: t.field({
      type: 'JSON',
      description:
        'Only for SUCCEEDED: the outputs as plain values, as an object with the name of each output.',
    }),
    outputLiterals: t.field({
      type: 'JSON',
      description:
        "Only for SUCCEEDED: the outputs that plain values do not say completely, as an object with Flyte's Literal by the name of each output: for example if several variants of a union accept the plain value. For these outputs the literal counts, and the plain value is ignored.",
    }),
  }),
});

const ReportJobEventsInput = builder.inputType('ReportJobEventsInput', {
  description: 'Reports about runs.',
  fields: (t) => ({
    events: t.field({
      type: [JobEventInput],
      required: true,
      description: 'The reports, oldest first, at most 500.',
    }),
  }),
});

const ReportOutcomeEnum = enumOf<ReportOutcome>('ReportOutcome', 'What the server did with one report.', {
  APPLIED: 'The server stored the report.',
  REPEATED: 'The run is already in this state or a later one. Nothing changed.',
  FENCED:
    'The run has ended in another way, or it does not belong to this executor. The executor must stop it; further reports about it are ignored.',
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
  description: 'A piece of the output of a run.',
  fields: (t) => ({
    sequence: t.int({
      required: true,
      description:
        'The number of the piece, from 0 without gaps. The server ignores a number that it already has.',
    }),
    stream: t.field({
      type: LogStreamEnum,
      required: true,
      description: 'The output stream that the text was written to.',
    }),
    text: t.string({ required: true, description: 'The text, at most 64 KiB.' }),
    printedAt: t.field({
      type: 'DateTime',
      required: true,
      description: 'When the run printed the text, by the clock of the executor.',
    }),
  }),
});

const ReportRunLogInput = builder.inputType('ReportRunLogInput', {
  description: 'The output of a run since the last report.',
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
      description:
        'How many pieces the server stored. It ignores repeated pieces, and everything after the first 2 MiB of a run.',
    }),
  }),
});

builder.mutationFields((t) => ({
  leaseJobs: t.field({
    type: LeaseJobsPayload,
    nullable: true,
    description:
      'Tells the server that an executor is alive, renews its leases, and waits for runs to start and to stop. Requires the scope `executor`. It is safe to repeat the call.',
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
          nodes: (input.nodes ?? []).map(reportedNode),
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
      'Renews leases, for executors that do not renew them with `leaseJobs`. Requires the scope `executor`.',
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
      'Returns a lease without a result. Requires the scope `executor`. The job waits again. It fails if it has no attempts left, and it is CANCELLED if it was CANCELLING.',
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
      'Reports what happened to runs. Requires the scope `executor`. It is safe to repeat a report.',
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
          outputLiterals: (event.outputLiterals as Record<string, unknown> | null | undefined) ?? null,
        })),
        controlPlaneConfig,
      ),
    }),
  }),
  reportRunLog: t.field({
    type: ReportRunLogPayload,
    nullable: true,
    description:
      'Reports the output of a run. Requires the scope `executor`. It is safe to repeat a report. The server keeps the first 2 MiB of a run.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: inputOf(ReportRunLogInput),
    resolve: async (_root, { input }, context) => ({
      stored: await reportRunLog(callerOf(context), input.run, input.chunks),
    }),
  }),
}));

import { textsIn } from '../../blobs/domain/texts.ts';
import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { InvalidArgumentError, ResourceExhaustedError } from '../../platform/errors.ts';
import { leaseJobs } from '../commands/lease-jobs.ts';
import { renewLeases } from '../commands/renew-leases.ts';
import { type ReportOutcome, reportJobEvents } from '../commands/report-job-events.ts';
import { reportRunLog } from '../commands/report-run-log.ts';
import { returnLease } from '../commands/return-lease.ts';
import type { ReportableKind } from '../domain/states.ts';
import type { LeasedRun } from '../store/leases.ts';
import { LogStreamEnum } from './job.ts';

/** The calls of executors. All need the scope `executor`, which only service accounts of role SYSTEM may use. */

const LeasedRunType = builder.objectRef<LeasedRun>('LeasedRun').implement({
  description: 'A run that the executor has to begin, and all that takes.',
  fields: (t) => ({
    id: t.id({
      description: 'Fences the run: everything said of it names this id.',
      resolve: (run) => run.runId,
    }),
    jobId: t.id({ resolve: (run) => run.jobId }),
    queue: t.exposeString('queue'),
    jobSet: t.exposeString('jobSet'),
    container: t.field({
      type: 'JSON',
      description: '`{image, command[], args[], env[{key, value}], resources}`',
      resolve: (run) => run.spec.container,
    }),
    interface: t.field({
      type: 'JSON',
      description: "`{inputs: {name: {type}}, outputs: {name: {type}}}`, types as Flyte's LiteralType.",
      resolve: (run) => run.spec.interface,
    }),
    inputs: t.field({
      type: 'JSON',
      description: 'Plain values by name; a file is its uri.',
      resolve: (run) => run.spec.inputs,
    }),
    environment: t.field({
      type: 'JSON',
      description: 'Variables that tell what the work is part of, by name.',
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
      description: 'Between being asked to end and being killed.',
      resolve: (run) => run.spec.terminationGraceSeconds * 1000,
    }),
    inputBlobs: t.field({
      type: [SignedBlobType],
      extensions: { listSize: 10 },
      description: 'The files of ours among the inputs, with addresses to fetch them from.',
      resolve: (run, _args, { loaders }) => signedBlobs(run, textsIn(run.spec.inputs), loaders),
    }),
  }),
});

const ExecutorNodeInput = builder.inputType('ExecutorNodeInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    allocatable: t.field({
      type: 'JSON',
      description: 'Kubernetes quantities by resource name.',
    }),
  }),
});

const LeaseJobsInput = builder.inputType('LeaseJobsInput', {
  fields: (t) => ({
    executor: t.string({
      required: true,
      description: "The executor's name, a DNS-1123 label; one process a name.",
    }),
    pool: t.string({ defaultValue: 'default' }),
    nodes: t.field({ type: [ExecutorNodeInput] }),
    knownRuns: t.idList({
      required: true,
      description: 'Every run that the executor has, also those it only heard of: their leases are renewed.',
    }),
    stoppingRuns: t.idList({
      defaultValue: [],
      description:
        'Those of `knownRuns` that the executor is stopping already. Their leases are renewed too, and the call does not answer because of them.',
    }),
    maxJobs: t.int({
      required: true,
      description: 'How many more it would take: 0 to 100.',
    }),
    wait: t.field({
      type: 'Duration',
      description: 'How long to wait for something to say: at most 30 s.',
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
  fields: (t) => ({
    runs: t.field({
      type: [LeasedRunType],
      extensions: { listSize: 50 },
      description:
        'Runs assigned to the executor that it has not named, oldest first; repeated until it does.',
      resolve: (payload) => [...payload.runs],
    }),
    cancelRuns: t.field({
      type: ['ID'],
      description:
        'Of the runs that it named, those that it must stop: somebody cancelled them, or they have ended for the server. It reports CANCELLED when nothing of them is left, and names them until then.',
      resolve: (payload) => [...payload.cancelRuns],
    }),
    leaseExpiresAt: t.field({
      type: 'DateTime',
      description: 'Until when the named runs are its own, unless it calls again.',
      resolve: (payload) => payload.leaseExpiresAt,
    }),
    leaseDuration: t.field({
      type: 'Duration',
      description:
        'The same as a length of time, from the moment the call was sent: right whatever the clock of the executor says.',
      resolve: (payload) => payload.leaseMs,
    }),
  }),
});

const RenewLeasesInput = builder.inputType('RenewLeasesInput', {
  fields: (t) => ({ runs: t.idList({ required: true }) }),
});

const RenewLeasesPayload = builder.objectRef<{ held: string[] }>('RenewLeasesPayload').implement({
  fields: (t) => ({
    held: t.field({
      type: ['ID'],
      description:
        'The runs to go on with. The others must be stopped: somebody cancelled them, or they have ended for the server.',
      resolve: (payload) => payload.held,
    }),
  }),
});

const ReturnLeaseInput = builder.inputType('ReturnLeaseInput', {
  fields: (t) => ({
    run: t.id({ required: true }),
    reason: t.string({ required: true }),
    attempted: t.boolean({
      required: true,
      description: 'Whether the work may have begun; only then does it count among the attempts of the job.',
    }),
  }),
});

const ReturnLeasePayload = builder.objectRef<{ returned: boolean }>('ReturnLeasePayload').implement({
  fields: (t) => ({
    returned: t.exposeBoolean('returned', {
      description: 'False when the run had ended already.',
    }),
  }),
});

const JobEventReportKind = builder.enumType('JobEventReportKind', {
  description: 'What an executor reports of a run.',
  values: {
    PENDING: { description: 'It is being prepared.' },
    RUNNING: { description: 'It runs.' },
    SUCCEEDED: { description: 'It ended well; with its outputs.' },
    FAILED: { description: 'It failed; with the error.' },
    CANCELLED: { description: 'The executor was told to stop it, and nothing of it is left.' },
  } satisfies Record<ReportableKind, object>,
});

const JobErrorKind = builder.enumType('JobErrorKind', {
  description: 'What an executor may say: it always knows whose fault it was.',
  values: ['USER', 'SYSTEM'] as const,
});

const JobErrorInput = builder.inputType('JobErrorInput', {
  fields: (t) => ({
    code: t.string({ required: true }),
    message: t.string({ required: true }),
    kind: t.field({ type: JobErrorKind, required: true }),
  }),
});

const JobEventInput = builder.inputType('JobEventInput', {
  fields: (t) => ({
    run: t.id({ required: true }),
    kind: t.field({ type: JobEventReportKind, required: true }),
    occurredAt: t.field({ type: 'DateTime', required: true }),
    exitCode: t.int(),
    error: t.field({
      type: JobErrorInput,
      description: 'Of FAILED, where it is required.',
    }),
    outputs: t.field({
      type: 'JSON',
      description: 'Of SUCCEEDED: plain values by name.',
    }),
  }),
});

const ReportJobEventsInput = builder.inputType('ReportJobEventsInput', {
  fields: (t) => ({
    events: t.field({
      type: [JobEventInput],
      required: true,
      description: 'At most 500.',
    }),
  }),
});

const ReportOutcomeEnum = builder.enumType('ReportOutcome', {
  values: {
    APPLIED: { description: 'The run moved.' },
    REPEATED: {
      description:
        'The run is in that state or has passed it. The report is acknowledged and changes nothing.',
    },
    FENCED: {
      description: "The run has ended otherwise, or is not the executor's: stop it, no report of it counts.",
    },
  } as const,
});

const ReportJobEventsPayload = builder
  .objectRef<{ outcomes: ReportOutcome[] }>('ReportJobEventsPayload')
  .implement({
    fields: (t) => ({
      outcomes: t.field({
        type: [ReportOutcomeEnum],
        description: 'One for each event, in the order of the request.',
        resolve: (payload) => payload.outcomes,
      }),
    }),
  });

const LogChunkInput = builder.inputType('LogChunkInput', {
  fields: (t) => ({
    sequence: t.int({
      required: true,
      description: 'From 0, without gaps; a sequence that is known is dropped.',
    }),
    stream: t.field({
      type: LogStreamEnum,
      required: true,
    }),
    text: t.string({ required: true }),
    at: t.field({ type: 'DateTime', required: true }),
  }),
});

const ReportRunLogInput = builder.inputType('ReportRunLogInput', {
  fields: (t) => ({
    run: t.id({ required: true }),
    chunks: t.field({
      type: [LogChunkInput],
      required: true,
      description: 'At most 200, of at most 64 KiB each.',
    }),
  }),
});

const ReportRunLogPayload = builder.objectRef<{ stored: number }>('ReportRunLogPayload').implement({
  fields: (t) => ({
    stored: t.exposeInt('stored', {
      description: 'How many were new and within the bound of the run.',
    }),
  }),
});

builder.mutationFields((t) => ({
  leaseJobs: t.field({
    type: LeaseJobsPayload,
    nullable: true,
    description:
      'The one call of an executor: sign of life, renewal of what it holds, and a long poll for runs to begin and to stop. Repeating it is safe.',
    extensions: { longPoll: true },
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: LeaseJobsInput, required: true }) },
    resolve: (_root, { input }, context) =>
      leaseJobs(
        callerOf(context),
        {
          executor: input.executor,
          pool: input.pool ?? 'default',
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
    description: 'Keeps leases alive, for executors that want it apart from leaseJobs.',
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: RenewLeasesInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      held: await renewLeases(callerOf(context), input.runs, controlPlaneConfig.leaseSeconds),
    }),
  }),
  returnLease: t.field({
    type: ReturnLeasePayload,
    nullable: true,
    description:
      'Gives a run back without a result: its job waits again, fails when its attempts are used up, or is CANCELLED if it was CANCELLING.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: ReturnLeaseInput, required: true }) },
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
    description: 'What happened to runs. Saying it twice changes nothing.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError, ResourceExhaustedError] },
    args: { input: t.arg({ type: ReportJobEventsInput, required: true }) },
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
    description: 'What a run printed. Saying it twice changes nothing; beyond 2 MiB a run it is dropped.',
    extensions: { cleansTexts: true },
    errors: { types: [InvalidArgumentError] },
    args: { input: t.arg({ type: ReportRunLogInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      stored: await reportRunLog(callerOf(context), input.run, input.chunks),
    }),
  }),
}));

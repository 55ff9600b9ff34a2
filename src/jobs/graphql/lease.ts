import { textsIn } from '../../blobs/domain/texts.ts';
import { SignedBlobType, signedBlobs } from '../../blobs/graphql/signed-blob.ts';
import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { FailedPreconditionError, InvalidArgumentError } from '../../platform/errors.ts';
import { leaseJobs } from '../commands/lease-jobs.ts';
import { MAX_RENEWALS, renewLeases } from '../commands/renew-leases.ts';
import { returnLease } from '../commands/return-lease.ts';
import { withUniformityValue } from '../domain/submitting/job-environment.ts';
import type { LeasedRun } from '../store/leases.ts';
import { ExecutorNodeInput, reportedNode } from './executor-node-input.ts';

const DEFAULT_POOL = 'default';

/**
 * The calls with which executors get runs and keep them. All require the scope `executor`, which only service accounts with the role SYSTEM can have.
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
    namespace: t.exposeString('namespace', {
      description: 'The namespace that the job names, for executors that have namespaces.',
    }),
    labels: t.field({
      type: 'JSON',
      description: 'The labels of the job, as an object: for executors that label what they start.',
      resolve: (run) => run.labels,
    }),
    annotations: t.field({
      type: 'JSON',
      description: 'The annotations of the job, as an object: for executors that annotate what they start.',
      resolve: (run) => run.annotations,
    }),
    nodeSelector: t.field({
      type: 'JSON',
      description: 'The labels that the node must have, as an object.',
      resolve: (run) => run.nodeSelector,
    }),
    tolerations: t.field({
      type: 'JSON',
      description:
        'The taints of nodes that the job tolerates: a list of `{key, operator, value, effect}`, as `Job.tolerations` has them.',
      resolve: (run) => run.tolerations,
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
    runs: t.idList({
      required: true,
      description: `The ids of the runs whose leases are renewed, at most ${MAX_RENEWALS}.`,
    }),
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
      'Renews leases, for executors that do not renew them with `leaseJobs`. Requires the scope `executor`. A lease that has ended because it was not renewed in time goes on, if no other executor has the job.',
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
}));

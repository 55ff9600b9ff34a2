import type { Permission } from '../authorization/domain/permissions.ts';
import { callerOf } from '../graphql/context.ts';
import { can, canOnSome, type Finder, type ObjectName, type RootRules, ruleBy } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { jobTarget, queueTarget } from './domain/targets.ts';
import { hasReadableJob } from './store/job-lists.ts';
import type { QueueBy } from './store/queues.ts';

export const ofQueueBy: Finder = {
  kind: 'queue',
  key: (args) => addressText(args['by'] as QueueBy),
  target: async (args, { loaders }) => {
    const queue = await loaders.queue.load(args['by'] as QueueBy);
    return queue && queueTarget(queue);
  },
};

/** The queue that an input names. */
const ofInputQueue: Finder = {
  kind: 'queue',
  key: (args) => String((args['input'] as Record<string, unknown>)['queue']),
  target: async (args, { loaders }) => {
    const queue = await loaders.queue.load({ name: (args['input'] as { queue: string }).queue });
    return queue && queueTarget(queue);
  },
};

interface ListArguments {
  readonly filter?: { readonly queue?: string | null } | null;
}

/** The queue of a list. A caller who may read one of its jobs may list its jobs, even if the queue itself is hidden. */
const ofListedQueue: Finder = {
  kind: 'queue',
  key: (args) => (args as ListArguments).filter?.queue ?? '',
  target: async (args, { loaders }) => {
    const queue = await loaders.queue.load({ name: (args as ListArguments).filter?.queue ?? '' });
    return queue && queueTarget(queue);
  },
  within: (target, _args, context) => hasReadableJob(callerOf(context), target?.resources[0]?.id ?? null),
};

interface ChangeArguments {
  readonly input: { readonly ids?: readonly string[] | null; readonly queue?: string | null };
}

/** A request names jobs, and the command checks each of them; or it is about a job set of a queue. */
const ofJobsOrQueue = (permission: Permission) =>
  ruleBy(({ input }: ChangeArguments) =>
    input.ids == null && input.queue != null ? can(permission, ofInputQueue) : canOnSome(permission),
  );

interface ByArguments {
  readonly by: { readonly id: string };
}

/** Everybody who may read the queue of a job may read the job. */
const ofJob: Finder = {
  kind: 'job',
  key: (args) => (args as unknown as ByArguments).by.id,
  target: async (args, { loaders }) => {
    const job = await loaders.job.load((args as unknown as ByArguments).by.id);
    return job && jobTarget(job);
  },
};

const ofInputJob: Finder = {
  kind: 'job',
  key: (args) => (args['input'] as ByArguments).by.id,
  target: async (args, { loaders }) => {
    const job = await loaders.job.load((args['input'] as ByArguments).by.id);
    return job && jobTarget(job);
  },
};

const ofJobRun: Finder = {
  kind: 'job run',
  key: (args) => (args as unknown as ByArguments).by.id,
  target: async (args, { loaders }) => {
    const run = await loaders.jobRun.load((args as unknown as ByArguments).by.id);
    return run && jobTarget(run);
  },
};

/** The run whose log is watched. Everybody who may read the job may read it. */
const ofWatchedRun: Finder = {
  kind: 'job run',
  key: (args) => String(args['run']),
  target: async (args, { loaders }) => {
    const run = await loaders.jobRun.load(String(args['run']));
    return run && jobTarget(run);
  },
};

interface JobSetArguments {
  readonly queue: QueueBy;
  readonly jobSet: string;
}

/** The grants on the workflow of its execution decide about a job set, too. One that does not exist is its queue's. */
const ofJobSet: Finder = {
  kind: 'queue',
  key: (args) => addressText((args as unknown as JobSetArguments).queue),
  target: async (args, { loaders }) => {
    const { queue: by, jobSet } = args as unknown as JobSetArguments;
    const [queue, set] = await Promise.all([
      loaders.queue.load(by),
      loaders.jobSet.load({ queue: by, name: jobSet }),
    ]);
    return set ? jobTarget(set) : queue && queueTarget(queue);
  },
};

/** The object in a field of the input; the first one if there are several. */
const inInput = (kind: 'queue' | 'executor' | 'job run', field: string): ObjectName => ({
  kind,
  key: (args) => String([(args['input'] as Record<string, unknown>)[field]].flat()[0] ?? ''),
});

/** The run of the first event. */
const firstReported: ObjectName = {
  kind: 'job run',
  key: (args) => (args['input'] as { events: readonly { run: string }[] }).events[0]?.run ?? '',
};

export const jobRules: RootRules = {
  Query: {
    queue: can('queue:read', ofQueueBy),
    queues: can('queue:list'),
    job: can('job:read', ofJob),
    explainJob: can('job:read', ofJob),
    jobs: ruleBy(({ filter }: ListArguments) =>
      filter?.queue == null ? can('job:list') : can('job:read', ofListedQueue),
    ),
    jobRun: can('job:read', ofJobRun),
    jobSetEvents: can('job:read', ofJobSet),
  },
  Mutation: {
    createQueue: can('queue:create', inInput('queue', 'name')),
    submitJobs: can('job:submit', ofInputQueue),
    resubmitJob: can('job:submit', ofInputJob),
    cancelJobs: ofJobsOrQueue('job:cancel'),
    cancelJobSet: can('job:cancel', ofInputQueue),
    cancelOnQueue: can('job:cancel', ofInputQueue),
    reprioritizeJobs: ofJobsOrQueue('job:reprioritize'),
    preemptJobs: canOnSome('job:preempt'),
    preemptOnQueue: can('job:preempt', ofInputQueue),
    leaseJobs: can('job:run', inInput('executor', 'executor')),
    renewLeases: can('job:run', inInput('job run', 'runs')),
    returnLease: can('job:run', inInput('job run', 'run')),
    reportJobEvents: can('job:run', firstReported),
    reportJobsDone: can('job:run', inInput('job run', 'runs')),
    reportUsage: can('job:run', inInput('executor', 'executor')),
    reportRunLog: can('job:run', inInput('job run', 'run')),
  },
  Subscription: {
    jobSetEvents: can('job:read', ofJobSet),
    runLog: can('job:read', ofWatchedRun),
  },
};

import { can, type Finder, type ObjectName, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { jobTarget, queueTarget } from './domain/targets.ts';
import type { QueueBy } from './store/queues.ts';

export const ofQueueBy: Finder = {
  kind: 'queue',
  key: (args) => addressText(args['by'] as QueueBy),
  target: async (args, { loaders }) => {
    const queue = await loaders.queue.load(args['by'] as QueueBy);
    return queue && queueTarget(queue);
  },
};

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

const ofJobRun: Finder = {
  kind: 'job run',
  key: (args) => (args as unknown as ByArguments).by.id,
  target: async (args, { loaders }) => {
    const run = await loaders.jobRun.load((args as unknown as ByArguments).by.id);
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
    jobRun: can('job:read', ofJobRun),
    jobSetEvents: can('job:read', ofJobSet),
  },
  Mutation: {
    createQueue: can('queue:create', inInput('queue', 'name')),
    leaseJobs: can('job:run', inInput('executor', 'executor')),
    renewLeases: can('job:run', inInput('job run', 'runs')),
    returnLease: can('job:run', inInput('job run', 'run')),
    reportJobEvents: can('job:run', firstReported),
    reportRunLog: can('job:run', inInput('job run', 'run')),
  },
  Subscription: {
    jobSetEvents: can('job:read', ofJobSet),
  },
};

import { can, type Finder, type RootRules } from '../graphql/permissions.ts';
import type { QueueBy } from './store/queues.ts';

const ofQueueBy: Finder = {
  kind: 'queue',
  key: (args) => {
    const by = args['by'] as QueueBy;
    return 'id' in by ? by.id : by.name;
  },
  target: (args, { loaders }) => loaders.queue.load(args['by'] as QueueBy),
};

/** A job is its queue's: who may read the queue may read it. */
const ofJob: Finder = {
  kind: 'job',
  key: (args) => String(args['id']),
  target: (args, { loaders }) => loaders.job.load(String(args['id'])),
};

const ofJobRun: Finder = {
  kind: 'job run',
  key: (args) => String(args['id']),
  target: (args, { loaders }) => loaders.jobRun.load(String(args['id'])),
};

export const jobRules: RootRules = {
  Query: {
    queue: can('queue:read', ofQueueBy),
    queues: can('queue:list'),
    job: can('job:read', ofJob),
    jobRun: can('job:read', ofJobRun),
  },
  Mutation: {
    createQueue: can('queue:create'),
    leaseJobs: can('job:run'),
    renewLeases: can('job:run'),
    returnLease: can('job:run'),
    reportJobEvents: can('job:run'),
    reportRunLog: can('job:run'),
  },
};

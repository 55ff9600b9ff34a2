import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { JobRunType, JobType } from './graphql/job.ts';
import { QueueType } from './graphql/queue.ts';
import { jobLoaders } from './loaders.ts';
import { jobRules } from './rules.ts';
import { queueNodes } from './store/queues.ts';
import { jobNodes, jobRunNodes } from './store/reads.ts';
import './graphql/cancel-jobs.ts';
import './graphql/job-details.ts';
import './graphql/job-list.ts';
import './graphql/lease.ts';
import './graphql/preempt-jobs.ts';
import './graphql/reprioritize-jobs.ts';
import './graphql/resubmit-job.ts';
import './graphql/submit-jobs.ts';

export const jobs: Capability = {
  rules: [jobRules],
  loaders: jobLoaders,
  nodes: [
    nodeType(QueueType, 'queue:read', queueNodes, (id, { loaders }) => loaders.queue.load({ id })),
    nodeType(JobType, 'job:read', jobNodes, (id, { loaders }) => loaders.job.load(id)),
    nodeType(JobRunType, 'job:read', jobRunNodes, (id, { loaders }) => loaders.jobRun.load(id)),
  ],
};

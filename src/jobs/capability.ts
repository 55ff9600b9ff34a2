import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { executorRules } from './executor-rules.ts';
import { ExecutorType } from './graphql/executor.ts';
import { JobRunType, JobType } from './graphql/job.ts';
import { QueueType } from './graphql/queue.ts';
import { RetryPolicyType } from './graphql/retry-policy.ts';
import { jobLoaders } from './loaders.ts';
import { queueRules } from './queue-rules.ts';
import { jobRules } from './rules.ts';
import { executorNodes } from './store/executors.ts';
import { queueNodes } from './store/queues.ts';
import { jobNodes, jobRunNodes } from './store/reads.ts';
import { retryPolicyNodes } from './store/retry-policies.ts';
import './graphql/cancel-jobs.ts';
import './graphql/cordon.ts';
import './graphql/explain-job.ts';
import './graphql/job-details.ts';
import './graphql/job-event.ts';
import './graphql/job-list.ts';
import './graphql/lease.ts';
import './graphql/preempt-jobs.ts';
import './graphql/queue-activity.ts';
import './graphql/queue-mutations.ts';
import './graphql/report-jobs-done.ts';
import './graphql/report-usage.ts';
import './graphql/queue-share.ts';
import './graphql/reprioritize-jobs.ts';
import './graphql/resubmit-job.ts';
import './graphql/run-log.ts';
import './graphql/run-report.ts';
import './graphql/submit-jobs.ts';
import './graphql/usage.ts';

export const jobs: Capability = {
  rules: [jobRules, queueRules, executorRules],
  loaders: jobLoaders,
  nodes: [
    nodeType(QueueType, 'queue:read', queueNodes, (id, { loaders }) => loaders.queue.load({ id })),
    nodeType(JobType, 'job:read', jobNodes, (id, { loaders }) => loaders.job.load(id)),
    nodeType(RetryPolicyType, 'retryPolicy:read', retryPolicyNodes, (id, { loaders }) =>
      loaders.retryPolicy.load({ id }),
    ),
    nodeType(ExecutorType, 'executor:read', executorNodes, (id, { loaders }) =>
      loaders.executor.load({ id }),
    ),
    nodeType(JobRunType, 'job:read', jobRunNodes, (id, { loaders }) => loaders.jobRun.load(id)),
  ],
};

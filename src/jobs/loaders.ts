import DataLoader from 'dataloader';
import type { NamedGrant } from '../authorization/replace-grants.ts';
import type { Reader } from '../authorization/store/readable.ts';
import type { Queue, RetryPolicy } from '../generated/prisma/client.ts';
import { groupBy } from '../platform/group-by.ts';
import { addressLoader, childLoader, listLoader } from '../platform/loaders.ts';
import type { NodeWork } from './domain/executor-work.ts';
import { type AskedWindow, shareWindow } from './domain/share-window.ts';
import { type PoolUsage, usageByPool } from './domain/usage-report.ts';
import { readQueuesWithDeleted } from './store/deleted-queues.ts';
import {
  type Executor,
  type ExecutorBy,
  type NodeOfExecutor,
  nodesOfExecutors,
  readExecutors,
  readRunsOfNodes,
  readWork,
  runsOfExecutors,
} from './store/executors.ts';
import { countJobsByState, type JobStateCount } from './store/job-counts.ts';
import { type GangRow, type JobDetails, readGangs, readJobDetails } from './store/job-details.ts';
import { type JobSetName, type JobSetRow, readJobSets } from './store/job-set-events.ts';
import { activeJobSetsOf } from './store/queue-activity.ts';
import { readRightsOfQueues } from './store/queue-owners.ts';
import { listShareSteps, type ShareStep, shareKey } from './store/queue-shares.ts';
import { type QueueBy, queuesOfProjects, readQueues } from './store/queues.ts';
import {
  type ClientKey,
  type HeldRun,
  type JobRow,
  type JobRunRow,
  jobsOfQueues,
  type LogChunkRow,
  type LogPage,
  readJobs,
  readJobsByClientId,
  readLatestRuns,
  readLogsOfRuns,
  readProjectIdsOfRuns,
  readRuns,
  readRunsOfJobs,
} from './store/reads.ts';
import { type RetryPolicyBy, readRetryPolicies } from './store/retry-policies.ts';

import {
  type ExecutorUsage,
  readUsage,
  readUsageOfQueues,
  readUsageOfRuns,
  type StoredRunUsage,
} from './store/usage.ts';

export function jobLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    queue: addressLoader<QueueBy, Queue | null>((addresses) => readQueues(tenantId, addresses)),
    queuesOfProject: listLoader(queuesOfProjects(reader)),
    /** Deleted queues are found too, until nothing is left of them. */
    queueWithDeleted: addressLoader<QueueBy, Queue | null>((addresses) =>
      readQueuesWithDeleted(tenantId, addresses),
    ),
    rightsOfQueue: new DataLoader<string, readonly NamedGrant[]>((ids) => readRightsOfQueues(tenantId, ids), {
      cache: false,
    }),
    jobCountsOfQueue: childLoader<null, JobStateCount>(
      (queueIds) => countJobsByState(reader, queueIds),
      (row) => row.queueId,
      { cache: false },
    ),
    activeJobSetsOfQueue: listLoader(activeJobSetsOf(reader)),
    retryPolicy: addressLoader<RetryPolicyBy, RetryPolicy | null>((addresses) =>
      readRetryPolicies(tenantId, addresses),
    ),
    jobsOfQueue: listLoader(jobsOfQueues(reader)),
    jobSet: addressLoader<JobSetName, JobSetRow | null>((names) => readJobSets(tenantId, names)),
    job: new DataLoader<string, JobRow | null>((ids) => readJobs(tenantId, ids)),
    jobByClientId: addressLoader<ClientKey, JobRow | null>((keys) => readJobsByClientId(tenantId, keys)),
    jobRun: new DataLoader<string, JobRunRow | null>((ids) => readRuns(tenantId, ids)),
    /** The project of a run; null if the run is not leased to an executor of this service account. */
    projectIdOfRun: addressLoader<HeldRun, string | null>(readProjectIdsOfRuns),
    shareSteps: childLoader<AskedWindow, ShareStep>(
      (keys, asked) => listShareSteps(tenantId, keys, shareWindow(asked, new Date())),
      shareKey,
      { cache: false },
    ),
    jobDetails: new DataLoader<string, JobDetails | null>(readJobDetails),
    gang: new DataLoader<string, GangRow | null>(readGangs),
    latestRunOfJob: new DataLoader<string, JobRunRow | null>(readLatestRuns),
    runsOfJob: new DataLoader<string, JobRunRow[]>(readRunsOfJobs),
    executor: addressLoader<ExecutorBy, Executor | null>((addresses) => readExecutors(tenantId, addresses)),
    nodesOfExecutor: listLoader(nodesOfExecutors(tenantId)),
    runsOfExecutor: listLoader(runsOfExecutors(reader)),
    runsOfNode: addressLoader<NodeOfExecutor, JobRunRow[]>((nodes) => readRunsOfNodes(reader, nodes)),
    workOfExecutor: childLoader<null, NodeWork>(readWork, (work) => work.executorId),
    usageOfExecutor: new DataLoader<string, ExecutorUsage | null>(readUsage),
    usageOfRun: new DataLoader<string, StoredRunUsage | null>(readUsageOfRuns),
    usageOfQueue: new DataLoader<string, PoolUsage[]>(async (names) => {
      const byName = groupBy(await readUsageOfQueues(tenantId, names), ({ name }) => name);
      return names.map((name) => usageByPool(byName.get(name) ?? []));
    }),
    logOfRun: childLoader<LogPage, LogChunkRow>(readLogsOfRuns, (chunk) => chunk.runId),
  };
}

type JobLoaders = ReturnType<typeof jobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends JobLoaders {}
}

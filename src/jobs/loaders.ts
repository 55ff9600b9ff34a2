import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { Queue } from '../generated/prisma/client.ts';
import { addressLoader, childLoader, listLoader } from '../platform/loaders.ts';
import { type GangRow, type JobDetails, readGangs, readJobDetails } from './store/job-details.ts';
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

export function jobLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    queue: addressLoader<QueueBy, Queue | null>((addresses) => readQueues(tenantId, addresses)),
    queuesOfProject: listLoader(queuesOfProjects(reader), (queue) => queue.projectId),
    jobsOfQueue: listLoader(jobsOfQueues(reader), (job) => job.queueId),
    job: new DataLoader<string, JobRow | null>((ids) => readJobs(tenantId, ids)),
    jobByClientId: addressLoader<ClientKey, JobRow | null>((keys) => readJobsByClientId(tenantId, keys)),
    jobRun: new DataLoader<string, JobRunRow | null>((ids) => readRuns(tenantId, ids)),
    /** The project of a run; null if the run is not leased to an executor of this service account. */
    projectIdOfRun: addressLoader<HeldRun, string | null>(readProjectIdsOfRuns),
    jobDetails: new DataLoader<string, JobDetails | null>(readJobDetails),
    gang: new DataLoader<string, GangRow | null>(readGangs),
    latestRunOfJob: new DataLoader<string, JobRunRow | null>(readLatestRuns),
    runsOfJob: new DataLoader<string, JobRunRow[]>(readRunsOfJobs),
    logOfRun: childLoader<LogPage, LogChunkRow>(readLogsOfRuns, (chunk) => chunk.runId),
  };
}

type JobLoaders = ReturnType<typeof jobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends JobLoaders {}
}

import DataLoader from 'dataloader';
import type { Queue } from '../generated/prisma/client.ts';
import { addressLoader, childLoader } from '../platform/loaders.ts';
import { type QueueBy, readQueues } from './store/queues.ts';
import {
  type ClientKey,
  type HeldRun,
  type JobRow,
  type JobRunRow,
  type LogChunkRow,
  type LogPage,
  readJobs,
  readJobsByClientId,
  readLogsOfRuns,
  readProjectIdsOfRuns,
  readRuns,
  readRunsOfJobs,
} from './store/reads.ts';

export function jobLoaders(tenantId: string) {
  return {
    queue: addressLoader<QueueBy, Queue | null>((addresses) => readQueues(tenantId, addresses)),
    job: new DataLoader<string, JobRow | null>((ids) => readJobs(tenantId, ids)),
    jobByClientId: addressLoader<ClientKey, JobRow | null>((keys) => readJobsByClientId(tenantId, keys)),
    jobRun: new DataLoader<string, JobRunRow | null>((ids) => readRuns(tenantId, ids)),
    /** The project of a run; null if the run is not leased to an executor of this service account. */
    projectIdOfRun: addressLoader<HeldRun, string | null>(readProjectIdsOfRuns),
    runsOfJob: new DataLoader<string, JobRunRow[]>(readRunsOfJobs),
    logOfRun: childLoader<LogPage, LogChunkRow>(readLogsOfRuns, (chunk) => chunk.runId),
  };
}

type JobLoaders = ReturnType<typeof jobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends JobLoaders {}
}

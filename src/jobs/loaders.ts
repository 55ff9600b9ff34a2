import DataLoader from 'dataloader';
import type { Queue } from '../generated/prisma/client.ts';
import { type QueueBy, readQueues } from './store/queues.ts';
import {
  type ClientKey,
  type HeldRun,
  type JobRow,
  type JobRunRow,
  readJobs,
  readJobsByClientId,
  readProjectIdsOfRuns,
  readRuns,
  readRunsOfJobs,
} from './store/reads.ts';

export function jobLoaders(tenantId: string) {
  return {
    queue: new DataLoader<QueueBy, Queue | null, string>((addresses) => readQueues(tenantId, addresses), {
      cacheKeyFn: (by) => JSON.stringify(by),
    }),
    job: new DataLoader<string, JobRow | null>((ids) => readJobs(tenantId, ids)),
    jobByClientId: new DataLoader<ClientKey, JobRow | null, string>(
      (keys) => readJobsByClientId(tenantId, keys),
      {
        cacheKeyFn: (key) => JSON.stringify(key),
      },
    ),
    jobRun: new DataLoader<string, JobRunRow | null>((ids) => readRuns(tenantId, ids)),
    /** The project that a run works for; null unless the account's executor holds it. */
    projectIdOfRun: new DataLoader<HeldRun, string | null, string>(readProjectIdsOfRuns, {
      cacheKeyFn: (held) => JSON.stringify(held),
    }),
    runsOfJob: new DataLoader<string, JobRunRow[]>(readRunsOfJobs),
  };
}

type JobLoaders = ReturnType<typeof jobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends JobLoaders {}
}

/** Executors with machines, usage and runs, written as rows: no executor has to call. */
import { db } from '../../src/platform/database/client.ts';

export interface FleetRows {
  readonly executor: string;
  /** The names of its machines, each with labels and taints. */
  readonly nodes: readonly string[];
  /** Jobs that wait. Each gets a run, on the machines in turn. */
  readonly jobs: readonly string[];
}

/** @returns the id of the executor. */
export async function seedFleet({ executor: name, nodes, jobs }: FleetRows): Promise<string> {
  const { id: userId, tenantId } = await db.user.findFirstOrThrow({ where: { role: 'SYSTEM' } });
  const reported = nodes.map((node) => ({
    ...{
      name: node,
      allocatable: { cpu: '8' },
      unschedulable: false,
      labels: { zone: 'a', disk: 'ssd', rack: '1' },
    },
    taints: ['a', 'b', 'c'].map((key) => ({ key, value: '', effect: 'NoSchedule' })),
  }));
  const runsByState = ['LEASED', 'PENDING', 'RUNNING'].map((state) => ({ state, count: 1 }));
  const queues = ['a-queue-0', 'a-queue-1', 'a-queue-2'].map((queue) => ({
    ...{ name: queue, resources: { cpu: 1000 }, resourcesUsed: { cpu: 10 }, runsByState },
  }));
  const nodeTypes = ['small', 'large', 'gpu'].map((id) => ({
    ...{ id, capacity: { cpu: 8000 }, availableCapacity: { cpu: 8000 }, cordonedUsage: {} },
    ...{ totalNodes: 1, schedulableNodes: 1, taints: reported[0]?.taints ?? [], queues },
  }));
  const usage = { reportedAt: new Date().toISOString(), nodeTypes };
  const said = { nodes: reported, nodesDigest: name, usage, usageAt: new Date() };
  const data = { tenantId, userId, name, pool: `pool-${name}`, ...said };
  const { id: executorId } = await db.executor.create({ data });
  const leaseExpiresAt = new Date(Date.now() + 3_600_000);
  for (const [at, jobId] of jobs.entries()) {
    const node = nodes[at % nodes.length] ?? null;
    const select = { jobSetId: true, queueId: true, shape: true };
    const job = await db.job.update({ where: { id: jobId }, data: { state: 'LEASED' }, select });
    await db.jobRun.create({ data: { ...job, tenantId, jobId, executorId, node, leaseExpiresAt } });
  }
  return executorId;
}

/** The ids of so many jobs of a queue that wait, newest first. */
export const waitingJobsOf = async (queue: string, count: number): Promise<string[]> => {
  const jobs = await db.job.findMany({
    where: { queue: { name: queue }, state: 'QUEUED', gangId: null },
    orderBy: { id: 'desc' },
    take: count,
  });
  return jobs.map(({ id }) => id);
};

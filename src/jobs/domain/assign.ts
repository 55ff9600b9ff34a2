/** The parts of a queued job that decide about its place in the order. */
export interface WaitingJob {
  readonly id: string;
}

/** An executor with room for `room` more runs. */
export interface Room {
  readonly executorId: string;
  readonly room: number;
}

export interface Assignment {
  readonly jobId: string;
  readonly executorId: string;
}

/**
 * Assigns jobs, in their order, to executors: each to the executor with the most room, so that the work spreads. Of
 * executors with equal room, the first one gets it.
 *
 * @returns at most as many jobs as there is room for. The other jobs are left out.
 */
export function assignJobs(jobs: readonly WaitingJob[], rooms: readonly Room[]): Assignment[] {
  const left = rooms.map(({ executorId, room }) => ({ executorId, room }));
  const assignments: Assignment[] = [];
  for (const job of jobs) {
    const [first, ...others] = left;
    if (!first) break;
    const widest = others.reduce((best, next) => (next.room > best.room ? next : best), first);
    if (widest.room <= 0) break;
    widest.room -= 1;
    assignments.push({ jobId: job.id, executorId: widest.executorId });
  }
  return assignments;
}

/** A queued job, as far as its place in the order goes. */
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
 * Gives the jobs, in their order, to executors: each to the one with most room left, so that work spreads; among
 * equals, to the first in the order given.
 *
 * @returns at most as many as there is room; jobs that found none are left out.
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

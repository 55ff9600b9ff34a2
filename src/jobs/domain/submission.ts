import type { Problem } from '../../platform/errors.ts';

/** A new job. */
export interface JobRequest {
  readonly clientId: string | null;
  /** Lower numbers go first. The number is moved into the range 0 … 4294967295, and halves are rounded up. */
  readonly priority: number;
}

export const MAX_JOBS_PER_REQUEST = 1000;
const MAX_CLIENT_ID = 100;
const MAX_JOB_SET = 1023;
const MAX_PRIORITY = 4_294_967_295;

/** All problems of a submission. If there are any, nothing is stored. Source: Armada's SubmitJobs. */
export function submissionProblems(
  jobSet: string,
  jobs: readonly JobRequest[],
  path: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: [...path, ...at], code: 'InvalidValue', message });
  if (jobSet.length === 0) fault(['jobSet'], 'the job set needs a name');
  if (jobSet.length > MAX_JOB_SET)
    fault(['jobSet'], `the name of the job set must have at most ${MAX_JOB_SET} characters`);
  if (jobs.length === 0) fault(['jobs'], 'needs at least one job');
  if (jobs.length > MAX_JOBS_PER_REQUEST) fault(['jobs'], `must have at most ${MAX_JOBS_PER_REQUEST} jobs`);
  for (const [index, job] of jobs.slice(0, MAX_JOBS_PER_REQUEST).entries()) {
    if (job.clientId === '')
      fault(['jobs', String(index), 'clientId'], 'the client id must not be empty; leave it out instead');
    if ((job.clientId?.length ?? 0) > MAX_CLIENT_ID)
      fault(
        ['jobs', String(index), 'clientId'],
        `the client id must have at most ${MAX_CLIENT_ID} characters`,
      );
    if (!Number.isFinite(job.priority))
      fault(['jobs', String(index), 'priority'], 'the priority must be a number');
  }
  return problems;
}

/**
 * Armada's rule: negative numbers count as 0, halves are rounded up, and larger numbers become the largest of 32 bits.
 */
export function roundedPriority(priority: number): number {
  return Math.min(Math.max(Math.floor(priority + 0.5), 0), MAX_PRIORITY);
}

import type { Problem } from '../../platform/errors.ts';

/** A job as its submitter describes it. */
export interface JobRequest {
  readonly clientId: string | null;
  /** Lower goes first; brought into 0 … 4294967295 and rounded half up. */
  readonly priority: number;
}

export const MAX_JOBS_PER_REQUEST = 1000;
const MAX_CLIENT_ID = 100;
const MAX_JOB_SET = 1023;
const MAX_PRIORITY = 4_294_967_295;

/** Everything wrong with a submission; none of it is stored when there is anything. Source: Armada's SubmitJobs. */
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
    fault(['jobSet'], `the job set's name has more than ${MAX_JOB_SET} characters`);
  if (jobs.length === 0) fault(['jobs'], 'no job is given');
  if (jobs.length > MAX_JOBS_PER_REQUEST)
    fault(['jobs'], `more than ${MAX_JOBS_PER_REQUEST} jobs in one request`);
  for (const [index, job] of jobs.slice(0, MAX_JOBS_PER_REQUEST).entries()) {
    if (job.clientId === '')
      fault(['jobs', String(index), 'clientId'], 'an empty client id; leave it out instead');
    if ((job.clientId?.length ?? 0) > MAX_CLIENT_ID)
      fault(['jobs', String(index), 'clientId'], `a client id has more than ${MAX_CLIENT_ID} characters`);
    if (!Number.isFinite(job.priority))
      fault(['jobs', String(index), 'priority'], 'the priority is no number');
  }
  return problems;
}

/** Armada's rule: negatives count as 0, halves are rounded up, the rest is cut at 32 bits. */
export function roundedPriority(priority: number): number {
  return Math.min(Math.max(Math.floor(priority + 0.5), 0), MAX_PRIORITY);
}

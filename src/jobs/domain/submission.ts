import type { Problem } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { classNamed, type PriorityClass } from './priority-classes.ts';

/** A new job. */
export interface JobRequest {
  readonly clientId: string | null;
  /** Lower numbers go first. The number is moved into the range 0 … 4294967295, and halves are rounded up. */
  readonly priority: number;
  /** The name of its class; without one, the first class. */
  readonly priorityClass?: string | null;
  /** The jobs that it starts together with; none if left out. */
  readonly gang?: GangRequest;
}

/** Jobs that all start together or not at all. Source: Armada's gangs. */
export interface GangRequest {
  /** Unique in the queue. */
  readonly name: string;
  /** How many jobs there are. */
  readonly cardinality: number;
  /** All jobs go to nodes with the same value of this label; null if they may go anywhere. */
  readonly uniformityLabel: string | null;
}

export const MAX_JOBS_PER_REQUEST = 1000;
const MAX_CLIENT_ID = 100;
const MAX_JOB_SET = 1023;
const MAX_PRIORITY = 4_294_967_295;
const MAX_GANG_NAME = 253;
const MAX_GANG = 1000;

/** All problems of a submission. If there are any, nothing is stored. Source: Armada's SubmitJobs. */
export function submissionProblems(
  jobSet: { readonly name: string; readonly ownerId: string | null },
  jobs: readonly JobRequest[],
  priorityClasses: readonly PriorityClass[],
  path: readonly string[],
): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: [...path, ...at], code: 'InvalidValue', message });
  if (jobSet.name.length === 0) fault(['jobSet'], 'the job set needs a name');
  if (jobSet.name.length > MAX_JOB_SET)
    fault(['jobSet'], `the name of the job set must have at most ${MAX_JOB_SET} characters`);
  if (jobSet.ownerId === null && isId(jobSet.name))
    fault(['jobSet'], 'the name must not be a UUIDv7, because the job sets of executions have such names');
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
    const { priorityClass = null } = job;
    if (!classNamed(priorityClasses, priorityClass)) {
      const names = priorityClasses.map(({ name }) => name).join(', ');
      fault(
        ['jobs', String(index), 'priorityClass'],
        `there is no class ${priorityClass}; the classes are ${names}`,
      );
    }
  }
  return [...problems, ...gangProblems(jobs.slice(0, MAX_JOBS_PER_REQUEST), path)];
}

/** The jobs of a gang must agree about it, and there must not be too many. */
function gangProblems(jobs: readonly JobRequest[], path: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const firsts = new Map<string, JobRequest & { readonly gang: GangRequest }>();
  const sizes = new Map<string, number>();
  for (const [index, job] of jobs.entries()) {
    const { gang } = job;
    if (!gang) continue;
    const fault = (field: string, message: string) =>
      problems.push({ path: [...path, 'jobs', String(index), 'gang', field], code: 'InvalidValue', message });
    if (gang.name === '' || gang.name.length > MAX_GANG_NAME)
      fault('id', `the name of a gang must have 1 to ${MAX_GANG_NAME} characters`);
    if (!Number.isInteger(gang.cardinality) || gang.cardinality < 1 || gang.cardinality > MAX_GANG)
      fault('cardinality', `must be a whole number from 1 to ${MAX_GANG}`);
    const first = firsts.get(gang.name) ?? { ...job, gang };
    firsts.set(gang.name, first);
    if (first.gang.cardinality !== gang.cardinality)
      fault('cardinality', `another job of the gang says ${first.gang.cardinality}`);
    if (first.gang.uniformityLabel !== gang.uniformityLabel)
      fault('nodeUniformityLabel', `another job of the gang says ${first.gang.uniformityLabel ?? 'none'}`);
    if ((first.priorityClass ?? null) !== (job.priorityClass ?? null))
      fault('id', 'all jobs of a gang must have the same priority class');
    const size = (sizes.get(gang.name) ?? 0) + 1;
    sizes.set(gang.name, size);
    if (size === gang.cardinality + 1) fault('id', `the gang has more than ${gang.cardinality} jobs`);
  }
  return problems;
}

/**
 * Armada's rule: negative numbers count as 0, halves are rounded up, and larger numbers become the largest of 32 bits.
 */
export function roundedPriority(priority: number): number {
  return Math.min(Math.max(Math.floor(priority + 0.5), 0), MAX_PRIORITY);
}

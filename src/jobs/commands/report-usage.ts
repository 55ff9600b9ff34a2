import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { isBeforeFirstInstant } from '../domain/executor-clock.ts';
import { storedUsage, type UsageReport, usageProblems } from '../domain/usage-report.ts';
import { storeUsage } from '../store/usage.ts';

export interface UsageRequest extends UsageReport<unknown> {
  readonly executor: string;
  /** The id of the calling process; null if it has none. */
  readonly instance: string | null;
  readonly reportedAt: Date;
}

/**
 * Stores what an executor really uses, in place of its last report. It is for people: scheduling counts what jobs
 * request.
 *
 * @returns for how many runs the usage was stored. Runs that have ended or belong to others are left out, and those that
 * were reported within the last minute.
 * @throws InvalidArgumentError; NotFoundError if the executor has not called yet, or if another process or another
 * service account has its name. Source: Armada's ReportUsage.
 */
export async function reportUsage(caller: Caller, request: UsageRequest): Promise<number> {
  const { executor, instance, reportedAt } = request;
  const problems = usageProblems(request);
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (instance !== null && !isId(instance)) fault('instance', 'must be a UUIDv7');
  if (isBeforeFirstInstant(reportedAt)) fault('reportedAt', 'must not be before 1970');
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { tenantId, userId } = caller;
  const usage = storedUsage(request);
  const stored = await storeUsage({ ...usage, ...{ tenantId, userId, executor, instance, at: reportedAt } });
  if (!stored) throw new NotFoundError('executor', executor, ['input', 'executor']);
  return stored.runs;
}

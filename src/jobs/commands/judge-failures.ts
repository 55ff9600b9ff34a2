import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import type { WorkError } from '../../platform/work-error.ts';
import { withMemory } from '../domain/memory-growth.ts';
import { judgeFailure } from '../domain/retry-policies.ts';
import { listJudgedRuns } from '../store/retries.ts';
import type { Retry } from '../store/run-moves.ts';
import type { Reporter } from '../store/runs.ts';

/**
 * Decides which of these failed runs have jobs that are tried again, by the retry policies of their queues. The policies
 * are read before the reports are applied. The statement that applies them still checks that the run has not ended and
 * that nobody has cancelled the job.
 */
export async function judgeFailures(
  reporter: Reporter,
  failures: readonly { readonly runId: string; readonly error: WorkError | null }[],
): Promise<Retry[]> {
  const { maxRetries } = controlPlaneConfig;
  if (maxRetries === 0 || failures.length === 0) return [];
  const errorOf = new Map(failures.map(({ runId, error }) => [runId, error]));
  const judged = await listJudgedRuns(reporter, [...errorOf.keys()]);
  return judged.flatMap(({ runId, policy, earlierFailures, isExcluded, ...job }): Retry[] => {
    const error = errorOf.get(runId) ?? null;
    const failure = { error, failures: earlierFailures + 1, isExcluded };
    const { retries, mutate } = judgeFailure(policy, failure, maxRetries);
    if (!retries) return [];
    const changed = mutate?.memory ? withMemory(job, mutate.memory) : null;
    return [{ runId, avoidsNode: mutate?.avoidSameNode ?? false, changed }];
  });
}

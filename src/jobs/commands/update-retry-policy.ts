import type { RetryPolicy } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { policyProblems, type RetryPolicyRequest, storedRules } from '../domain/retry-policies.ts';
import { storeRetryPolicy } from '../store/retry-policies.ts';

/**
 * Replaces a retry policy. It counts for the next failure of each job, also of jobs that were submitted earlier.
 *
 * @throws InvalidArgumentError with all problems; NotFoundError.
 */
export async function updateRetryPolicy(caller: Caller, request: RetryPolicyRequest): Promise<RetryPolicy> {
  const problems = policyProblems(request, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { name, retryLimit, defaultAction, rules } = request;
  const { tenantId } = caller;
  const policy = { retryLimit, defaultAction, rules: storedRules(rules) };
  const stored = await inTransaction((tx) => storeRetryPolicy(tx, { tenantId, name }, policy));
  if (!stored) throw new NotFoundError('retry policy', name, ['input', 'name']);
  return stored;
}

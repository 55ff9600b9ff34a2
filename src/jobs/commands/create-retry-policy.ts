import type { RetryPolicy } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { policyProblems, type RetryPolicyRequest, storedRules } from '../domain/retry-policies.ts';
import { insertRetryPolicy } from '../store/retry-policies.ts';

/**
 * Creates a retry policy. It has no effect until a queue names it.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError. An existing policy does not change.
 */
export async function createRetryPolicy(caller: Caller, request: RetryPolicyRequest): Promise<RetryPolicy> {
  const problems = policyProblems(request, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const { name, retryLimit, defaultAction, rules } = request;
  const { tenantId } = caller;
  try {
    return await inTransaction((tx) =>
      insertRetryPolicy(
        tx,
        { id: newId(), tenantId, name },
        { retryLimit, defaultAction, rules: storedRules(rules) },
      ),
    );
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new AlreadyExistsError(`retry policy ${name} already exists`, { path: ['input', 'name'] });
  }
}

import type { RetryPolicy } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { policyNameProblems } from '../domain/retry-policies.ts';
import { detachRetryPolicy, removeRetryPolicy } from '../store/retry-policies.ts';

/**
 * Deletes a retry policy, and takes it from all queues that name it.
 *
 * @returns the policy; null if there is none, which is not an error.
 * @throws InvalidArgumentError if no policy can have the name.
 */
export async function deleteRetryPolicy(
  { tenantId }: Caller,
  name: string,
): Promise<{ policy: RetryPolicy | null; queues: number }> {
  const problems = policyNameProblems(name, ['input']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await inTransaction(async (tx) => {
    const policy = await removeRetryPolicy(tx, tenantId, name);
    return { policy, queues: policy ? await detachRetryPolicy(tx, tenantId, name) : 0 };
  });
}

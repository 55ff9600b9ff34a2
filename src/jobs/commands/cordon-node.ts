import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { cordonReasonFault } from '../domain/cordons.ts';
import { findCordon, lockExecutor, removeCordon, storeCordon, wakePoolOf } from '../store/cordons.ts';
import { type ExecutorNode, findExecutorNode } from '../store/executors.ts';

/** A node of an executor that exists: the rule has found it. */
export interface NodeRequest {
  readonly executor: { readonly id: string; readonly name: string };
  readonly node: string;
}

/**
 * Cordons a node: it gets no new work, and its runs go on. A node that is cordoned already gets the new reason. The
 * cordon stays while the executor does not report the node.
 *
 * @throws InvalidArgumentError for the reason; NotFoundError if the last report of the executor does not have the node.
 */
export async function cordonNode(
  caller: Caller,
  { executor, node }: NodeRequest,
  reason: string,
  now: Date,
): Promise<ExecutorNode> {
  const fault = cordonReasonFault(reason);
  if (fault) throw InvalidArgumentError.of(['input', 'reason'], fault);
  const { tenantId, userId } = caller;
  const key = { tenantId, executorName: executor.name, node };
  const missing = () => new NotFoundError('node', node, ['input', 'node']);
  if (!(await findExecutorNode(tenantId, executor.id, node))) throw missing();
  await inTransaction(async (tx) => {
    await lockExecutor(tx, { tenantId, name: executor.name });
    const before = await findCordon(tx, key);
    if (before?.reason === reason) return;
    await storeCordon(tx, key, { reason, setById: userId, createdAt: now });
    await recordChange(tx, caller, {
      action: 'executor:administer',
      target: targetOf({ executor, node }),
      before: { cordonReason: before?.reason ?? null },
      after: { cordonReason: reason },
    });
  });
  const after = await findExecutorNode(tenantId, executor.id, node);
  if (!after) throw missing();
  return after;
}

/**
 * Lets a node get work again, at once. A node that is not cordoned does not change.
 *
 * @returns the node; null if the last report of the executor does not have it.
 */
export async function uncordonNode(
  caller: Caller,
  { executor, node }: NodeRequest,
): Promise<ExecutorNode | null> {
  const { tenantId } = caller;
  await inTransaction(async (tx) => {
    await lockExecutor(tx, { tenantId, name: executor.name });
    const before = await findCordon(tx, { tenantId, executorName: executor.name, node });
    if (!before) return;
    await removeCordon(tx, before.id);
    await recordChange(tx, caller, {
      action: 'executor:administer',
      target: targetOf({ executor, node }),
      before: { cordonReason: before.reason },
      after: { cordonReason: null },
    });
    await wakePoolOf(tx, { tenantId, name: executor.name });
  });
  return await findExecutorNode(tenantId, executor.id, node);
}

const targetOf = ({ executor, node }: NodeRequest) =>
  ({ type: 'node', id: null, name: `${executor.name}/${node}` }) as const;

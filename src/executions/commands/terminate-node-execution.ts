import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, NotFoundError } from '../../platform/errors.ts';
import { lockReported } from '../store/events-from-outside.ts';
import { requestNodeAbort } from '../store/node-aborts.ts';
import { type ExecutionRow, type NodeExecutionRow, readNodeExecutions } from '../store/reads.ts';
import { requireCause } from './abort-executions.ts';

/**
 * Asks the scheduler to stop one node, with everything inside of it. The node is ABORTED when its work has stopped, and
 * then the execution goes on as after a failure of the node. If the work ends by itself before it is stopped, its
 * result counts. Repeating this replaces the cause.
 *
 * @param node  a node of the execution. The caller has EDIT on the execution.
 * @throws InvalidArgumentError for the cause; FailedPreconditionError if the node has ended, or if an engine from
 * outside runs the execution; NotFoundError if it was deleted meanwhile.
 */
export async function terminateNodeExecution(
  caller: Caller,
  execution: ExecutionRow,
  node: NodeExecutionRow,
  cause: string,
): Promise<void> {
  requireCause(cause);
  if (execution.engine === 'EXTERNAL')
    throw new FailedPreconditionError(
      'an engine from outside runs this execution: only that engine can stop a single node',
    );
  const isAsked = await inTransaction(async (tx) => {
    await lockReported(tx, execution.id);
    return await requestNodeAbort(tx, execution.id, node.id, cause, caller.userId);
  });
  if (!isAsked) {
    const [current] = await readNodeExecutions([node.id]);
    if (!current) throw new NotFoundError('node execution', node.nodeId, ['input', 'by']);
    throw new FailedPreconditionError(`the node has already ${current.phase}`, { current: current.phase });
  }
  logOf(caller).info({ executionId: execution.id, nodeId: node.nodeId }, 'a node is being aborted');
}

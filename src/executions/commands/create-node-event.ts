import type { CacheStatus, NodeExecutionPhase, NodeKind } from '../../generated/prisma/enums.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { WorkError } from '../../platform/work-error.ts';
import type { Closure, RunnableNode } from '../../registry/domain/closure.ts';
import { getClosure } from '../../registry/store.ts';
import type { JsonObject } from '../../values/json.ts';
import { isWrongProducer, judgeNodeEvent } from '../domain/judge-events.ts';
import { mergeNodeDetails, type NodeDetails } from '../domain/node-details.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import { nodeAt } from '../engine/node-paths.ts';
import { findReportedNode, storeNodeNews } from '../store/events-from-outside.ts';
import { moveNodes } from '../store/moves.ts';
import { eventRefusal, lockExternal } from './event-refusals.ts';
import { type GivenInputs, type GivenOutputs, readEventInputs, readEventOutputs } from './event-values.ts';

/** An event of an engine from outside about a node. */
export interface NodeEvent extends GivenInputs, GivenOutputs {
  readonly nodeId: string;
  readonly phase: NodeExecutionPhase;
  readonly producerId: string;
  readonly occurredAt: Date;
  readonly reportedAt: Date | null;
  readonly error: WorkError | null;
  readonly details: NodeDetails;
  readonly specNodeId: string | null;
  /** The id, in this execution, of the node that contains it. */
  readonly parentNodeId: string | null;
  /** The attempt that contains it, in the old form of dynamic tasks. */
  readonly parentTaskId: string | null;
  readonly cacheStatus: CacheStatus | null;
  readonly isParent: boolean;
  readonly isDynamic: boolean;
  /** The workflow that the node created at run time. */
  readonly dynamicWorkflow: JsonObject | null;
}

/**
 * Moves a node of an execution that an engine from outside runs, and creates it with its first event, whatever the phase
 * of that is. A node may go back, but its first start stays.
 *
 * @throws ResourceExhaustedError, InvalidArgumentError, NotFoundError for the parent and the execution that it started,
 * AlreadyExistsError for a repeated event; FailedPreconditionError with the current phase.
 * Source: Flyte's CreateNodeEvent. Flyte only logs invalid events; we refuse them.
 */
export async function createNodeEvent(
  caller: Caller,
  executionId: string,
  event: NodeEvent,
): Promise<string> {
  if (event.nodeId === '')
    throw InvalidArgumentError.of(['input', 'nodeId'], 'missing nodeId', 'MissingField');
  return await inTransaction(async (tx) => {
    const execution = await lockExternal(tx, executionId);
    const spec = specOf(await getClosure(execution.workflowId, tx), event);
    const outputs = await readEventOutputs(execution, spec?.outputs ?? null, event, tx);
    const inputs = await readEventInputs(execution, spec?.inputTypes ?? null, event, tx);
    const parentId = await parentRowId(tx, executionId, event);
    const known = await findReportedNode(tx, executionId, event.nodeId);
    const judged = { noun: `the node ${event.nodeId}`, cluster: execution.cluster };
    const isWrong = isWrongProducer(event.producerId, execution.cluster);
    const verdict = isWrong ? 'INCOMPATIBLE_CLUSTER' : judgeNodeEvent(known?.phase ?? null, event.phase);
    const refused = eventRefusal(verdict, { ...judged, current: known?.phase ?? execution.phase });
    if (refused) throw refused;
    const isEnd = isTerminal(nodeExecutionPhases, event.phase);
    const [moved] = await moveNodes(tx, executionId, [
      {
        id: known?.id ?? newId(),
        nodeId: event.nodeId,
        to: event.phase,
        from: known ? [known.phase] : [],
        at: event.occurredAt,
        inputs,
        outputs: isEnd ? outputs : null,
        error: event.error,
        made: {
          kind: kindOf(event, spec),
          parentId,
          specNodeId: event.specNodeId ?? event.nodeId,
          itemIndex: null,
        },
      },
    ]);
    if (!moved) throw new Error('the node did not move, although its row was locked');
    await storeNodeNews(tx, moved.nodeExecutionId, {
      details: mergeNodeDetails(known?.details ?? null, event.details),
      // Without the key of an entry, the status of the cache means nothing.
      cacheStatus: event.details.catalogKey ? event.cacheStatus : null,
      isParent: event.isParent,
      isDynamic: event.isDynamic || event.dynamicWorkflow !== null,
      parentTaskId: event.parentTaskId,
      dynamicWorkflow: event.dynamicWorkflow,
      updatedAt: event.reportedAt ?? event.occurredAt,
    });
    logOf(caller).info({ executionId, nodeId: event.nodeId, phase: event.phase }, 'event of a node');
    return moved.nodeExecutionId;
  });
}

/** The node of the registered workflow that an event is about; null for a node that was created at run time. */
function specOf(closure: Closure, { nodeId, specNodeId, parentNodeId }: NodeEvent): RunnableNode | null {
  if (parentNodeId !== null) return nodeAt(closure, nodeId);
  return nodeAt(closure, specNodeId ?? nodeId);
}

function kindOf({ details }: NodeEvent, spec: RunnableNode | null): NodeKind {
  if (details.childExecutionId) return 'LAUNCH_PLAN';
  return details.isArray ? 'ARRAY' : (spec?.kind ?? 'TASK');
}

async function parentRowId(tx: Tx, executionId: string, { parentNodeId }: NodeEvent): Promise<string | null> {
  if (parentNodeId === null) return null;
  const parent = await findReportedNode(tx, executionId, parentNodeId);
  if (!parent) throw new NotFoundError('node execution', parentNodeId, ['input', 'parentNodeId']);
  return parent.id;
}

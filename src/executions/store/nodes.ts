import type { ErrorKind, ExecutionPhase, NodeExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { WorkErrorColumns } from '../../platform/work-error.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';
import type { ExecutionNodes } from '../engine/progress.ts';
import type { TaskMove } from './moves.ts';
import type { NodeExecutionRow } from './reads.ts';

/** The parts of a node that the scheduler needs. */
export interface NodeRow
  extends Pick<
    NodeExecutionRow,
    | 'id'
    | 'nodeId'
    | 'parentId'
    | 'specNodeId'
    | 'itemIndex'
    | 'kind'
    | 'phase'
    | 'latestAttempt'
    | 'latestTaskPhase'
    | 'abortCause'
    | keyof WorkErrorColumns
  > {
  /** Only of an array. */
  readonly itemCount: number | null;
  /** Only of a node that sleeps. */
  readonly wakeAt: Date | null;
}

const nodeColumns = `
  node.id, node.node_id as "nodeId", node.parent_id as "parentId", node.spec_node_id as "specNodeId",
  node.item_index as "itemIndex", node.kind::text as kind, node.phase::text as phase,
  node.latest_attempt as "latestAttempt", node.latest_task_phase::text as "latestTaskPhase",
  node.item_count as "itemCount", node.wake_at as "wakeAt", node.abort_cause as "abortCause", node.error_code as "errorCode",
  node.error_message as "errorMessage", node.error_kind::text as "errorKind"`;

/** The kinds of nodes that contain others. */
const containers = `('WORKFLOW', 'BRANCH', 'ARRAY')`;

const listNodesStatement = statement<NodeRow>(
  `with container as materialized (
     select id, kind, item_index from node_executions
      where execution_id = $1::uuid and ended_at is null and kind in ${containers}
   ),
   wanted as (
     select id from node_executions where execution_id = $1::uuid and parent_id is null
     union all
     select inner_node.id from container join node_executions as inner_node on inner_node.parent_id = container.id
      where container.kind <> 'ARRAY'
     union all
     select id from container where item_index is not null
   )
   select ${nodeColumns} from wanted join node_executions as node using (id)
    order by node.ended_at nulls last, node.id`,
);

/**
 * The nodes that decide about the next steps of an execution; nodes that ended first come first. These are the nodes of
 * the outermost workflow and those inside of open nodes. Of the items of an array, only those are read that are open
 * and contain nodes, so that a turn does not grow with an array.
 */
export function listNodesToAdvance(tx: Tx, executionId: string): Promise<NodeRow[]> {
  return run(listNodesStatement, [executionId], tx);
}

const nodesByIds = statement<NodeRow>(
  `select ${nodeColumns} from node_executions as node where node.execution_id = $1::uuid and node.id = any($2::uuid[])`,
);

/** The nodes of an execution with these row ids. */
export async function listNodesById(tx: Tx, executionId: string, ids: readonly string[]): Promise<NodeRow[]> {
  return ids.length === 0 ? [] : await run(nodesByIds, [executionId, ids], tx);
}

const openLeaves = statement<NodeRow>(
  `select ${nodeColumns} from node_executions as node
    where node.execution_id = $1::uuid and node.ended_at is null and node.kind not in ${containers}
      and (node.node_id = any($3::text[])
           or exists (select from unnest($2::text[]) as prefix where starts_with(node.node_id, prefix)))
    order by node.id`,
);

/** Nodes of an execution, by their ids. */
export interface Selection {
  /** All nodes whose ids begin with one of these texts. */
  readonly prefixes: readonly string[];
  readonly nodeIds?: readonly string[];
}

/** The open nodes of a selection that contain no others. */
export function listOpenLeaves(
  tx: Tx,
  executionId: string,
  { prefixes, nodeIds = [] }: Selection,
): Promise<NodeRow[]> {
  return run(openLeaves, [executionId, prefixes, nodeIds], tx);
}

const openNodes = statement<NodeRow>(
  `select ${nodeColumns} from node_executions as node
    where node.execution_id = $1::uuid and node.ended_at is null order by node.id`,
);

/** All nodes of an execution that have not ended. */
export function listOpenNodes(tx: Tx, executionId: string): Promise<NodeRow[]> {
  return run(openNodes, [executionId], tx);
}

/** An attempt that has not ended, as a move needs it. */
type OpenAttempt = Pick<TaskMove, 'id' | 'nodeExecutionId' | 'nodeId' | 'taskId' | 'task' | 'attempt'>;

const openAttempts = statement<OpenAttempt>(
  `select task.id, task.node_execution_id as "nodeExecutionId", node.node_id as "nodeId", task.task_id as "taskId",
          task.retry_attempt as attempt,
          jsonb_build_object('project', task.task_project, 'domain', task.task_domain, 'name', task.task_name,
                             'version', task.task_version) as task
     from task_executions as task join node_executions as node on node.id = task.node_execution_id
    where task.execution_id = $1::uuid and task.ended_at is null order by task.id`,
);

/** All attempts of an execution that have not ended. */
export function listOpenAttempts(tx: Tx, executionId: string): Promise<OpenAttempt[]> {
  return run(openAttempts, [executionId], tx);
}

interface CountRow {
  /** The array; null for the whole execution. */
  readonly nodeId: string | null;
  /** Only for the whole execution. */
  readonly kind: 'TASK' | 'LAUNCH_PLAN' | null;
  readonly phase: NodeExecutionPhase;
  readonly count: number;
}

const countsStatement = statement<CountRow>(
  `select null as "nodeId", kind::text as kind, phase::text as phase, count
     from node_phase_counts where execution_id = $1::uuid and kind in ('TASK', 'LAUNCH_PLAN')
   union all
   select node.node_id, null, items.phase::text, items.count
     from node_executions as node join item_phase_counts as items on items.node_execution_id = node.id
    where node.execution_id = $1::uuid and node.ended_at is null and node.kind = 'ARRAY'`,
);

/**
 * The nodes of an execution as `progress` needs them. Only if an array is open, tasks and items are counted by another
 * statement, because the rows do not contain all of them.
 *
 * @param rows  of `listNodesToAdvance`.
 */
export async function readExecutionNodes(
  tx: Tx,
  executionId: string,
  rows: readonly NodeRow[],
): Promise<ExecutionNodes & { readonly activeTasks: number }> {
  const open = rows.filter((row) => !isTerminal(nodeExecutionPhases, row.phase));
  if (!open.some((row) => row.kind === 'ARRAY')) {
    const activeTasks = open.filter((row) => row.kind === 'TASK').length;
    const active = activeTasks + open.filter((row) => row.kind === 'LAUNCH_PLAN').length;
    return { nodes: rows, items: new Map(), active, activeTasks };
  }
  const items = new Map<string, Map<NodeExecutionPhase, number>>();
  let [active, activeTasks] = [0, 0];
  for (const { nodeId, kind, phase, count } of await run(countsStatement, [executionId], tx)) {
    if (nodeId !== null)
      items.set(nodeId, (items.get(nodeId) ?? new Map<NodeExecutionPhase, number>()).set(phase, count));
    else if (!isTerminal(nodeExecutionPhases, phase)) {
      active += count;
      if (kind === 'TASK') activeTasks += count;
    }
  }
  return { nodes: rows, items, active, activeTasks };
}

const literalsStatement = (column: 'inputs' | 'outputs') =>
  statement<{ nodeId: string; literals: LiteralMap | null }>(
    `select node_id as "nodeId", ${column} as literals from node_executions
      where execution_id = $1::uuid and node_id = any($2::text[])`,
  );
const statements = { inputs: literalsStatement('inputs'), outputs: literalsStatement('outputs') };

/** The inputs or the outputs of these nodes, by node id. */
export async function readNodeLiterals(
  tx: Tx,
  executionId: string,
  which: keyof typeof statements,
  nodeIds: readonly string[],
): Promise<ReadonlyMap<string, LiteralMap>> {
  if (nodeIds.length === 0) return new Map();
  const rows = await run(statements[which], [executionId, nodeIds], tx);
  return new Map(rows.map((row) => [row.nodeId, row.literals ?? {}]));
}

const itemOutputs = statement<{ itemIndex: number; literals: LiteralMap | null }>(
  `select item_index as "itemIndex", outputs as literals from node_executions
    where parent_id = $1::uuid and phase in ('SUCCEEDED', 'RECOVERED') order by item_index`,
);

/** The outputs of the items of an array that succeeded, by index. */
export async function readItemOutputs(tx: Tx, arrayId: string): Promise<ReadonlyMap<number, LiteralMap>> {
  const rows = await run(itemOutputs, [arrayId], tx);
  return new Map(rows.map((row) => [row.itemIndex, row.literals ?? {}]));
}

const failedItem = statement<NodeRow>(
  `select ${nodeColumns} from node_executions as node
    where node.parent_id = $1::uuid and node.phase in ('FAILED', 'TIMED_OUT', 'ABORTED')
    order by node.phase = 'ABORTED', node.ended_at, node.id limit 1`,
);

/** The item of an array that failed first, or else the one that was aborted first; null if there is none. */
export async function readFailedItem(tx: Tx, arrayId: string): Promise<NodeRow | null> {
  const [row] = await run(failedItem, [arrayId], tx);
  return row ?? null;
}

const begunStatement = statement<{ hasBegun: boolean }>(
  `select exists (select from node_executions
                   where execution_id = $1::uuid and kind = 'TASK' and coalesce(started_at, ended_at) is not null)
          as "hasBegun"`,
);

/** Whether any task of an execution has begun. */
export async function hasBegunTask(tx: Tx, executionId: string): Promise<boolean> {
  const [row] = await run(begunStatement, [executionId], tx);
  return row?.hasBegun === true;
}

/** An open node that waits for the end of the execution that it started. */
export interface ChildEnd {
  readonly id: string;
  readonly nodeId: string;
  /** Null if the execution was deleted. */
  readonly phase: ExecutionPhase | null;
  readonly outputs: LiteralMap | null;
  readonly abortCause: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorKind: ErrorKind | null;
}

const childEnds = statement<ChildEnd>(
  `select node.id, node.node_id as "nodeId", child.phase::text as phase, child.outputs, child.abort_cause as "abortCause",
          child.error_code as "errorCode", child.error_message as "errorMessage", child.error_kind::text as "errorKind"
     from node_executions as node left join executions as child on child.parent_node_id = node.id
    where node.execution_id = $1::uuid and node.ended_at is null and node.kind = 'LAUNCH_PLAN'
      and (child.id is null or child.ended_at is not null)
    order by child.ended_at nulls last, node.id limit $2`,
);

/** Open nodes whose executions have ended, or were deleted. */
export function listChildEnds(tx: Tx, executionId: string, limit: number): Promise<ChildEnd[]> {
  return run(childEnds, [executionId, limit], tx);
}

const openChildren = statement<{ id: string }>(
  `select child.id from executions as child where child.parent_node_id = any($1::uuid[]) and child.ended_at is null`,
);

/** The executions of these nodes that have not ended. */
export async function listOpenChildren(tx: Tx, nodeExecutionIds: readonly string[]): Promise<string[]> {
  if (nodeExecutionIds.length === 0) return [];
  return (await run(openChildren, [nodeExecutionIds], tx)).map((row) => row.id);
}

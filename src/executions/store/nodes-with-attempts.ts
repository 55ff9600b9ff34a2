import { type Page, pageSql } from '../../platform/database/page.ts';
import { raw, sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import type { ChildLists, Listed } from '../../platform/loaders.ts';
import { taskColumns } from './columns.ts';
import {
  briefNodesOfEach,
  type Inside,
  type NodeListFilter,
  nodesOfEach,
  type TaskOrder,
  taskOrder,
} from './part-lists.ts';
import type { NodeExecutionRow, TaskExecutionRow } from './reads.ts';

/** Lists of nodes with their attempts, read in one statement. */

/** The same page of the attempts of each node. */
export interface AttemptsPage {
  readonly orderBy: TaskOrder;
  readonly page: Page;
}

export interface NodeListWithAttempts extends NodeListFilter {
  /** Null if no attempts are read together with the nodes. */
  readonly attempts: AttemptsPage | null;
}

export interface NodeWithAttempts extends NodeExecutionRow {
  /** Absent if the attempts were not read together with the node. */
  readonly attempts?: { readonly asked: AttemptsPage; readonly rows: readonly TaskExecutionRow[] };
}

/**
 * The nodes directly inside of each parent. If only brief columns of both are needed, their attempts are read too.
 * Otherwise a long message of a node would be sent once for each of its attempts.
 */
export function nodesWithAttempts(inside: Inside): ChildLists<NodeListWithAttempts, NodeWithAttempts> {
  const nodes = nodesOfEach(inside);
  return {
    count: (parentIds, { attempts: _attempts, ...filter }) => nodes.count(parentIds, filter),
    read: (parentIds, { attempts, ...filter }, page) =>
      attempts && page.isBrief && attempts.page.isBrief
        ? readBoth(inside, parentIds, filter, page, attempts)
        : nodes.read(parentIds, filter, page),
  };
}

const attempt = taskColumns.briefPart('attempt.');

/** A node and one of its attempts, or null in all columns of the attempt. */
type FlatRow = NodeExecutionRow & Listed & { readonly 'attempt.id': string | null };

async function readBoth(
  inside: Inside,
  parentIds: readonly string[],
  filter: NodeListFilter,
  page: Page,
  asked: AttemptsPage,
): Promise<(NodeWithAttempts & Listed)[]> {
  const { beyond, end } = pageSql(taskOrder(asked), asked.page);
  const flat = await query<FlatRow>(sql`
    select node.*, attempt.* from (${briefNodesOfEach(inside, parentIds, filter, page)}) as node
      left join lateral (
        select ${raw(attempt.columns)} from task_executions as task
         where task.node_execution_id = node.id ${beyond} ${end}
      ) as attempt on true`);
  const nodes: (NodeWithAttempts & Listed)[] = [];
  let rows: TaskExecutionRow[] = [];
  for (const row of flat) {
    // The rows of a node follow each other.
    if (nodes.at(-1)?.id !== row.id) {
      rows = [];
      nodes.push(Object.assign(row, { attempts: { asked, rows } }));
    }
    if (row['attempt.id'] !== null) rows.push(attempt.in(row) as unknown as TaskExecutionRow);
  }
  return nodes;
}

import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { hasModelVersionSql } from '../../tracking/store/lineage.ts';

/** Something that still needs an execution. */
export type DeletionObstacle =
  /** It has not ended. */
  | 'OPEN'
  /** The notifications about its end are not planned yet. */
  | 'NOTICE'
  /** Its end has a trigger that has not started its execution yet. */
  | 'TRIGGER'
  /** A node of another execution started it and has not taken its result yet. */
  | 'PARENT'
  /** It did not succeed, and an execution above it has not ended. A recovery of that one would recover this one, too. */
  | 'ABOVE'
  /**
   * An execution that recovers it has not ended. It reads its results when its nodes start. Or it did not succeed, and one
   * above it is recovered: then the node that started it starts its recovery.
   */
  | 'RECOVERY'
  /** A version of a registered model comes from it. */
  | 'MODEL';

/** What `findRecoverableChildren` looks for. */
const didNotSucceed = (execution: string) => `${execution}.phase in ('FAILED', 'ABORTED', 'TIMED_OUT')`;

/**
 * The execution of the row `execution`, and those above it as long as a recovery of one would recover the one below it.
 * There are at most 32 levels.
 */
const lineSql = `with recursive line as (
    select execution.id, execution.phase, execution.parent_node_id, execution.ended_at
    union all
    select above.id, above.phase, above.parent_node_id, above.ended_at
      from line join node_executions as node on node.id = line.parent_node_id
                join executions as above on above.id = node.execution_id
     where ${didNotSucceed('line')}
  )`;

const conditions: Readonly<Record<DeletionObstacle, string>> = {
  OPEN: 'execution.ended_at is null',
  NOTICE: 'execution.notify_at is not null',
  TRIGGER: 'exists (select from trigger_firings as firing where firing.source_execution_id = execution.id)',
  PARENT: `exists (select from node_executions as node
                     join executions as parent on parent.id = node.execution_id and parent.ended_at is null
                    where node.id = execution.parent_node_id and node.ended_at is null)`,
  ABOVE: `exists (${lineSql} select from line where line.ended_at is null)`,
  RECOVERY: `exists (${lineSql}
                     select from line join executions as recovery on recovery.reference_id = line.id
                      where recovery.mode = 'RECOVERED' and recovery.ended_at is null)`,
  MODEL: hasModelVersionSql('execution.id'),
};

/** The first obstacle of the row `execution`, as an SQL expression; null if there is none. */
export const obstacleSql = `case ${Object.entries(conditions)
  .map(([obstacle, condition]) => `when ${condition} then '${obstacle}'`)
  .join(' ')} end`;

export interface Judged {
  readonly id: string;
  readonly phase: ExecutionPhase;
  readonly obstacle: DeletionObstacle | null;
}

const judgeStatement = statement<Judged>(
  `select execution.id, execution.phase::text as phase, ${obstacleSql} as obstacle
     from executions as execution where execution.id = any($1::uuid[])`,
);

/** What keeps each of these executions from being deleted. To be sure of the answer, lock them before. */
export const judgeDeletions = (ids: readonly string[], tx?: Tx): Promise<Judged[]> =>
  run(judgeStatement, [ids], tx);

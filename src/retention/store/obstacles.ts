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
  /** An execution that recovers it has not ended. It reads its results when its nodes start. */
  | 'RECOVERY'
  /** A version of a registered model comes from it. */
  | 'MODEL';

const conditions: Readonly<Record<DeletionObstacle, string>> = {
  OPEN: 'execution.ended_at is null',
  NOTICE: 'execution.notify_at is not null',
  TRIGGER: 'exists (select from trigger_firings as firing where firing.source_execution_id = execution.id)',
  PARENT: `exists (select from node_executions as node
                     join executions as parent on parent.id = node.execution_id and parent.ended_at is null
                    where node.id = execution.parent_node_id and node.ended_at is null)`,
  RECOVERY: `exists (select from executions as recovery
                      where recovery.reference_id = execution.id and recovery.mode = 'RECOVERED'
                        and recovery.ended_at is null)`,
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

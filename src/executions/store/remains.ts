import { run, statement } from '../../platform/database/statement.ts';

/** What deleted executions have left behind. `removeExecutions` writes the rows. */

export interface Remains {
  /** The id that the execution had. */
  readonly executionId: string;
  readonly tenantId: string;
  readonly deletedById: string;
}

const dueStatement = statement<{ id: string }>(
  'select execution_id as id from execution_remains where sweep_at <= now() order by sweep_at limit $1',
);

/** The deleted executions whose remains are due, the longest due first. */
export const listDueRemains = async (limit: number): Promise<string[]> =>
  (await run(dueStatement, [limit])).map((row) => row.id);

const findStatement = statement<Remains>(
  `select execution_id as "executionId", tenant_id as "tenantId", deleted_by_id as "deletedById"
     from execution_remains where execution_id = $1::uuid`,
);

/** Null if nothing is left of the execution. */
export async function findRemains(executionId: string): Promise<Remains | null> {
  const [row] = await run(findStatement, [executionId]);
  return row ?? null;
}

const delayStatement = statement<{ id: string }>(
  `update execution_remains set sweep_at = now() + $2 * interval '1 second' where execution_id = $1::uuid
   returning execution_id as id`,
);

/** Has a scheduler look again later. */
export const delayRemains = (executionId: string, seconds: number) =>
  run(delayStatement, [executionId, seconds]);

const forgetStatement = statement<{ id: string }>(
  'delete from execution_remains where execution_id = $1::uuid returning execution_id as id',
);

/** Nothing is left of the execution. */
export const forgetRemains = (executionId: string) => run(forgetStatement, [executionId]);

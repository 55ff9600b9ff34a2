import type { EntityType } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * What refers to the versions of tasks, workflows and launch plans. A version that something refers to is not deleted,
 * and a version that is being deleted gets no new references: who adds one locks the version first.
 */

/** Why a version cannot be deleted. */
export type Reference = 'ACTIVE' | 'LAUNCH_PLANS' | 'WORKFLOWS';

/** Workflows keep the ids of what they refer to as JSON. This reads all workflows of the tenant, but few people delete. */
const inWorkflows = (column: 'task_ids' | 'launch_plan_ids') =>
  `exists (select from workflows where tenant_id = version.tenant_id and position(version.id::text in ${column}::text) > 0)`;

const referenceStatement = (table: string, cases: Partial<Record<Reference, string>>) =>
  statement<{ reference: Reference | null }>(
    `select case ${Object.entries(cases)
      .map(([reference, condition]) => `when ${condition} then '${reference}'`)
      .join(' ')} end as reference
       from ${table} as version where id = $1::uuid`,
  );

const tables = { TASK: 'tasks', WORKFLOW: 'workflows', LAUNCH_PLAN: 'launch_plans' } as const;

const references = {
  TASK: referenceStatement('tasks', { WORKFLOWS: inWorkflows('task_ids') }),
  WORKFLOW: referenceStatement('workflows', {
    LAUNCH_PLANS: 'exists (select from launch_plans where workflow_id = version.id)',
  }),
  LAUNCH_PLAN: referenceStatement('launch_plans', {
    ACTIVE: `version.state = 'ACTIVE'`,
    WORKFLOWS: inWorkflows('launch_plan_ids'),
  }),
} as const satisfies Readonly<Record<EntityType, object>>;

const forEach = <Result>(make: (table: string) => Result): Readonly<Record<EntityType, Result>> => ({
  TASK: make(tables.TASK),
  WORKFLOW: make(tables.WORKFLOW),
  LAUNCH_PLAN: make(tables.LAUNCH_PLAN),
});

const lockStatements = forEach((table) =>
  statement<{ id: string }>(`select id from ${table} where id = $1::uuid for update`),
);
const deleteStatements = forEach((table) =>
  statement<{ id: string }>(`delete from ${table} where id = $1::uuid returning id`),
);
const keepStatements = forEach((table) =>
  statement<{ id: string }>(`select id from ${table} where id = any($1::uuid[]) order by id for key share`),
);

/** Locks a version against new references. @returns whether it exists. */
export async function lockVersion(tx: Tx, type: EntityType, id: string): Promise<boolean> {
  return (await run(lockStatements[type], [id], tx)).length > 0;
}

/**
 * The first thing of the registry that refers to a version, or its own state; null if there is none. The caller must
 * have locked the version.
 */
export async function findReference(tx: Tx, type: EntityType, id: string): Promise<Reference | null> {
  const [row] = await run(references[type], [id], tx);
  return row?.reference ?? null;
}

/** Deletes a version, with its description. A foreign key refuses this if there are executions of it. */
export async function deleteVersionRow(tx: Tx, type: EntityType, id: string): Promise<void> {
  await run(deleteStatements[type], [id], tx);
}

/** Locks versions against their deletion. @returns whether all of them exist. */
export async function keepVersions(tx: Tx, type: EntityType, ids: readonly string[]): Promise<boolean> {
  const wanted = new Set(ids).size;
  return wanted === 0 || (await run(keepStatements[type], [ids], tx)).length === wanted;
}

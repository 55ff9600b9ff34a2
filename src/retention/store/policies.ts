import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import type { RetentionRule } from '../domain/retention-rules.ts';

/** The domain of a project that a policy is about. */
export interface PolicyKey {
  readonly tenantId: string;
  readonly projectId: string;
  readonly domain: string;
}

export interface RetentionPolicyRow extends PolicyKey {
  readonly id: string;
  readonly rules: readonly RetentionRule[];
  readonly setById: string;
  readonly setAt: Date;
  readonly lastSweptAt: Date | null;
  readonly lastDeletedAt: Date | null;
  readonly deletedCount: bigint;
}

const columns = `policy.id, policy.tenant_id as "tenantId", policy.project_id as "projectId", policy.domain, policy.rules,
  policy.set_by_id as "setById", policy.set_at as "setAt", policy.last_swept_at as "lastSweptAt",
  policy.last_deleted_at as "lastDeletedAt", policy.deleted_count as "deletedCount"`;

const exact = 'tenant_id = $1::uuid and project_id = $2::uuid and domain = $3';

const findStatement = statement<RetentionPolicyRow>(
  `select ${columns} from retention_policies as policy where ${exact}`,
);

/** Null if executions are kept for ever. */
export async function findPolicy({
  tenantId,
  projectId,
  domain,
}: PolicyKey): Promise<RetentionPolicyRow | null> {
  const [row] = await run(findStatement, [tenantId, projectId, domain]);
  return row ?? null;
}

const insertOrLockStatement = statement<RetentionPolicyRow & { readonly isNew: boolean }>(
  `insert into retention_policies as policy (tenant_id, project_id, domain, rules, set_by_id, set_at, id)
   values ($1::uuid, $2::uuid, $3, $4::json, $5::uuid, now(), $6::uuid)
   on conflict (tenant_id, project_id, domain) do update set domain = policy.domain
   returning ${columns}, policy.id = $6::uuid as "isNew"`,
);

/** Stores a policy, or locks the row of the one that is there until the transaction ends. */
export async function insertOrLockPolicy(
  tx: Tx,
  { tenantId, projectId, domain }: PolicyKey,
  rules: readonly RetentionRule[],
  userId: string,
): Promise<{ readonly row: RetentionPolicyRow; readonly isNew: boolean }> {
  const values = [tenantId, projectId, domain, JSON.stringify(rules), userId, newId()];
  const [found] = await run(insertOrLockStatement, values, tx);
  if (!found) throw new Error('the policy is neither stored nor there');
  const { isNew, ...row } = found;
  return { row, isNew };
}

const replaceStatement = statement<RetentionPolicyRow>(
  `update retention_policies as policy
      set rules = $2::json, set_by_id = $3::uuid, set_at = now(), sweep_at = now(), swept_ended_at = null, swept_id = null
    where id = $1::uuid returning ${columns}`,
);

/** Gives a locked policy other rules. The next sweep begins with the oldest execution. */
export async function replaceRules(
  tx: Tx,
  id: string,
  rules: readonly RetentionRule[],
  userId: string,
): Promise<RetentionPolicyRow> {
  const [row] = await run(replaceStatement, [id, JSON.stringify(rules), userId], tx);
  if (!row) throw new Error('the policy is gone, although it is locked');
  return row;
}

const deleteStatement = statement<RetentionPolicyRow>(
  `delete from retention_policies as policy where ${exact} returning ${columns}`,
);

/** @returns the policy that was there; null if there was none. */
export async function deletePolicy(
  tx: Tx,
  { tenantId, projectId, domain }: PolicyKey,
): Promise<RetentionPolicyRow | null> {
  const [row] = await run(deleteStatement, [tenantId, projectId, domain], tx);
  return row ?? null;
}

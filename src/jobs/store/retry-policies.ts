import { isRoleAtLeast } from '../../authorization/domain/roles.ts';
import type { NodeRows } from '../../authorization/store/node-rows.ts';
import type { RetryPolicy } from '../../generated/prisma/client.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { db } from '../../platform/database/client.ts';
import { byText, type Page } from '../../platform/database/page.ts';
import { columnsOf, type Rows, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { RetryRule } from '../domain/retry-policies.ts';

export type RetryPolicyBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in the order of the addresses. */
export function readRetryPolicies(
  tenantId: string,
  addresses: readonly RetryPolicyBy[],
): Promise<(RetryPolicy | null)[]> {
  return readAddressed(
    addresses,
    ['name'],
    (ids) => db.retryPolicy.findMany({ where: { tenantId, id: { in: ids } } }),
    (names) => db.retryPolicy.findMany({ where: { tenantId, name: { in: names } } }),
  );
}

/** Roles decide about policies: the rule of the lookup asks for the role. */
export const retryPolicyNodes: NodeRows = {
  from: 'retry_policies as policy',
  id: 'policy.id',
  tenant: 'policy.tenant_id',
  isShown: ({ tenantId, role }) =>
    sql`(policy.tenant_id = ${tenantId}::uuid and ${isRoleAtLeast(role, 'SUPERUSER')}::boolean)`,
};

const ofTenant = (tenantId: string): Rows => ({
  from: sql`retry_policies as policy where policy.tenant_id = ${tenantId}::uuid`,
});

export const retryPolicyOrder = byText<RetryPolicy>('policy.name', 'name');

const columns = columnsOf(Prisma.RetryPolicyScalarFieldEnum, 'policy');

/** The policies of a tenant by name: one page, and one more row if there is one. */
export const listRetryPolicies = (tenantId: string, page: Page) =>
  list<RetryPolicy>(ofTenant(tenantId), columns, retryPolicyOrder, page);

/** The number of these policies. It is read only if a query asks for it. */
export const countRetryPolicies = (tenantId: string) => count(ofTenant(tenantId));

/** What a caller can set. */
export interface RetryPolicyColumns {
  readonly retryLimit: number;
  readonly defaultAction: 'FAIL' | 'RETRY';
  readonly rules: readonly RetryRule[];
}

const dataOf = ({ rules, ...rest }: RetryPolicyColumns) => ({
  ...rest,
  rules: rules as unknown as Prisma.InputJsonArray,
});

/** @throws a unique violation if the name is taken. */
export const insertRetryPolicy = (
  tx: Tx,
  key: { readonly id: string; readonly tenantId: string; readonly name: string },
  policy: RetryPolicyColumns,
): Promise<RetryPolicy> => tx.retryPolicy.create({ data: { ...key, ...dataOf(policy) } });

/** Null if there is no policy with this name. */
export async function storeRetryPolicy(
  tx: Tx,
  { tenantId, name }: { readonly tenantId: string; readonly name: string },
  policy: RetryPolicyColumns,
): Promise<RetryPolicy | null> {
  const [row] = await tx.retryPolicy.updateManyAndReturn({
    where: { tenantId, name },
    data: dataOf(policy),
  });
  return row ?? null;
}

/** The deleted policy; null if there was none. Queues still name it: `detachRetryPolicy` comes next. */
export async function removeRetryPolicy(tx: Tx, tenantId: string, name: string): Promise<RetryPolicy | null> {
  const found = await tx.retryPolicy.findUnique({ where: { tenantId_name: { tenantId, name } } });
  const { count: gone } = await tx.retryPolicy.deleteMany({ where: { tenantId, name } });
  return gone > 0 ? found : null;
}

const detachStatement = statement<{ id: string }>(
  `with named as (
     select id from queues where tenant_id = $1::uuid and $2 = any(retry_policies) order by id for no key update
   )
   update queues as queue set retry_policies = array_remove(retry_policies, $2), updated_at = now()
     from named where queue.id = named.id
   returning queue.id`,
);

/**
 * Takes the policy from all queues that name it. This is a statement of its own after the deletion, so that it sees the
 * queues which were stored while the deletion waited for their lock on the policy.
 *
 * @returns how many queues there were.
 */
export async function detachRetryPolicy(tx: Tx, tenantId: string, name: string): Promise<number> {
  return (await run(detachStatement, [tenantId, name], tx)).length;
}

const shareStatement = statement<{ name: string }>(
  `select name from retry_policies where tenant_id = $1::uuid and name = any($2::text[]) order by name for key share`,
);

/** Those of the names that are names of policies. These policies cannot be deleted until the transaction ends. */
export async function keepRetryPolicies(
  tx: Tx,
  tenantId: string,
  policyNames: readonly string[],
): Promise<ReadonlySet<string>> {
  if (policyNames.length === 0) return new Set();
  const rows = await run(shareStatement, [tenantId, policyNames], tx);
  return new Set(rows.map(({ name }) => name));
}

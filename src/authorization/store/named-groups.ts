import { run, statement } from '../../platform/database/statement.ts';

const namedGroupsStatement = statement<{ id: string }>(
  `select id from groups where tenant_id = $1::uuid and name_key = any($2::text[]) and not is_everyone
    order by id limit 1000`,
);

/**
 * The ids of the tenant's groups with these names, in the form in which names are compared. Names without a group are
 * left out.
 */
export async function listGroupIds(tenantId: string, nameKeys: readonly string[]): Promise<string[]> {
  if (nameKeys.length === 0) return [];
  const rows = await run(namedGroupsStatement, [tenantId, nameKeys]);
  return rows.map(({ id }) => id);
}

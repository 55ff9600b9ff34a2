import type { RegisteredModel } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';
import { run, statement } from '../platform/database/statement.ts';
import { isId } from '../platform/ids.ts';

export type RegisteredModelBy =
  | { readonly id: string }
  | { readonly key: { readonly project: string; readonly name: string } };

const idsStatement = statement<{ at: number; id: string }>(
  'find_registered_model_ids',
  `select asked.at, found.id
     from jsonb_to_recordset($2::jsonb) as asked(at int, project text, name text)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join registered_models as found on found.project_id = project.id and found.tenant_id = $1::uuid and found.name = asked.name`,
);

/** One row or null for each address, in their order. */
export async function readRegisteredModels(
  tenantId: string,
  addresses: readonly RegisteredModelBy[],
): Promise<(RegisteredModel | null)[]> {
  const keys = addresses.flatMap((by, at) => ('key' in by ? [{ at, ...by.key }] : []));
  const named = keys.length > 0 ? await run(idsStatement, [tenantId, JSON.stringify(keys)]) : [];
  const idAt = new Map(named.map(({ at, id }) => [at, id]));
  const ids = addresses.map((by, at) => ('id' in by ? by.id : idAt.get(at)) ?? '');
  const rows = await db.registeredModel.findMany({ where: { tenantId, id: { in: ids.filter(isId) } } });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

import type { NodeRows } from '../../authorization/store/node-rows.ts';
import type { ModelAlias, ModelVersion } from '../../generated/prisma/client.ts';
import { eachAt } from '../../platform/by-address.ts';
import { countOfEach, highestFirst, type Page, pageOfEach } from '../../platform/database/page.ts';
import { query, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { groupBy } from '../../platform/group-by.ts';
import { isId } from '../../platform/ids.ts';
import type { ChildCount } from '../../platform/loaders.ts';
import { modelNodes } from './models.ts';

/** A version, with the columns that decide about its model. */
export interface ModelVersionRow extends ModelVersion {
  readonly projectId: string;
  readonly publicAt: Date | null;
}

/**
 * The address of a version, after its model was looked up. If the model was not found, its id is null, and the same
 * statements are sent.
 */
export type ModelVersionAddress =
  | { readonly id: string }
  | { readonly modelId: string | null; readonly version: number }
  | { readonly modelId: string | null; readonly alias: string };

const columns = `
  version.id, version.tenant_id as "tenantId", version.model_id as "modelId", version.version, version.source,
  version.description, version.tags, version.execution_id as "executionId", version.run_id as "runId",
  version.created_by_id as "createdById", version.created_at as "createdAt", version.updated_at as "updatedAt",
  model.project_id as "projectId", model.public_at as "publicAt"`;

const source = 'model_versions as version join registered_models as model on model.id = version.model_id';
const reachable = '(model.tenant_id = $1::uuid or model.public_at is not null)';

export const modelVersionNodes: NodeRows = { ...modelNodes, from: source, id: 'version.id' };

const byIds = statement<ModelVersionRow>(
  `select ${columns} from ${source} where version.id = any($2::uuid[]) and ${reachable}`,
);

const byNumbers = statement<ModelVersionRow>(
  `select ${columns} from unnest($2::uuid[], $3::int[]) as asked(model_id, version)
     join model_versions as version on version.model_id = asked.model_id and version.version = asked.version
     join registered_models as model on model.id = version.model_id
    where ${reachable}`,
);

const byAliases = statement<ModelVersionRow & { readonly alias: string }>(
  `select ${columns}, pointer.alias from unnest($2::uuid[], $3::text[]) as asked(model_id, alias)
     join model_aliases as pointer on pointer.model_id = asked.model_id and pointer.alias = asked.alias
     join model_versions as version on version.id = pointer.version_id
     join registered_models as model on model.id = version.model_id
    where ${reachable}`,
);

/** Takes the place of the id of a model that was not found. */
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/** One row or null for each address, in the order of the addresses. Each kind of address takes one statement. */
export async function readModelVersions(
  tenantId: string,
  addresses: readonly ModelVersionAddress[],
): Promise<(ModelVersionRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const numbers = addresses.flatMap((by) => ('version' in by ? [by] : []));
  const aliases = addresses.flatMap((by) => ('alias' in by ? [by] : []));
  const models = (list: readonly { modelId: string | null }[]) =>
    list.map(({ modelId }) => modelId ?? NOWHERE);
  const [foundById, foundByNumber, foundByAlias] = await Promise.all([
    ids.length === 0 ? [] : run(byIds, [tenantId, ids]),
    numbers.length === 0
      ? []
      : run(byNumbers, [tenantId, models(numbers), numbers.map(({ version }) => version)]),
    aliases.length === 0
      ? []
      : run(byAliases, [tenantId, models(aliases), aliases.map(({ alias }) => alias)]),
  ]);
  return eachAt(addresses, addressText, [
    ...foundById.map((row) => [row.id, row] as const),
    ...foundByNumber.map((row) => [addressText(row), row] as const),
    ...foundByAlias.map((row) => [addressText({ modelId: row.modelId, alias: row.alias }), row] as const),
  ]);
}

function addressText(by: ModelVersionAddress): string {
  if ('alias' in by) return JSON.stringify([by.modelId, by.alias]);
  return 'version' in by ? JSON.stringify([by.modelId, by.version]) : by.id;
}

const lockStatement = statement<ModelVersionRow>(
  `select ${columns} from ${source} where version.id = $1::uuid for no key update of version`,
);

/** Locks a version until the transaction ends. Its model must be locked first. */
export async function lockModelVersion(tx: Tx, id: string): Promise<ModelVersionRow | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

export const versionOrder = highestFirst<ModelVersionRow>('version.version', 'version');
const versionsOfModels = { columns, source, parent: 'version.model_id', order: versionOrder };

/** The newest versions of each model: one page, and one more row if there is one. */
export const readVersionsOfModels = (modelIds: readonly string[], page: Page) =>
  query<ModelVersionRow>(pageOfEach(versionsOfModels, modelIds, page));

export const countVersionsOfModels = (modelIds: readonly string[]) =>
  query<ChildCount>(countOfEach(versionsOfModels, modelIds));

/** An alias of a version. */
export interface AliasRow extends Omit<ModelAlias, 'tenantId'> {
  /** The number of the version that the alias points to. */
  readonly version: number;
}

const aliasStatement = (column: string) =>
  statement<AliasRow>(
    `select pointer.model_id as "modelId", pointer.alias, pointer.version_id as "versionId",
            pointer.updated_at as "updatedAt", version.version
       from model_aliases as pointer join model_versions as version on version.id = pointer.version_id
      where pointer.${column} = any($1::uuid[]) order by pointer.alias collate "C"`,
  );
const aliasesOfModels = aliasStatement('model_id');
const aliasesOfVersions = aliasStatement('version_id');

/** All aliases of each model, by name. A model has few of them. */
export const readAliasesOfModels = async (modelIds: readonly string[]) =>
  each(modelIds, await run(aliasesOfModels, [modelIds]), (row) => row.modelId);

/** All aliases that point to each version, by name. */
export const readAliasesOfVersions = async (versionIds: readonly string[]) =>
  each(versionIds, await run(aliasesOfVersions, [versionIds]), (row) => row.versionId);

function each(ids: readonly string[], rows: readonly AliasRow[], idOf: (row: AliasRow) => string) {
  const byId = groupBy(rows, idOf);
  return ids.map((id) => byId.get(id) ?? []);
}

const pointStatement = statement<Record<string, never>>(
  `insert into model_aliases (model_id, alias, tenant_id, version_id, updated_at)
   values ($1::uuid, $2, $3::uuid, $4::uuid, now())
   on conflict (model_id, alias) do update set version_id = excluded.version_id, updated_at = now()`,
);

/** Lets a new or existing alias point to a version. Its model must be locked. */
export async function pointAlias(
  tx: Tx,
  pointer: { modelId: string; alias: string; tenantId: string; versionId: string },
): Promise<void> {
  await run(pointStatement, [pointer.modelId, pointer.alias, pointer.tenantId, pointer.versionId], tx);
}

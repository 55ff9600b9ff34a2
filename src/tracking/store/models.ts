import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { LifecycleStage, ProjectState, RegisteredModel } from '../../generated/prisma/client.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';

export interface RegisteredModelRow extends RegisteredModel {
  /** The project's identifier. */
  readonly project: string;
  readonly projectState: ProjectState;
}

export interface RegisteredModelKey {
  readonly project: string;
  readonly name: string;
}
export type RegisteredModelBy = { readonly id: string } | { readonly key: RegisteredModelKey };

const columns = `
  model.id, model.tenant_id as "tenantId", model.project_id as "projectId", project.identifier as project,
  project.state::text as "projectState", model.name, model.description, model.tags,
  model.last_version as "lastVersion", model.deleted_at as "deletedAt", model.public_at as "publicAt",
  model.created_by_id as "createdById", model.created_at as "createdAt", model.updated_at as "updatedAt"`;

const source = 'registered_models as model join projects as project on project.id = model.project_id';

const byIds = statement<RegisteredModelRow>(
  `select ${columns} from ${source}
    where model.id = any($2::uuid[]) and (model.tenant_id = $1::uuid or model.public_at is not null)`,
);

const byKeys = statement<RegisteredModelRow>(
  `select ${columns} from unnest($2::text[], $3::text[]) as asked(project, name)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join registered_models as model on model.tenant_id = $1::uuid and model.project_id = project.id
      and model.name = asked.name`,
);

/**
 * One row or null for each address, in their order: a statement for ids, one for keys. Other tenants' models are found
 * by id while they are public.
 */
export async function readRegisteredModels(
  tenantId: string,
  addresses: readonly RegisteredModelBy[],
): Promise<(RegisteredModelRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const keys = addresses.flatMap((by) => ('key' in by ? [by.key] : []));
  const [foundById, foundByKey] = await Promise.all([
    ids.length > 0 ? run(byIds, [tenantId, ids]) : [],
    keys.length > 0
      ? run(byKeys, [tenantId, keys.map(({ project }) => project), keys.map(({ name }) => name)])
      : [],
  ]);
  const byId = new Map(foundById.map((row) => [row.id, row]));
  const byKey = new Map(foundByKey.map((row) => [keyText(row), row]));
  return addresses.map((by) => ('id' in by ? byId.get(by.id) : byKey.get(keyText(by.key))) ?? null);
}

const keyText = ({ project, name }: RegisteredModelKey) => JSON.stringify([project, name]);

const lockStatement = statement<RegisteredModelRow>(
  `select ${columns} from ${source} where model.id = $1::uuid for update of model`,
);

/** Holds a model until commit, and with it the numbering of its versions and its aliases. */
export async function lockRegisteredModel(tx: Tx, id: string): Promise<RegisteredModelRow | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

export interface RegisteredModelFilter {
  readonly projectId: string | null;
  /** What names begin with. */
  readonly name: string | null;
  /** Null: all. */
  readonly stage: LifecycleStage | null;
  /** True: public ones of every tenant; false: those of the tenant that are not; null: all of the tenant. */
  readonly isPublic: boolean | null;
}

interface ListPage {
  readonly limit: number;
  readonly backward: boolean;
  /** createdAt and id of the row to go on from. */
  readonly from: readonly string[] | null;
}

/** Where models have what decides about them. */
const resources: readonly ResourceColumn[] = [
  { type: 'REGISTERED_MODEL', column: 'model.id' },
  { type: 'PROJECT', column: 'model.project_id' },
];
const isPublicModel = 'model.public_at is not null';

function shown(reader: Reader, filter: RegisteredModelFilter) {
  const readable = readableSql(reader, resources, isPublicModel);
  const values: Value[] = [...readable.values];
  const parts = [readable.condition, filter.isPublic ? isPublicModel : 'model.tenant_id = $1::uuid'];
  const where = (part: (parameter: string) => string, value: Value) => {
    values.push(value);
    parts.push(part(`$${values.length}`));
  };
  if (filter.isPublic === false) parts.push('model.public_at is null');
  if (filter.stage === 'ACTIVE') parts.push('model.deleted_at is null');
  if (filter.stage === 'DELETED') parts.push('model.deleted_at is not null');
  if (filter.projectId) where((at) => `model.project_id = ${at}::uuid`, filter.projectId);
  if (filter.name) where((at) => `starts_with(model.name, ${at})`, filter.name);
  return { ...readable, where: parts.join(' and '), values };
}

/** Models that the caller may read, newest first; up to one more than the page. */
export async function listRegisteredModels(
  reader: Reader,
  filter: RegisteredModelFilter,
  page: ListPage,
): Promise<RegisteredModelRow[]> {
  const list = shown(reader, filter);
  const at = list.values.length + 1;
  const [beyond, direction] = page.backward ? ['>', 'asc'] : ['<', 'desc'];
  const from = page.from
    ? `and (model.created_at, model.id) ${beyond} ($${at + 1}::timestamptz, $${at + 2}::uuid)`
    : '';
  const select = statement<RegisteredModelRow>(
    `${list.with}
     select ${columns} from ${source} ${list.joins} where ${list.where} ${from}
      order by model.created_at ${direction}, model.id ${direction} limit $${at}`,
  );
  return await run(select, [...list.values, page.limit + 1, ...(page.from ?? [])]);
}

/** How many there are in all; read only where it is asked for. */
export async function countRegisteredModels(reader: Reader, filter: RegisteredModelFilter): Promise<number> {
  const list = shown(reader, filter);
  const count = statement<{ count: bigint }>(
    `${list.with} select count(*) as count from registered_models as model ${list.joins} where ${list.where}`,
  );
  const [row] = await run(count, list.values);
  return Number(row?.count ?? 0n);
}

/** Whether the caller may read some model of a project: then it may list them. */
export async function hasReadableModel(reader: Reader, projectId: string | null): Promise<boolean> {
  const readable = readableSql(reader, resources, isPublicModel);
  const some = statement<{ some: boolean }>(
    `${readable.with}
     select exists (
       select from registered_models as model ${readable.joins}
        where model.tenant_id = $1::uuid and model.project_id = $7::uuid and ${readable.condition}
     ) as some`,
  );
  const [row] = await run(some, [...readable.values, projectId]);
  return row?.some ?? false;
}

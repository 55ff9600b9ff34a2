import {
  hasReadable,
  type Reader,
  type ResourceColumn,
  readableSql,
} from '../../authorization/store/readable.ts';
import type { LifecycleStage, ProjectState, RegisteredModel } from '../../generated/prisma/client.ts';
import { readAddressed } from '../../platform/by-address.ts';
import { newestFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

export interface RegisteredModelRow extends RegisteredModel {
  /** The identifier of the project. */
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

/** One row or null for each address, in the order of the addresses. Public models of other tenants are found by id. */
export function readRegisteredModels(
  tenantId: string,
  addresses: readonly RegisteredModelBy[],
): Promise<(RegisteredModelRow | null)[]> {
  return readAddressed(
    addresses,
    ['project', 'name'],
    (ids) => run(byIds, [tenantId, ids]),
    (...columns) => run(byKeys, [tenantId, ...columns]),
  );
}

const lockStatement = statement<RegisteredModelRow>(
  `select ${columns} from ${source} where model.id = $1::uuid for update of model`,
);

/** Locks a model until the transaction ends, together with the numbers of its versions and its aliases. */
export async function lockRegisteredModel(tx: Tx, id: string): Promise<RegisteredModelRow | null> {
  const [row] = await run(lockStatement, [id], tx);
  return row ?? null;
}

export interface RegisteredModelFilter {
  readonly projectId: string | null;
  /** The beginning of the name. */
  readonly name: string | null;
  /** Null means all stages. */
  readonly stage: LifecycleStage | null;
  /** True: public ones of every tenant. False: private ones of the tenant. Null: all of the tenant. */
  readonly isPublic: boolean | null;
}

/** The columns with the resources that decide about a model. */
const resources: readonly ResourceColumn[] = [
  { type: 'REGISTERED_MODEL', column: 'model.id' },
  { type: 'PROJECT', column: 'model.project_id' },
];
const isPublicModel = 'model.public_at is not null';

/** The rows that a reader may see. */
function shownTo(reader: Reader, { projectId, name, stage, isPublic }: RegisteredModelFilter): Rows {
  const readable = readableSql(reader, resources, isPublicModel);
  const ofTenant = sql`model.tenant_id = ${reader.tenantId}::uuid`;
  const from = sql`${raw(source)} ${readable.joins}
    where ${readable.condition} and ${isPublic ? raw(isPublicModel) : ofTenant}
      ${isPublic === false ? sql`and model.public_at is null` : nothing}
      ${projectId ? sql`and model.project_id = ${projectId}::uuid` : nothing}
      ${name ? sql`and starts_with(model.name, ${name})` : nothing}
      ${stage === 'ACTIVE' ? sql`and model.deleted_at is null` : nothing}
      ${stage === 'DELETED' ? sql`and model.deleted_at is not null` : nothing}`;
  return { with: readable.with, from };
}

export const modelOrder = newestFirst('model');

/** The models that the caller may read, newest first: one page, and one more row if there is one. */
export const listRegisteredModels = (reader: Reader, filter: RegisteredModelFilter, page: Page) =>
  list<RegisteredModelRow>(shownTo(reader, filter), raw(columns), modelOrder, page);

/** The number of these models. It is read only if a query asks for it. */
export const countRegisteredModels = (reader: Reader, filter: RegisteredModelFilter) =>
  count(shownTo(reader, filter));

/** Whether the caller may read at least one model of a project. Then the caller may list them. */
export const hasReadableModel = (reader: Reader, projectId: string | null) =>
  hasReadable(
    reader,
    { table: 'registered_models', alias: 'model', resources, publicColumn: isPublicModel },
    projectId,
  );

import { type Reader, type ResourceColumn, readableSql } from '../authorization/store/readable.ts';
import type { MatchableResource } from '../generated/prisma/enums.ts';
import { highestFirst, lastIdFirst, type Order, type Page } from '../platform/database/page.ts';
import { type Rows, raw, sql } from '../platform/database/sql.ts';
import { count, list, run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { newId } from '../platform/ids.ts';
import type { MatchingAttributes } from './domain/payloads.ts';
import { priorityOf, type Scope } from './domain/scopes.ts';

interface RecordColumns extends Scope {
  readonly id: string;
  readonly tenantId: string;
  readonly priority: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One record: a scope, and what applies to everything in it. */
export type AttributesRecord = RecordColumns & MatchingAttributes;

const columns = `attributes.id, attributes.tenant_id as "tenantId", attributes.project_id as "projectId",
  attributes.domain, attributes.workflow, attributes.launch_plan as "launchPlan",
  attributes.resource_type::text as "resourceType", attributes.priority, attributes.payload,
  attributes.created_at as "createdAt", attributes.updated_at as "updatedAt"`;

const matchingStatement = statement<AttributesRecord>(
  `select ${columns} from matchable_attributes as attributes
    where attributes.tenant_id = $1::uuid and attributes.project_id = $2::uuid
      and (attributes.domain is null or attributes.domain = $3)
      and (attributes.workflow is null or attributes.workflow = $4)
      and (attributes.launch_plan is null or attributes.launch_plan = $5)
      and attributes.resource_type::text = any($6::text[])
    order by attributes.priority desc`,
);

/**
 * All records of some kinds whose scope contains this one, the highest priority first, in one statement.
 * `domain/resolve.ts` says which of them count.
 */
export function readMatching(
  tenantId: string,
  { projectId, domain, workflow, launchPlan }: Scope,
  resourceTypes: readonly MatchableResource[],
  tx?: Tx,
): Promise<AttributesRecord[]> {
  return run(matchingStatement, [tenantId, projectId, domain, workflow, launchPlan, resourceTypes], tx);
}

const exactScope = `tenant_id = $1::uuid and project_id = $2::uuid and domain is not distinct from $3
  and workflow is not distinct from $4 and launch_plan is not distinct from $5
  and resource_type = $6::matchable_resource`;

const exactStatement = statement<AttributesRecord>(
  `select ${columns} from matchable_attributes as attributes where ${exactScope}`,
);

/** The record of exactly this scope; null if there is none. */
export async function findExact(
  tenantId: string,
  scope: Scope,
  resourceType: MatchableResource,
): Promise<AttributesRecord | null> {
  const [row] = await run(exactStatement, exactValues(tenantId, scope, resourceType));
  return row ?? null;
}

const exactValues = (
  tenantId: string,
  { projectId, domain, workflow, launchPlan }: Scope,
  resourceType: MatchableResource,
) => [tenantId, projectId, domain, workflow, launchPlan, resourceType];

const insertOrLockStatement = statement<AttributesRecord>(
  `insert into matchable_attributes as attributes
          (tenant_id, project_id, domain, workflow, launch_plan, resource_type, priority, payload, id)
   values ($1::uuid, $2::uuid, $3, $4, $5, $6::matchable_resource, $7, $8::json, $9::uuid)
   on conflict (tenant_id, project_id, domain, workflow, launch_plan, resource_type)
   do update set priority = attributes.priority
   returning ${columns}`,
);

/**
 * Inserts a record. If its scope already has one of this kind, that one is locked until the transaction ends and does
 * not change. So of several calls at the same time, each sees what the one before it has written.
 */
export async function insertOrLock(
  tx: Tx,
  tenantId: string,
  scope: Scope,
  { resourceType, payload }: MatchingAttributes,
): Promise<{ readonly record: AttributesRecord; readonly isNew: boolean }> {
  const id = newId();
  const [record] = await run(
    insertOrLockStatement,
    [...exactValues(tenantId, scope, resourceType), priorityOf(scope), JSON.stringify(payload), id],
    tx,
  );
  if (!record) throw new Error('an insert that updates on conflict answered no row');
  return { record, isNew: record.id === id };
}

const replaceStatement = statement<{ updatedAt: Date }>(
  `update matchable_attributes set payload = $2::json, updated_at = now() where id = $1::uuid
   returning updated_at as "updatedAt"`,
);

/** Replaces the payload of a locked record. */
export async function replacePayload(
  tx: Tx,
  record: AttributesRecord,
  attributes: MatchingAttributes,
): Promise<AttributesRecord> {
  const [row] = await run(replaceStatement, [record.id, JSON.stringify(attributes.payload)], tx);
  return { ...record, ...attributes, updatedAt: row?.updatedAt ?? record.updatedAt };
}

const deleteStatement = statement<AttributesRecord>(
  `delete from matchable_attributes as attributes where ${exactScope} returning ${columns}`,
);

/** Deletes the record of exactly this scope. @returns the record; null if there was none. */
export async function deleteExact(
  tx: Tx,
  tenantId: string,
  scope: Scope,
  resourceType: MatchableResource,
): Promise<AttributesRecord | null> {
  const [row] = await run(deleteStatement, exactValues(tenantId, scope, resourceType), tx);
  return row ?? null;
}

const resources: readonly ResourceColumn[] = [{ type: 'PROJECT', column: 'attributes.project_id' }];

/** The rows that a reader may see. */
function shownTo(reader: Reader, resourceType: MatchableResource): Rows {
  const readable = readableSql(reader, resources);
  const from = sql`matchable_attributes as attributes ${readable.joins}
    where attributes.tenant_id = ${reader.tenantId}::uuid
      and attributes.resource_type = ${resourceType}::text::matchable_resource and ${readable.condition}`;
  return { with: readable.with, from };
}

/** The highest priority first, and then the newest record. */
export const attributesOrder: Order<AttributesRecord> = [
  ...highestFirst<AttributesRecord>('attributes.priority', 'priority'),
  ...lastIdFirst('attributes'),
];

/** The records of one kind that the caller may read: one page, and one more row if there is one. */
export const listAttributes = (reader: Reader, resourceType: MatchableResource, page: Page) =>
  list<AttributesRecord>(shownTo(reader, resourceType), raw(columns), attributesOrder, page);

/** The number of these records. It is read only if a query asks for it. */
export const countAttributes = (reader: Reader, resourceType: MatchableResource) =>
  count(shownTo(reader, resourceType));

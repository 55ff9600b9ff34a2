import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { DescriptionFormat, EntityType } from '../../generated/prisma/enums.ts';
import { eachAt, readAddressed } from '../../platform/by-address.ts';
import { newestFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list, run, statement } from '../../platform/database/statement.ts';
import { newId } from '../../platform/ids.ts';
import type { Description } from '../domain/description.ts';
import type { EntityKey } from '../domain/entity-keys.ts';

export type DescribedType = Exclude<EntityType, 'LAUNCH_PLAN'>;

export interface DescriptionRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly project: string;
  readonly type: DescribedType;
  /** The named entity of the workflow; null for a task. */
  readonly workflowEntityId: string | null;
  /** The id of the described version. */
  readonly versionId: string;
  readonly domain: string;
  readonly name: string;
  readonly version: string;
  readonly shortDescription: string;
  readonly longText: string | null;
  readonly longUri: string | null;
  readonly longFormat: DescriptionFormat;
  readonly iconLink: string;
  readonly sourceLink: string;
  readonly tags: readonly string[];
  readonly createdAt: Date;
}

export interface DescriptionKey extends EntityKey {
  readonly type: DescribedType;
}
export type DescriptionBy = { readonly id: string } | { readonly key: DescriptionKey };

const workflowEntityId = "case described.type when 'WORKFLOW' then described.entity_id end";
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: workflowEntityId },
  { type: 'PROJECT', column: 'described.project_id' },
];

export const descriptionNodes: NodeRows = {
  from: 'description_entities as described',
  id: 'described.id',
  tenant: 'described.tenant_id',
  resources,
};

const columns = `
  described.id, described.tenant_id as "tenantId", described.project_id as "projectId",
  project.identifier as project, described.type::text as type, ${workflowEntityId} as "workflowEntityId",
  coalesce(described.task_id, described.workflow_id) as "versionId", described.domain, described.name,
  described.version, described.short_description as "shortDescription", described.long_text as "longText",
  described.long_uri as "longUri", described.long_format::text as "longFormat", described.icon_link as "iconLink",
  described.source_link as "sourceLink", described.tags, described.created_at as "createdAt"`;

const source =
  'description_entities as described join projects as project on project.id = described.project_id';

const byIds = statement<DescriptionRow>(
  `select ${columns} from ${source} where described.tenant_id = $1::uuid and described.id = any($2::uuid[])`,
);

const byKeys = statement<DescriptionRow>(
  `select ${columns}
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
          as asked(type, project, domain, name, version)
     join projects as project on project.tenant_id = $1::uuid and project.identifier = asked.project
     join description_entities as described on described.tenant_id = $1::uuid and described.project_id = project.id
      and described.type = asked.type::entity_type and described.domain = asked.domain
      and described.name = asked.name and described.version = asked.version`,
);

/** One row or null for each address, in the order of the addresses. */
export function readDescriptions(
  tenantId: string,
  addresses: readonly DescriptionBy[],
): Promise<(DescriptionRow | null)[]> {
  return readAddressed(
    addresses,
    ['type', 'project', 'domain', 'name', 'version'],
    (ids) => run(byIds, [tenantId, ids]),
    (...parts) => run(byKeys, [tenantId, ...parts]),
  );
}

const ofVersions = statement<DescriptionRow>(
  `select ${columns} from ${source} where described.task_id = any($1::uuid[])
   union all
   select ${columns} from ${source} where described.workflow_id = any($1::uuid[])`,
);

/** The description of each task or workflow; null if it has none. */
export async function readDescriptionsOf(versionIds: readonly string[]): Promise<(DescriptionRow | null)[]> {
  const rows = await run(ofVersions, [versionIds]);
  return eachAt(
    versionIds,
    (id) => id,
    rows.map((row) => [row.versionId, row]),
  );
}

export interface DescriptionFilter {
  readonly type: DescribedType;
  readonly project: string;
  readonly domain: string;
  readonly name?: string | null | undefined;
}

function shownTo(reader: Reader, { type, project, domain, name }: DescriptionFilter): Rows {
  const readable = readableSql(reader, resources);
  return {
    with: readable.with,
    from: sql`${raw(source)} ${readable.joins}
      where described.tenant_id = ${reader.tenantId}::uuid and described.type = ${type}::text::entity_type
        and project.identifier = ${project} and described.domain = ${domain}
        ${name == null ? nothing : sql`and described.name = ${name}`} and ${readable.condition}`,
  };
}

export const descriptionOrder = newestFirst('described');

/** The descriptions that the reader may see, newest first: one page, and one more row if there is one. */
export const listDescriptions = (reader: Reader, filter: DescriptionFilter, page: Page) =>
  list<DescriptionRow>(shownTo(reader, filter), raw(columns), descriptionOrder, page);

export const countDescriptions = (reader: Reader, filter: DescriptionFilter) =>
  count(shownTo(reader, filter));

/**
 * The description of a version as Prisma inserts it together with the version: `task.create({ data: { …,
 * ...describedBy(…) } })`.
 */
export function describedBy(
  description: Description | null,
  {
    type,
    ...version
  }: {
    readonly type: DescribedType;
    readonly tenantId: string;
    readonly projectId: string;
    readonly entityId: string;
    readonly domain: string;
    readonly name: string;
    readonly version: string;
  },
) {
  if (!description) return {};
  const { shortDescription, longDescription, sourceLink, tags } = description;
  const { value = null, uri = null, format = 'UNKNOWN', iconLink = '' } = longDescription ?? {};
  const long = { longText: value, longUri: uri, longFormat: format, iconLink };
  const create = { id: newId(), type, ...version, shortDescription, ...long, sourceLink, tags: [...tags] };
  return { description: { create } };
}

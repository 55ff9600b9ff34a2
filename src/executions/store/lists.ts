import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { newestFirst, type Page, pageSql } from '../../platform/database/page.ts';
import { nothing, raw, sql } from '../../platform/database/sql.ts';
import { count, query } from '../../platform/database/statement.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

/** Which executions a list shows. Archived ones only where they are asked for. */
export interface ExecutionListFilter {
  readonly projectId: string;
  readonly domain: string;
  readonly phases: readonly ExecutionPhase[] | null;
  readonly withArchived: boolean;
}

/** Where executions have what decides about them. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'execution.workflow_entity_id' },
  { type: 'PROJECT', column: 'execution.project_id' },
];

const source = 'executions as execution join projects as project on project.id = execution.project_id';

/** What a list shows to a reader: what follows `from`. */
function shownTo(reader: Reader, { projectId, domain, phases, withArchived }: ExecutionListFilter) {
  const readable = readableSql(reader, resources);
  const from = sql`${raw(source)} ${readable.joins}
    where execution.tenant_id = ${reader.tenantId}::uuid and execution.project_id = ${projectId}::uuid
      and execution.domain = ${domain} and ${readable.condition}
      ${phases ? sql`and execution.phase = any(${phases}::text[]::execution_phase[])` : nothing}
      ${withArchived ? nothing : sql`and execution.state = 'ACTIVE'`}`;
  return { with: readable.with, from };
}

export const executionOrder = newestFirst('execution');

/** Executions of one project and domain, newest first; up to one more than the page. */
export function listExecutions(
  reader: Reader,
  filter: ExecutionListFilter,
  page: Page,
): Promise<ExecutionRow[]> {
  const list = shownTo(reader, filter);
  const { beyond, end } = pageSql(executionOrder, page);
  return query<ExecutionRow>(
    sql`${list.with} select ${raw(executionColumns)} from ${list.from} ${beyond} ${end}`,
  );
}

/** How many there are in all; read only where it is asked for. */
export function countExecutions(reader: Reader, filter: ExecutionListFilter): Promise<number> {
  const list = shownTo(reader, filter);
  return count(list.from, list.with);
}

import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { newestFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list } from '../../platform/database/statement.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

/** Which executions a list shows. Archived ones are shown only if the caller asks for them. */
export interface ExecutionListFilter {
  readonly projectId: string;
  readonly domain: string;
  readonly phases: readonly ExecutionPhase[] | null;
  readonly withArchived: boolean;
}

/** The columns with the resources that decide about an execution. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'execution.workflow_entity_id' },
  { type: 'PROJECT', column: 'execution.project_id' },
];

const source = 'executions as execution join projects as project on project.id = execution.project_id';

/** The rows that a reader may see. */
function shownTo(reader: Reader, { projectId, domain, phases, withArchived }: ExecutionListFilter): Rows {
  const readable = readableSql(reader, resources);
  const from = sql`${raw(source)} ${readable.joins}
    where execution.tenant_id = ${reader.tenantId}::uuid and execution.project_id = ${projectId}::uuid
      and execution.domain = ${domain} and ${readable.condition}
      ${phases ? sql`and execution.phase = any(${phases}::text[]::execution_phase[])` : nothing}
      ${withArchived ? nothing : sql`and execution.state = 'ACTIVE'`}`;
  return { with: readable.with, from };
}

export const executionOrder = newestFirst('execution');

/** The executions of one project and domain, newest first: one page, and one more row if there is one. */
export const listExecutions = (reader: Reader, filter: ExecutionListFilter, page: Page) =>
  list<ExecutionRow>(shownTo(reader, filter), raw(executionColumns), executionOrder, page);

/** The number of these executions. It is read only if a query asks for it. */
export const countExecutions = (reader: Reader, filter: ExecutionListFilter) =>
  count(shownTo(reader, filter));

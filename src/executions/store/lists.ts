import type { NodeRows } from '../../authorization/store/node-rows.ts';
import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { newestFirst, type Page } from '../../platform/database/page.ts';
import { nothing, type Rows, raw, sql } from '../../platform/database/sql.ts';
import { count, list } from '../../platform/database/statement.ts';
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

export const executionNodes: NodeRows = {
  from: 'executions as execution',
  id: 'execution.id',
  tenant: 'execution.tenant_id',
  resources,
};

export const nodeExecutionNodes: NodeRows = {
  ...executionNodes,
  from: 'node_executions as part join executions as execution on execution.id = part.execution_id',
  id: 'part.id',
};

export const taskExecutionNodes: NodeRows = {
  ...executionNodes,
  from: 'task_executions as part join executions as execution on execution.id = part.execution_id',
  id: 'part.id',
};

const source = 'executions as execution join projects as project on project.id = execution.project_id';

/** What a list shows to a reader. */
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

/** Executions of one project and domain, newest first; up to one more than the page. */
export const listExecutions = (reader: Reader, filter: ExecutionListFilter, page: Page) =>
  list<ExecutionRow>(shownTo(reader, filter), raw(executionColumns), executionOrder, page);

/** How many there are in all; read only where it is asked for. */
export const countExecutions = (reader: Reader, filter: ExecutionListFilter) =>
  count(shownTo(reader, filter));

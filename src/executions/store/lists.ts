import { type Reader, type ResourceColumn, readableSql } from '../../authorization/store/readable.ts';
import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

/** Which executions a list shows. Archived ones only where they are asked for. */
export interface ExecutionListFilter {
  readonly projectId: string;
  readonly domain: string;
  readonly phases: readonly ExecutionPhase[] | null;
  readonly withArchived: boolean;
}

export interface ExecutionListPage {
  readonly limit: number;
  readonly backward: boolean;
  /** createdAt and id of the row to go on from. */
  readonly from: readonly string[] | null;
}

/** Where executions have what decides about them. */
const resources: readonly ResourceColumn[] = [
  { type: 'WORKFLOW', column: 'execution.workflow_entity_id' },
  { type: 'PROJECT', column: 'execution.project_id' },
];

/** What a list shows to a reader, for any statement over executions and their projects. */
function shown(reader: Reader, filter: ExecutionListFilter) {
  const readable = readableSql(reader, resources);
  const values: Value[] = [...readable.values, filter.projectId, filter.domain];
  const parts = [
    'execution.tenant_id = $1::uuid',
    'execution.project_id = $7::uuid',
    'execution.domain = $8',
    readable.condition,
  ];
  if (filter.phases) {
    values.push(filter.phases);
    parts.push(`execution.phase = any($${values.length}::text[]::execution_phase[])`);
  }
  if (!filter.withArchived) parts.push(`execution.state = 'ACTIVE'`);
  return { ...readable, where: parts.join(' and '), values };
}

/** Executions of one project and domain, newest first; up to one more than the page. */
export async function listExecutions(
  reader: Reader,
  filter: ExecutionListFilter,
  page: ExecutionListPage,
): Promise<ExecutionRow[]> {
  const list = shown(reader, filter);
  const values = [...list.values, page.limit + 1];
  let where = list.where;
  if (page.from) {
    values.push(...page.from);
    const at = values.length - 1;
    where += ` and (execution.created_at, execution.id) ${page.backward ? '>' : '<'} ($${at}::timestamptz, $${at + 1}::uuid)`;
  }
  const direction = page.backward ? 'asc' : 'desc';
  const select = statement<ExecutionRow>(
    `${list.with}
     select ${executionColumns}
       from executions as execution join projects as project on project.id = execution.project_id ${list.joins}
      where ${where} order by execution.created_at ${direction}, execution.id ${direction}
      limit $${list.values.length + 1}`,
  );
  return await run(select, values);
}

/** How many there are in all; read only where it is asked for. */
export async function countExecutions(reader: Reader, filter: ExecutionListFilter): Promise<number> {
  const list = shown(reader, filter);
  const count = statement<{ count: bigint }>(
    `${list.with} select count(*) as count from executions as execution ${list.joins} where ${list.where}`,
  );
  const [row] = await run(count, list.values);
  return Number(row?.count ?? 0n);
}

import type { ExecutionPhase } from '../../generated/prisma/enums.ts';
import { run, statement, type Value } from '../../platform/database/statement.ts';
import { type ExecutionRow, executionColumns } from './reads.ts';

/** Which executions a list shows. Archived ones only where they are asked for. */
export interface ExecutionListFilter {
  readonly tenantId: string;
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

function conditions(filter: ExecutionListFilter): {
  name: string;
  text: string;
  values: Value[];
} {
  const values: Value[] = [filter.tenantId, filter.projectId, filter.domain];
  const parts = [
    'execution.tenant_id = $1::uuid',
    'execution.project_id = $2::uuid',
    'execution.domain = $3',
  ];
  let name = '';
  if (filter.phases) {
    values.push(filter.phases);
    parts.push(`execution.phase = any($${values.length}::text[]::execution_phase[])`);
    name += '_phases';
  }
  if (!filter.withArchived) {
    parts.push(`execution.state = 'ACTIVE'`);
    name += '_active';
  }
  return { name, text: parts.join(' and '), values };
}

/** Executions of one project and domain, newest first; up to one more than the page. */
export async function listExecutions(
  filter: ExecutionListFilter,
  page: ExecutionListPage,
): Promise<ExecutionRow[]> {
  const where = conditions(filter);
  const values = [...where.values, page.limit + 1];
  let text = where.text;
  let name = `list_executions${where.name}${page.backward ? '_backward' : ''}`;
  if (page.from) {
    values.push(...page.from);
    const at = values.length - 1;
    text += ` and (execution.created_at, execution.id) ${page.backward ? '>' : '<'} ($${at}::timestamptz, $${at + 1}::uuid)`;
    name += '_from';
  }
  const direction = page.backward ? 'asc' : 'desc';
  const list = statement<ExecutionRow>(
    name,
    `select ${executionColumns}
       from executions as execution join projects as project on project.id = execution.project_id
      where ${text} order by execution.created_at ${direction}, execution.id ${direction}
      limit $${where.values.length + 1}`,
  );
  return await run(list, values);
}

/** How many there are in all; read only where it is asked for. */
export async function countExecutions(filter: ExecutionListFilter): Promise<number> {
  const where = conditions(filter);
  const count = statement<{ count: bigint }>(
    `count_executions${where.name}`,
    `select count(*) as count from executions as execution where ${where.text}`,
  );
  const [row] = await run(count, where.values);
  return Number(row?.count ?? 0n);
}

import type { Reader } from '../../authorization/store/readable.ts';
import { readableSql } from '../../authorization/store/readable.ts';
import { executionResources } from '../../executions/store/lists.ts';
import { raw, sql } from '../../platform/database/sql.ts';
import { query } from '../../platform/database/statement.ts';
import { type RetentionRule, shortestKeep } from '../domain/retention-rules.ts';
import { isDueSql, rulesParameter } from './due.ts';
import { obstacleSql } from './obstacles.ts';
import type { PolicyKey } from './policies.ts';

/** What rules would delete. */
export interface DueExecutions {
  readonly executions: number;
  /** How many events these executions have together. */
  readonly events: bigint;
  /** When the first of them ended; null if there is none. */
  readonly oldestEndedAt: Date | null;
  /** False if there are more executions than the oldest ones, which were counted. */
  readonly isComplete: boolean;
}

/** How many executions are looked at. */
export const MAX_COUNTED = 50_000;

const nothingDue: DueExecutions = { executions: 0, events: 0n, oldestEndedAt: null, isComplete: true };

/**
 * Counts what rules would delete at this time, among the executions that the reader may read. It looks at the oldest
 * 50,000 of them.
 */
export async function countDue(
  reader: Reader,
  { projectId, domain }: PolicyKey,
  rules: readonly RetentionRule[],
  now: Date,
): Promise<DueExecutions> {
  const shortest = shortestKeep(rules);
  if (shortest === null) return nothingDue;
  const readable = readableSql(reader, executionResources);
  const isDue = raw(isDueSql('asked.rules', 'asked.now'));
  const [row] = await query<DueExecutions>(sql`${readable.with}
    select count(*) filter (where is_due)::int as executions,
           coalesce(sum(last_sequence) filter (where is_due), 0)::bigint as events,
           min(ended_at) filter (where is_due) as "oldestEndedAt", count(*) <= ${MAX_COUNTED}::int as "isComplete"
      from (
        select execution.*, ${isDue} and (${raw(obstacleSql)}) is null
                            and row_number() over (order by ended_at, id) <= ${MAX_COUNTED}::int as is_due
          from (
            select execution.id, execution.phase, execution.state, execution.ended_at, execution.last_sequence,
                   execution.notify_at, execution.parent_node_id
              from executions as execution ${readable.joins}
             where execution.tenant_id = ${reader.tenantId}::uuid and execution.project_id = ${projectId}::uuid
               and execution.domain = ${domain} and execution.ended_at is not null
               and execution.ended_at < ${now}::timestamptz - ${shortest}::float8 * interval '1 second'
               and ${readable.condition}
             order by execution.ended_at, execution.id limit ${MAX_COUNTED + 1}::int
          ) as execution
          cross join (select ${rulesParameter(rules)}::text as rules, ${now}::timestamptz as now) as asked
      ) as judged`);
  return row ?? nothingDue;
}

import { lastIdFirst, type Page } from '../../platform/database/page.ts';
import { type Rows, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { count, list, query } from '../../platform/database/statement.ts';
import type { CacheOwner } from './output-cache.ts';

export interface CacheEntryRow {
  readonly id: string;
  readonly key: string;
  readonly taskProject: string;
  readonly taskDomain: string;
  readonly taskName: string;
  readonly cacheVersion: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
}

/** Which entries of a project. Null leaves a condition out. */
export interface CacheEntryFilter extends CacheOwner {
  readonly task: { readonly project: string; readonly domain: string; readonly name: string } | null;
  readonly cacheVersion: string | null;
  readonly key: string | null;
}

const columns = `entry.id, entry.key, entry.task_project as "taskProject", entry.task_domain as "taskDomain",
  entry.task_name as "taskName", entry.cache_version as "cacheVersion", entry.created_at as "createdAt",
  entry.last_used_at as "lastUsedAt"`;

function conditionOf({ tenantId, projectId, task, cacheVersion, key }: CacheEntryFilter): Sql {
  return sql`entry.tenant_id = ${tenantId}::uuid and entry.project_id = ${projectId}::uuid
    and (${task?.project ?? null}::text is null
         or (entry.task_project, entry.task_domain, entry.task_name)
              = (${task?.project ?? null}::text, ${task?.domain ?? null}::text, ${task?.name ?? null}::text))
    and (${cacheVersion}::text is null or entry.cache_version = ${cacheVersion}::text)
    and (${key}::text is null or entry.key = ${key}::text)`;
}

const rowsOf = (filter: CacheEntryFilter): Rows => ({
  from: sql`cache_entries as entry where ${conditionOf(filter)}`,
});

export const cacheEntryOrder = lastIdFirst('entry');

/** The entries that meet the conditions, newest first: one page, and one more row if there is one. */
export const listCacheEntries = (filter: CacheEntryFilter, page: Page) =>
  list<CacheEntryRow>(rowsOf(filter), raw(columns), cacheEntryOrder, page);

export const countCacheEntries = (filter: CacheEntryFilter) => count(rowsOf(filter));

/**
 * Deletes entries that meet the conditions, at most `limit`. It waits for executions that are taking their outputs.
 *
 * @returns how many.
 */
export async function deleteCacheEntries(filter: CacheEntryFilter, limit: number): Promise<number> {
  const rows = await query<{ id: string }>(
    sql`delete from cache_entries where id in (
          select entry.id from cache_entries as entry where ${conditionOf(filter)}
           order by entry.id limit ${limit} for update)
        returning id`,
  );
  return rows.length;
}

import { findFirstTenant } from '../../identity/store/tenants.ts';
import type { Caller } from '../../platform/caller.ts';
import { PermissionDeniedError } from '../../platform/errors.ts';
import { timeOfId } from '../domain/id-time.ts';
import { type KeptHow, tableRules } from '../domain/tables.ts';
import { readFirstIds, readSweeps, readTableSizes } from '../store/table-sizes.ts';

/** One table of the database, and how long its rows are kept. */
export interface TableReport {
  readonly table: string;
  readonly kept: KeptHow;
  readonly rule: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  /** When its first row, or the object that this row belongs to, was created; null if unknown or if there is none. */
  readonly oldestAt: Date | null;
  readonly nextSweepAt: Date | null;
  readonly lastDeletedAt: Date | null;
}

/**
 * How large the tables of the database are, the largest one first. Nothing is counted: PostgreSQL estimates the rows, and
 * an index finds the first one.
 *
 * @throws PermissionDeniedError for administrators of other tenants than the first one, because the tables have the rows of
 * all tenants.
 */
export async function getRetentionReport({ tenantId, role }: Caller): Promise<TableReport[]> {
  if (role !== 'ROOT' && (await findFirstTenant())?.id !== tenantId)
    throw new PermissionDeniedError('the sizes of all tenants require an administrator of the first tenant');
  const [sizes, firstIds, sweeps] = await Promise.all([readTableSizes(), readFirstIds(), readSweeps()]);
  const oldest = new Map(firstIds.map(({ table, id }) => [table, id === null ? null : timeOfId(id)]));
  const nextOf: Readonly<Record<string, Date | null>> = {
    executions: sweeps.policiesAt,
    execution_remains: sweeps.remainsAt,
  };
  return sizes
    .flatMap(({ table, rows, bytes }): TableReport[] => {
      const known = tableRules[table];
      if (!known) return [];
      const { kept, rule } = known;
      return [
        {
          ...{ table, kept, rule, rows, bytes },
          oldestAt: oldest.get(table) ?? null,
          nextSweepAt: nextOf[table] ?? null,
          lastDeletedAt: table === 'executions' ? sweeps.lastDeletedAt : null,
        },
      ];
    })
    .sort((one, other) => Number(other.bytes - one.bytes) || (one.table < other.table ? -1 : 1));
}

import { run, statement } from '../../platform/database/statement.ts';
import { tableRules } from '../domain/tables.ts';

interface TableSize {
  readonly table: string;
  /** As PostgreSQL estimates it. */
  readonly rows: bigint;
  /** With indexes and large values. */
  readonly bytes: bigint;
}

const sizesStatement = statement<TableSize>(
  `select stat.relname as table, greatest(stat.n_live_tup, class.reltuples::bigint, 0) as rows,
          pg_total_relation_size(stat.relid) as bytes
     from pg_stat_user_tables as stat join pg_class as class on class.oid = stat.relid
    where stat.schemaname = current_schema()`,
);

/** How large each table is, for the tenants together. */
export const readTableSizes = () => run(sizesStatement, []);

const firstIds = Object.entries(tableRules).flatMap(([table, { idColumn }]) =>
  idColumn
    ? [
        `select '${table}' as table, (select ${idColumn} from ${table} order by ${idColumn} limit 1)::text as id`,
      ]
    : [],
);
const firstIdsStatement = statement<{ table: string; id: string | null }>(firstIds.join(' union all '));

/** The smallest id in each table, found by its primary key. */
export const readFirstIds = () => run(firstIdsStatement, []);

interface Sweeps {
  /** When a scheduler next looks at executions with a policy; null without policies. */
  readonly policiesAt: Date | null;
  readonly lastDeletedAt: Date | null;
  /** When a scheduler next looks at the jobs of deleted executions. */
  readonly remainsAt: Date | null;
}

const sweepsStatement = statement<Sweeps>(
  `select (select min(sweep_at) from retention_policies) as "policiesAt",
          (select max(last_deleted_at) from retention_policies) as "lastDeletedAt",
          (select min(sweep_at) from execution_remains) as "remainsAt"`,
);

export async function readSweeps(): Promise<Sweeps> {
  const [row] = await run(sweepsStatement, []);
  return row ?? { policiesAt: null, lastDeletedAt: null, remainsAt: null };
}

import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { GangRequest } from '../domain/submission.ts';

export interface NewGang extends GangRequest {
  readonly pool: string;
  readonly priorityClass: string;
  /** The place of its first job in the request. */
  readonly index: number;
}

interface GangRow extends GangRequest {
  readonly id: string;
  readonly pool: string;
  readonly priorityClass: string;
}

const ensure = statement<GangRow>(
  `insert into gangs as known (id, tenant_id, queue_id, name, cardinality, uniformity_label, priority_class, pool)
   select id, $1::uuid, $2::uuid, name, cardinality, "uniformityLabel", "priorityClass", pool
     from jsonb_to_recordset($3::jsonb) as asked(
       id uuid, name text, cardinality int, "uniformityLabel" text, "priorityClass" text, pool text)
    order by name
   on conflict (queue_id, name) do update set name = known.name
   returning id, name, cardinality, uniformity_label as "uniformityLabel", priority_class as "priorityClass", pool`,
);

const overfull = statement<{ name: string; cardinality: number }>(
  'select name, cardinality from gangs where id = any($1::uuid[]) and size > cardinality',
);

/** Refuses the transaction if these gangs now have more jobs than they may have. */
export async function requireNotOverfull(
  tx: Tx,
  gangs: readonly NewGang[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  if (gangs.length === 0) return;
  const rows = await run(overfull, [[...ids.values()]], tx);
  if (rows.length === 0) return;
  const indexOf = new Map(gangs.map(({ name, index }) => [name, index]));
  throw new InvalidArgumentError(
    rows.map(({ name, cardinality }) => ({
      path: ['input', 'jobs', String(indexOf.get(name)), 'gang', 'id'],
      code: 'InvalidValue',
      message: `the gang would have more than its ${cardinality} jobs`,
    })),
  );
}

/**
 * Finds or creates these gangs, and locks their rows until the transaction ends.
 *
 * @returns the id of each by its name.
 * @throws InvalidArgumentError if a gang exists and is described differently here.
 */
export async function ensureGangs(
  tx: Tx,
  { tenantId, queueId }: { readonly tenantId: string; readonly queueId: string },
  gangs: readonly NewGang[],
): Promise<ReadonlyMap<string, string>> {
  if (gangs.length === 0) return new Map();
  const asked = gangs.map((gang) => ({ id: newId(), ...gang }));
  const rows = await run(ensure, [tenantId, queueId, JSON.stringify(asked)], tx);
  const byName = new Map(rows.map((row) => [row.name, row]));
  const problems = gangs.flatMap((gang) => differences(gang, byName.get(gang.name)));
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return new Map(rows.map(({ name, id }) => [name, id]));
}

function differences(gang: NewGang, known: GangRow | undefined): Problem[] {
  if (!known) return [];
  const fields = ['cardinality', 'uniformityLabel', 'priorityClass', 'pool'] as const;
  return fields
    .filter((field) => known[field] !== gang[field])
    .map((field) => ({
      path: ['input', 'jobs', String(gang.index), 'gang', 'id'],
      code: 'InvalidValue',
      message: `the queue has a gang of this name with ${field} ${known[field] ?? 'none'}; choose another name`,
    }));
}

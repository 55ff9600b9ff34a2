import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { FailedPreconditionError, InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { GangRequest } from '../domain/submission.ts';
import { endedOfGang } from './waiting-gangs.ts';

export interface NewGang extends GangRequest {
  readonly pool: string;
  readonly priorityClass: string;
  /** The place of its first job in the request. */
  readonly index: number;
}

/** A gang that this transaction has locked. */
export interface LockedGang {
  readonly id: string;
  /** How many jobs it had before this submission. */
  readonly size: number;
}

interface GangRow extends GangRequest, LockedGang {
  readonly pool: string;
  readonly priorityClass: string;
}

const askedGangs = `jsonb_to_recordset($3::jsonb) as asked(
       id uuid, name text, cardinality int, "uniformityLabel" text, "priorityClass" text, pool text)`;
const gangColumns = `known.id, known.name, known.cardinality, known.uniformity_label as "uniformityLabel",
          known.priority_class as "priorityClass", known.pool, known.size`;

const ensureStatement = statement<GangRow>(
  `insert into gangs as known (id, tenant_id, queue_id, name, cardinality, uniformity_label, priority_class, pool)
   select id, $1::uuid, $2::uuid, name, cardinality, "uniformityLabel", "priorityClass", pool
     from ${askedGangs}
    order by name
   on conflict (queue_id, name) do update set name = known.name
   returning ${gangColumns}`,
);

const renewStatement = statement<GangRow>(
  `update gangs as known
      set size = 0, cardinality = asked.cardinality, uniformity_label = asked."uniformityLabel",
          priority_class = asked."priorityClass", pool = asked.pool
     from ${askedGangs}
    where known.tenant_id = $1::uuid and known.queue_id = $2::uuid and known.name = asked.name
      and not exists (select from jobs where gang_id = known.id)
   returning ${gangColumns}`,
);

/**
 * Finds or creates these gangs, and locks their rows until the transaction ends. A gang of which all jobs were deleted
 * begins anew.
 *
 * @returns each by its name.
 * @throws InvalidArgumentError if a gang exists and is described differently here.
 */
export async function ensureGangs(
  tx: Tx,
  { tenantId, queueId }: { readonly tenantId: string; readonly queueId: string },
  gangs: readonly NewGang[],
): Promise<ReadonlyMap<string, LockedGang>> {
  if (gangs.length === 0) return new Map();
  const asked = gangs.map((gang) => ({ id: newId(), ...gang }));
  const rows = await run(ensureStatement, [tenantId, queueId, JSON.stringify(asked)], tx);
  const byName = new Map(rows.map((row) => [row.name, row]));
  // The sweep of ended jobs leaves the row of a gang that a submission has locked at that moment.
  const old = asked.filter(({ name }) => (byName.get(name)?.size ?? 0) > 0);
  const renewed =
    old.length === 0 ? [] : await run(renewStatement, [tenantId, queueId, JSON.stringify(old)], tx);
  for (const row of renewed) byName.set(row.name, row);
  const problems = gangs.flatMap((gang) => differences(gang, byName.get(gang.name)));
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return byName;
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

const growthStatement = statement<{ name: string; cardinality: number; size: number; ended: number }>(
  `select name, cardinality, size, ${endedOfGang('gang')} as ended from gangs as gang where id = any($1::uuid[])`,
);

/**
 * Refuses the transaction if one of these gangs has new jobs that can never start. It may be called when the jobs are
 * stored. It does not lock jobs, so a job of the gang may end at any later moment.
 *
 * @param known  the gangs as they were before.
 * @param indexOf  the place in the request of the first new job of a gang.
 * @throws InvalidArgumentError if there are more jobs than the gang may have; FailedPreconditionError if a job of the
 * gang has ended.
 */
export async function requireRightGrowth(
  tx: Tx,
  known: ReadonlyMap<string, LockedGang>,
  indexOf: (name: string) => number,
): Promise<void> {
  if (known.size === 0) return;
  const rows = await run(growthStatement, [[...known.values()].map(({ id }) => id)], tx);
  const grown = rows
    .filter(({ name, size }) => size > (known.get(name)?.size ?? 0))
    .map((row) => ({ ...row, path: ['input', 'jobs', String(indexOf(row.name)), 'gang', 'id'] }));
  const overfull = grown.filter(({ size, cardinality }) => size > cardinality);
  if (overfull.length > 0)
    throw new InvalidArgumentError(
      overfull.map(({ path, cardinality }) => ({
        path,
        code: 'InvalidValue',
        message: `the gang would have more than its ${cardinality} jobs`,
      })),
    );
  const [broken] = grown
    .filter(({ ended }) => ended > 0)
    .sort((one, other) => indexOf(one.name) - indexOf(other.name));
  if (!broken) return;
  throw new FailedPreconditionError(
    `the gang ${broken.name} can never start as a whole, because a job of it has ended; choose another name`,
    { path: broken.path },
  );
}

import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/**
 * The executions that triggers of launch plans still have to start. The statement that ends an execution writes these
 * rows (moves.ts).
 */

const dueStatement = statement<{ id: string }>(
  'select id from trigger_firings where wake_at <= now() order by wake_at limit $1',
);

/** The firings that are due, oldest first. */
export const listDueFirings = async (limit: number): Promise<string[]> =>
  (await run(dueStatement, [limit])).map((row) => row.id);

/** A firing that this scheduler works on. Until the claim ends, other schedulers leave it alone. */
export interface ClaimedFiring {
  readonly id: string;
  readonly triggerId: string;
  readonly sourceExecutionId: string;
  /** This attempt is counted, too. */
  readonly attempts: number;
}

/** How long a claim lasts. If a scheduler dies, another one goes on after this. */
const CLAIM_SECONDS = 30;

const claimStatement = statement<ClaimedFiring>(
  `with free as (
     select id from trigger_firings where id = $1::uuid and wake_at <= now() for update skip locked
   )
   update trigger_firings as firing
      set attempts = firing.attempts + 1, wake_at = now() + ${CLAIM_SECONDS} * interval '1 second'
     from free where firing.id = free.id
   returning firing.id, firing.trigger_id as "triggerId", firing.source_execution_id as "sourceExecutionId",
             firing.attempts`,
);

/** Claims a firing that is due. Null if it is not due (any more), or if another scheduler has it. */
export async function claimFiring(id: string): Promise<ClaimedFiring | null> {
  const [row] = await run(claimStatement, [id]);
  return row ?? null;
}

const endStatement = statement<{ id: string }>(
  'delete from trigger_firings where id = $1::uuid returning id',
);

/** Ends a firing. @returns false if it has ended before. Of two transactions that end it, the second one waits. */
export const endFiring = async (id: string, tx?: Tx): Promise<boolean> =>
  (await run(endStatement, [id], tx)).length > 0;

const delayStatement = statement<{ id: string }>(
  `update trigger_firings set wake_at = now() + $2 * interval '1 second' where id = $1::uuid returning id`,
);

/** Tries a firing again later. */
export const delayFiring = (id: string, seconds: number) => run(delayStatement, [id, seconds]);

/** The triggers that have led to an execution. */
export interface TriggerChain {
  /** How many triggers have followed each other, that of the execution itself included. */
  readonly depth: number;
  /** The execution whose end began it; the execution itself if no trigger has led to it. */
  readonly firstId: string;
}

const chainStatement = statement<TriggerChain>(
  `select trigger_depth as depth, coalesce(trigger_first_id, id) as "firstId" from executions where id = $1::uuid`,
);

/**
 * The triggers that have led to an execution. The executions of nodes that launch something are steps on the way. A user
 * who repeats an execution begins anew. The statement that stores an execution notes them (create.ts), because those on
 * the way may be deleted before the next trigger fires.
 */
export async function findTriggerChain(executionId: string): Promise<TriggerChain> {
  const [row] = await run(chainStatement, [executionId]);
  return row ?? { depth: 0, firstId: executionId };
}

const countStatement = statement<{ started: number }>(
  `insert into trigger_chains as chain (execution_id, tenant_id, started)
   values ($1::uuid, $2::uuid, 1)
   on conflict (execution_id) do update set started = chain.started + 1, last_started_at = now()
     where chain.started < $3::int
   returning started`,
);

/**
 * Counts one more execution that the end of another one has led to. Of transactions that count for the same one, the
 * second waits.
 *
 * @param first  the execution that has ended first. It may be deleted.
 * @returns false if there are as many as there may be.
 */
export const countInChain = async (
  tx: Tx,
  first: { readonly id: string; readonly tenantId: string },
  limit: number,
): Promise<boolean> => (await run(countStatement, [first.id, first.tenantId, limit], tx)).length > 0;

/** How long a count is kept after the last execution that it counts. */
const CHAIN_DAYS = 30;

const forgetStatement = statement<{ count: number }>(
  `with old as (
     select execution_id from trigger_chains where last_started_at < now() - ${CHAIN_DAYS} * interval '1 day'
      order by last_started_at limit $1 for update skip locked
   ),
   gone as (
     delete from trigger_chains as chain using old where chain.execution_id = old.execution_id returning 1
   )
   select count(*)::int as count from gone`,
);

/** Deletes counts to which nothing was added for long. @returns how many, at most the limit. */
export const forgetOldChains = async (limit: number): Promise<number> =>
  (await run(forgetStatement, [limit]))[0]?.count ?? 0;

import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isTerminal } from '../../platform/phase-table.ts';
import type { WaitingShare } from '../domain/budgets.ts';
import { nodeExecutionPhases } from '../domain/phases.ts';

/**
 * The places that executions have for their tasks, if they share a limit (domain/budgets.ts). All executions under one
 * outermost limit are a group.
 *
 * Only the turn of an execution takes places away from it, and only `givePlaces` adds some, for one group at a time. A
 * turn locks the execution and then its share; `givePlaces` locks the group and then only what no other transaction has
 * locked. So nobody waits for somebody who waits.
 */

/** The places of one execution. */
export interface Places {
  readonly held: number;
  /** How many of these it has got since its last turn. */
  readonly fresh: number;
  /** Whether other executions of its group wait for a place. */
  readonly othersWait: boolean;
}

const lockShareStatement = statement<Places>(
  `select share.held, share.fresh,
          exists (select from budget_shares as other
                   where other.owner_id = share.owner_id and other.wanted > 0
                     and other.execution_id <> share.execution_id) as "othersWait"
     from budget_shares as share where share.execution_id = $1::uuid for update of share`,
);

/** The places of an execution, which cannot change until the transaction ends. The caller must have locked the execution. */
export async function lockPlaces(tx: Tx, executionId: string): Promise<Places> {
  const [row] = await run(lockShareStatement, [executionId], tx);
  return row ?? { held: 0, fresh: 0, othersWait: false };
}

const openPhases = Object.keys(nodeExecutionPhases).filter(
  (phase) => !isTerminal(nodeExecutionPhases, phase as keyof typeof nodeExecutionPhases),
);

const settleStatement = statement<{ needsLook: boolean }>(
  `insert into budget_shares as share
          (execution_id, tenant_id, owner_id, budget_ids, held, wanted, waiting_since, needs_look)
   select execution.id, execution.tenant_id, ($2::uuid[])[1], $2::uuid[], active.count, $3::int,
          case when $3 > 0 then clock_timestamp() end, $3 > 0
     from executions as execution
     cross join lateral (
       select coalesce(sum(count), 0)::int as count from node_phase_counts
        where execution_id = execution.id and kind = 'TASK' and phase = any($4::text[]::node_execution_phase[])
     ) as active
    where execution.id = $1::uuid
      and (active.count > 0 or $3 > 0 or exists (select from budget_shares where execution_id = $1::uuid))
   on conflict (execution_id) do update
     set held = excluded.held, fresh = 0, wanted = excluded.wanted,
         waiting_since = case when excluded.wanted > 0 then coalesce(share.waiting_since, excluded.waiting_since) end,
         needs_look = share.needs_look or excluded.needs_look or excluded.held < share.held
   returning needs_look as "needsLook"`,
);

/**
 * Keeps the places of the tasks that have not ended, gives back the others, and says how many more are wanted.
 *
 * @param budgetIds  at least one.
 * @returns whether the places of the group must be given out anew.
 */
export async function settlePlaces(
  tx: Tx,
  executionId: string,
  budgetIds: readonly string[],
  wanted: number,
): Promise<boolean> {
  const [row] = await run(settleStatement, [executionId, budgetIds, wanted, openPhases], tx);
  return row?.needsLook ?? false;
}

const lockGroupStatement = statement<{ locked: string }>(
  `select pg_advisory_xact_lock(hashtextextended('slipway:places:' || $1, 0))::text as locked`,
);

/** Waits until no other transaction gives out places of this group. */
export async function lockGroup(tx: Tx, ownerId: string): Promise<void> {
  await run(lockGroupStatement, [ownerId], tx);
}

const clearStatement = statement<{ id: string }>(
  `with looked as (
     select execution_id from budget_shares where owner_id = $1::uuid and needs_look for update skip locked
   )
   update budget_shares as share set needs_look = false
     from looked where share.execution_id = looked.execution_id returning share.execution_id as id`,
);

/**
 * Takes note of what has changed in a group, before its places are counted. What another transaction changes now is left
 * for the next time.
 */
export async function clearLooks(tx: Tx, ownerId: string): Promise<void> {
  await run(clearStatement, [ownerId], tx);
}

const countStatement = statement<{ id: string; free: number }>(
  `with over as (
     delete from budget_shares where execution_id in (
       select share.execution_id
         from budget_shares as share join executions as execution on execution.id = share.execution_id
        where share.owner_id = $1::uuid and execution.ended_at is not null for update of share skip locked)
   )
   select budget.id, budget.max_parallelism - sum(share.held)::int as free
     from budget_shares as share
     join executions as execution on execution.id = share.execution_id and execution.ended_at is null
     cross join unnest(share.budget_ids) as shared(id)
     join executions as budget on budget.id = shared.id
    where share.owner_id = $1::uuid group by budget.id`,
);

/** How many places of each budget of a group are free: below 0 if there are too many. Forgets executions that have ended. */
export async function countFreePlaces(tx: Tx, ownerId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await run(countStatement, [ownerId], tx);
  return new Map(rows.map(({ id, free }) => [id, free]));
}

/** Executions of the group `$1` that wait and whose turns succeed, without those under a budget of `$2`. */
const mayGetPlaces = `share.owner_id = $1::uuid and share.wanted > 0 and not (share.budget_ids && $2::uuid[])
      and execution.ended_at is null and execution.failed_turns = 0`;

const waitingStatement = statement<WaitingShare>(
  `select share.execution_id as id, share.budget_ids as "budgetIds", share.wanted
     from budget_shares as share join executions as execution on execution.id = share.execution_id
    where ${mayGetPlaces}
    order by share.waiting_since, share.execution_id limit $3
      for no key update of execution, share skip locked`,
);

/**
 * Locks executions that wait for places, those that have waited longest first. An execution whose turns fail waits until
 * one succeeds.
 *
 * @param fullIds  budgets without free places.
 */
export function lockWaiting(
  tx: Tx,
  ownerId: string,
  fullIds: readonly string[],
  limit: number,
): Promise<WaitingShare[]> {
  return run(waitingStatement, [ownerId, fullIds, limit], tx);
}

const giveStatement = statement<{ id: string }>(
  `with given as (
     select * from json_to_recordset($1::json) as given(id uuid, places int)
   ),
   taken as (
     update budget_shares as share
        set held = share.held + given.places, fresh = share.fresh + given.places, wanted = share.wanted - given.places,
            waiting_since = case when share.wanted > given.places then clock_timestamp() end
       from given where share.execution_id = given.id
     returning share.execution_id as id
   ),
   woken as (
     update executions as execution set advance_at = now() from taken where execution.id = taken.id
     returning execution.id
   )
   select id, ${notifySql('advance', 'woken.id')} from woken`,
);

/** Adds places to executions that `lockWaiting` has locked, and asks for a turn of each. */
export async function addPlaces(tx: Tx, places: ReadonlyMap<string, number>): Promise<void> {
  const given = [...places].map(([id, count]) => ({ id, places: count }));
  await run(giveStatement, [JSON.stringify(given)], tx);
}

const lookAgainStatement = statement<{ id: string }>(
  `with waiting as (
     select share.execution_id
       from budget_shares as share join executions as execution on execution.id = share.execution_id
      where ${mayGetPlaces}
        for update of share skip locked
   )
   update budget_shares as share set needs_look = true
     from waiting where share.execution_id = waiting.execution_id returning share.execution_id as id`,
);

/** Has a group looked at again soon if executions could have got places but were locked. */
export async function lookAgain(tx: Tx, ownerId: string, fullIds: readonly string[]): Promise<void> {
  if (!fullIds.includes(ownerId)) await run(lookAgainStatement, [ownerId, fullIds], tx);
}

const groupsStatement = statement<{ id: string }>(
  'select distinct owner_id as id from budget_shares where needs_look limit $1',
);

/** Groups whose places must be given out anew. */
export async function listGroupsToLookAt(limit: number): Promise<string[]> {
  return (await run(groupsStatement, [limit])).map((row) => row.id);
}

const waitingGroupsStatement = statement<{ id: string }>(
  `select distinct owner_id as id from budget_shares
    where wanted > 0 and owner_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
    order by owner_id limit $2`,
);

/**
 * Groups with executions that wait for a place, in the order of their ids.
 *
 * @param afterId  the group before the first one; null for all.
 */
export async function listGroupsThatWait(afterId: string | null, limit: number): Promise<string[]> {
  return (await run(waitingGroupsStatement, [afterId, limit])).map((row) => row.id);
}

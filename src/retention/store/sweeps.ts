import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { NO_ID } from '../../platform/ids.ts';
import type { RetentionRule } from '../domain/retention-rules.ts';
import { isDueSql, rulesParameter } from './due.ts';

/** How sweeps go through the executions of their policies, the oldest end first. */

const dueStatement = statement<{ id: string }>(
  'select id from retention_policies where sweep_at <= now() order by sweep_at limit $1',
);

/** The policies whose executions must be looked at, the longest due first. */
export const listDuePolicies = async (limit: number): Promise<string[]> =>
  (await run(dueStatement, [limit])).map((row) => row.id);

/** A policy that this transaction has locked. */
export interface LockedPolicy {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly domain: string;
  readonly rules: readonly RetentionRule[];
  readonly setById: string;
  /** The last execution that the sweep under way has looked at; null if none is. */
  readonly sweptEndedAt: Date | null;
  readonly sweptId: string | null;
}

const lockText = `select id, tenant_id as "tenantId", project_id as "projectId", domain, rules, set_by_id as "setById",
          swept_ended_at as "sweptEndedAt", swept_id as "sweptId"
     from retention_policies where id = $1::uuid and sweep_at <= now() for update`;
const lockStatement = statement<LockedPolicy>(lockText);
const lockFreeStatement = statement<LockedPolicy>(`${lockText} skip locked`);

/**
 * Null if it is not due (any more), or if another scheduler works on it.
 *
 * @param waits  whether to wait until the other transaction that has it ends.
 */
export async function lockPolicy(tx: Tx, id: string, waits = false): Promise<LockedPolicy | null> {
  const [row] = await run(waits ? lockStatement : lockFreeStatement, [id], tx);
  return row ?? null;
}

/** An execution that a sweep looks at. */
export interface SweptExecution {
  readonly id: string;
  readonly endedAt: Date;
  /** How many events it has. */
  readonly events: bigint;
  /** Whether the policy deletes it now. */
  readonly isDue: boolean;
}

/** How many executions one turn looks at, at most. */
export const PAGE = 500;

const pageStatement = statement<SweptExecution>(
  `with page as materialized (
     select id, ended_at, phase, state, last_sequence from executions
      where project_id = $1::uuid and domain = $2 and ended_at is not null
        and ended_at < $3::timestamptz - $4::float8 * interval '1 second'
        and (ended_at, id) > (coalesce($5::timestamptz, '-infinity'), coalesce($6::uuid, '${NO_ID}'))
      order by ended_at, id limit $8
   )
   select execution.id, execution.ended_at as "endedAt", execution.last_sequence as events,
          ${isDueSql('$7', '$3')} as "isDue"
     from page as execution order by execution.ended_at, execution.id`,
);

/**
 * The next executions of a sweep.
 *
 * @param shortestSeconds  executions that ended later than this are not due, whatever they are.
 * @param limit  how many executions, at most.
 */
export const readPage = (
  tx: Tx,
  { projectId, domain, rules, sweptEndedAt, sweptId }: LockedPolicy,
  shortestSeconds: number,
  now: Date,
  limit: number,
): Promise<SweptExecution[]> =>
  run(
    pageStatement,
    [projectId, domain, now, shortestSeconds, sweptEndedAt, sweptId, rulesParameter(rules), limit],
    tx,
  );

/** How long after the end of a sweep the next one begins. */
const PAUSE_SECONDS = 600;

const advanceStatement = statement<{ id: string }>(
  `update retention_policies
      set swept_ended_at = $2::timestamptz, swept_id = $3::uuid, deleted_count = deleted_count + $4::int,
          last_deleted_at = case when $4::int > 0 then now() else last_deleted_at end,
          last_swept_at = case when $2::timestamptz is null then now() else last_swept_at end,
          sweep_at = case when $2::timestamptz is null then now() + ${PAUSE_SECONDS} * interval '1 second' else now() end
    where id = $1::uuid returning id`,
);

/**
 * Stores how far a sweep has come.
 *
 * @param position  the last execution that it has looked at; null if it has come to its end.
 */
export async function advanceSweep(
  tx: Tx,
  id: string,
  position: Pick<SweptExecution, 'id' | 'endedAt'> | null,
  deleted: number,
): Promise<void> {
  await run(advanceStatement, [id, position?.endedAt ?? null, position?.id ?? null, deleted], tx);
}

const postponeStatement = statement<{ id: string }>(
  `update retention_policies set sweep_at = now() + ${PAUSE_SECONDS} * interval '1 second'
    where id = $1::uuid returning id`,
);

/** Has a sweep wait as long as after its end, and go on from where it is. */
export async function postponeSweep(tx: Tx, id: string): Promise<void> {
  await run(postponeStatement, [id], tx);
}

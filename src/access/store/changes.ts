import type { AccessChangeKind } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

const changeStatement = statement<{ version: bigint }>(
  'record_access_change',
  `with tick as (update access_clock set version = version + 1 where id = 1 returning version),
   change as (
     insert into access_changes (version, tenant_id, user_id, kind)
     select version, $1::uuid, $2::uuid, $3::text::access_change_kind from tick
     returning version
   )
   select version, pg_notify('slipway', 'access:' || version)::text from change`,
);

/**
 * Tells every process to forget what it knows about a sign-in (PRINCIPAL: user, credential, session, role, tenant
 * defaults) or about rights (GRANT: grants, groups), when the transaction commits. To be called last in a transaction:
 * it holds the clock until then.
 *
 * @param change.userId  null: anybody's of the tenant.
 */
export async function recordAccessChange(
  tx: Tx,
  change: { tenantId: string; userId: string | null; kind: AccessChangeKind },
): Promise<void> {
  await run(changeStatement, [change.tenantId, change.userId, change.kind], tx);
}

export interface AccessChangeRow {
  readonly version: bigint;
  readonly tenantId: string;
  readonly userId: string | null;
  readonly kind: AccessChangeKind;
}

const changesAfter = statement<AccessChangeRow>(
  'poll_access_changes',
  `select version, tenant_id as "tenantId", user_id as "userId", kind::text as kind from access_changes
    where version > $1 order by version limit 1000`,
);

/** What changed after a version, oldest first, at most 1000. Gapless: a hole means that old changes were swept. */
export async function listAccessChanges(version: bigint): Promise<AccessChangeRow[]> {
  return await run(changesAfter, [version]);
}

const clockStatement = statement<{ version: bigint }>(
  'read_access_clock',
  'select version from access_clock',
);

export async function readAccessClock(): Promise<bigint> {
  const [row] = await run(clockStatement, []);
  return row?.version ?? 0n;
}

const sweepStatement = statement<Record<string, never>>(
  'sweep_access_changes',
  `delete from access_changes where created_at < now() - interval '1 hour'`,
);

export async function sweepAccessChanges(): Promise<void> {
  await run(sweepStatement, []);
}

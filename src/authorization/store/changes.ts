import type { AccessChangeKind } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { notifySql } from '../../platform/database/topics.ts';
import { afterCommit, type Tx } from '../../platform/database/transaction.ts';

const changeStatement = statement<{ version: bigint }>(
  `with tick as (update access_clock set version = version + 1 where id = 1 returning version),
   change as (
     insert into access_changes (version, tenant_id, user_id, kind)
     select version, $1::uuid, $2::uuid, $3::text::access_change_kind from tick
     returning version
   )
   select version, ${notifySql('access', 'version')} from change`,
);

const watchers = new Set<() => Promise<void>>();

/** Lets each commit of a change in this process wait for `look`. */
export function beforeAnsweringChanges(look: () => Promise<void>): void {
  watchers.add(look);
}

/**
 * Tells every process, when the transaction commits, to forget what it has cached about a sign-in (PRINCIPAL: user,
 * credential, session, role, defaults of the tenant) or about rights (GRANT: grants, groups). This process has
 * forgotten it before `inTransaction` returns; the others forget it within a second. Call this last in a transaction,
 * because it locks the clock until the commit.
 *
 * @param change.userId  null means all users of the tenant.
 */
export async function recordAccessChange(
  tx: Tx,
  change: { tenantId: string; userId: string | null; kind: AccessChangeKind },
): Promise<void> {
  await run(changeStatement, [change.tenantId, change.userId, change.kind], tx);
  followAccessChanges(tx);
}

/** The same for changes that a trigger of the database records: this process knows them before it answers. */
export function followAccessChanges(tx: Tx): void {
  for (const look of watchers) afterCommit(tx, look);
}

export interface AccessChange {
  readonly tenantId: string;
  readonly userId: string | null;
  readonly kind: AccessChangeKind;
}

/** The result of one read of the feed. */
export interface AccessNews {
  /** The number of the last change. */
  readonly clock: bigint;
  /** Oldest first. Null if some are missing, because they were deleted or there are too many. */
  readonly changes: readonly AccessChange[] | null;
}

const MAX_CHANGES = 1000;

const pollStatement = statement<
  { clock: bigint } & { [Name in keyof AccessChange]: AccessChange[Name] | null }
>(
  `select clock.version as clock, change.tenant_id as "tenantId", change.user_id as "userId", change.kind::text as kind
     from access_clock as clock
     left join (
       select * from access_changes where version > $1 order by version limit ${MAX_CHANGES}
     ) as change on true
    order by change.version`,
);

/** The changes after a version. Their numbers have no gap, so a missing change is noticed. */
export async function readAccessNews(after: bigint): Promise<AccessNews> {
  const rows = await run(pollStatement, [after]);
  const clock = rows[0]?.clock ?? 0n;
  const changes = rows.flatMap(({ tenantId, userId, kind }) =>
    tenantId && kind ? [{ tenantId, userId, kind }] : [],
  );
  return { clock, changes: BigInt(changes.length) === clock - after ? changes : null };
}

const sweepStatement = statement<Record<string, never>>(
  `/* behind the answers */ delete from access_changes where version in (
     select version from access_changes where created_at < now() - interval '1 hour' order by created_at limit 10000
   )`,
);

/** Deletes changes that every process has seen long ago, at most 10,000 at a time. */
export async function sweepAccessChanges(): Promise<void> {
  await run(sweepStatement, []);
}

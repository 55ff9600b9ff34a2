import type { AuditOutcome } from '../generated/prisma/enums.ts';
import type { Caller } from '../platform/caller.ts';
import type { Tx } from '../platform/database/transaction.ts';
import type { ErrorCode, Refusal } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { log } from '../platform/log.ts';
import type { ObjectKind } from '../platform/object-kinds.ts';
import { storable } from '../platform/text.ts';
import { type AuditRow, insertAuditEvents, insertDenials } from './store/audit.ts';

/**
 * The audit log: who changed what about access, and who was refused what. A change writes its row in its own
 * transaction, so there is never one without the other. A refusal changes nothing and has no transaction. Refusals are
 * collected for a short time and written together, and equal refusals become one row with a count. So many refusals
 * cost little, and a refusal takes as long as an answer about an object that does not exist.
 */

export interface AuditTarget {
  readonly type: ObjectKind;
  readonly id: string | null;
  readonly name?: string | null;
}

export interface AuditedChange {
  /** A permission, or `session:login` and similar. */
  readonly action: string;
  readonly target: AuditTarget;
  /** The state before and after the change, if that says more. Never secrets, hashes or tokens. */
  readonly before?: object | null;
  readonly after?: object | null;
  /** The tenant in which it happened, if it is not the caller's. */
  readonly tenantId?: string;
}

/** Records a change of access in the same transaction. */
export const recordChange = (tx: Tx, caller: Caller, change: AuditedChange): Promise<void> =>
  recordChanges(tx, caller, [change]);

/** The same for several changes, with one statement. */
export async function recordChanges(
  tx: Tx,
  caller: Caller,
  changes: readonly AuditedChange[],
): Promise<void> {
  const rows = changes.map(({ action, target, before = null, after = null, tenantId = caller.tenantId }) => ({
    ...{ id: newId(), count: 1, ...actorOf(caller), tenantId, action, outcome: 'DONE' as AuditOutcome },
    ...{ code: null, before, after, ...namesOf(target) },
  }));
  await insertAuditEvents(rows, tx);
}

/** Records what an OAuth 2 client did that acts for itself, and not as a user. */
export async function recordByClient(
  tx: Tx,
  client: { readonly tenantId: string; readonly clientId: string; readonly address: string | null },
  { action, target, before = null, after = null }: AuditedChange,
): Promise<void> {
  const { tenantId, clientId, address } = client;
  const row = { ...noActor, tenantId, clientId, address, action, before, after, ...namesOf(target) };
  await insertAuditEvents([{ id: newId(), outcome: 'DONE', code: null, count: 1, ...row }], tx);
}

const noActor = {
  actorId: null,
  actorName: null,
  realActorId: null,
  realActorName: null,
  credentialId: null,
};

const namesOf = ({ type, id, name = null }: AuditTarget) => ({
  targetType: type,
  targetId: id,
  targetName: name,
});

const actorOf = (caller: Caller) => ({
  actorId: caller.userId,
  actorName: caller.username,
  realActorId: caller.real?.userId ?? null,
  realActorName: caller.real?.username ?? null,
  credentialId: caller.credentialId,
  clientId: caller.clientId,
  address: caller.address,
});

const MAX_PENDING = 1000;
const FLUSH_MS = 250;

const pending = new Map<string, AuditRow>();
let overflow = 0;
let timer: NodeJS.Timeout | null = null;
let flushing: Promise<void> = Promise.resolve();

/** What a caller was refused. */
export interface Denial extends Required<Refusal> {
  readonly code: ErrorCode;
}

/** Records that a caller was refused. It is written within a quarter of a second, and before the process ends. */
export function noteDenial(caller: Caller, { action, code, target }: Denial): void {
  if (caller.method === 'SYSTEM') return;
  note({
    ...actorOf(caller),
    tenantId: caller.tenantId,
    action,
    code,
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    targetName: target?.name == null ? null : storable(target.name, 255),
  });
}

/** Records a failed sign-in of an existing account. For other accounts we do not know the tenant. */
export function noteFailedSignIn(
  user: { tenantId: string; id: string; username: string },
  address: string | null,
): void {
  note({
    ...noActor,
    tenantId: user.tenantId,
    clientId: null,
    address,
    action: 'session:login',
    code: 'UNAUTHENTICATED',
    targetType: 'user',
    targetId: user.id,
    targetName: user.username,
  });
}

type Noted = Omit<AuditRow, 'id' | 'outcome' | 'before' | 'after' | 'count'>;

function note(denial: Noted): void {
  keep({ id: newId(), ...denial, outcome: 'DENIED', before: null, after: null, count: 1 });
  timer ??= setTimeout(() => void flushDenials(), FLUSH_MS).unref();
}

function keep(row: AuditRow): void {
  const { id: _id, count, ...kind } = row;
  const key = JSON.stringify(kind);
  const known = pending.get(key);
  if (known) pending.set(key, { ...known, count: known.count + count });
  else if (pending.size < MAX_PENDING) pending.set(key, row);
  else overflow += count;
}

/**
 * Writes the collected refusals. The server waits for it when it stops. If they cannot be written now, they are written
 * with the next ones.
 */
export function flushDenials(): Promise<void> {
  if (timer) clearTimeout(timer);
  timer = null;
  const rows = [...pending.values()];
  pending.clear();
  if (overflow > 0)
    log.warn({ denials: overflow }, 'too many refusals for the audit log, some are not recorded');
  overflow = 0;
  if (rows.length === 0) return flushing;
  flushing = flushing
    .then(() => insertDenials(rows))
    .catch((error) => {
      log.warn({ err: error, denials: rows.length }, 'cannot record refusals in the audit log yet');
      for (const row of rows) keep(row);
    });
  return flushing;
}

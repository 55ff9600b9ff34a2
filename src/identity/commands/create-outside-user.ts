import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { systemCaller } from '../../platform/caller.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { log } from '../../platform/log.ts';
import { nameKey } from '../../platform/text.ts';
import { findTenant } from '../store/tenants.ts';

/** A user who signs in through an outside issuer or a Kerberos realm. */
export interface OutsideUser {
  /** The name of the tenant. */
  readonly tenant: string;
  readonly username: string;
  /** The name for people; null means the user name. */
  readonly name: string | null;
  readonly role: 'USER' | 'GUEST';
  /** The outside source: the address of the issuer, or the realm. */
  readonly source: string;
  readonly address: string | null;
}

/**
 * Creates the user of a first sign-in from outside, without a password. If several sign-ins come at once, only one of
 * them creates it. If the name is taken, even by a disabled user, nothing happens.
 *
 * @returns whether this call has created the user.
 */
export async function createOutsideUser({ tenant: name, ...outside }: OutsideUser): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const tenant = await findTenant({ name }, tx);
    if (!tenant) {
      const { source } = outside;
      log.error({ tenant: name, source }, 'the tenant of an outside sign-in does not exist');
      return false;
    }
    return (await insertOutsideUser(tx, { ...outside, tenantId: tenant.id })) !== null;
  });
}

/** The same in a transaction of the caller. @returns the id of the user; null if the name is taken. */
export async function insertOutsideUser(
  tx: Tx,
  outside: Omit<OutsideUser, 'tenant'> & { readonly tenantId: string },
): Promise<string | null> {
  const { tenantId, username, role, source, address } = outside;
  const key = nameKey(username);
  const row = { id: newId(), tenantId, username, usernameKey: key, role, outsideSource: source };
  const name = outside.name ?? username;
  const { count } = await tx.user.createMany({ data: [{ ...row, name }], skipDuplicates: true });
  if (count === 0) return null;
  // The user acts itself, because there is no other caller.
  const caller = { ...systemCaller(tenantId, row.id), username, address };
  await recordChange(tx, caller, {
    action: 'user:create',
    target: { type: 'user', id: row.id, name: username },
    after: { username, name, role, source },
  });
  await recordAccessChange(tx, { tenantId, userId: row.id, kind: 'PRINCIPAL' });
  log.info({ userId: row.id, source }, 'user created by a first sign-in');
  return row.id;
}

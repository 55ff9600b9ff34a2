import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { systemCaller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { log } from '../../platform/log.ts';
import { nameKey } from '../../platform/text.ts';
import { findTenant } from '../store/tenants.ts';

/** Somebody whom an outside issuer or a Kerberos realm vouches for. */
export interface OutsideUser {
  /** The tenant's name. */
  readonly tenant: string;
  readonly username: string;
  /** What the person is called; null: like the user. */
  readonly name: string | null;
  readonly role: 'USER' | 'GUEST';
  /** Who vouches: the issuer's address or the realm. */
  readonly source: string;
  readonly address: string | null;
}

/**
 * Makes the user of a first sign-in from outside, without a password. Of several sign-ins at once one makes it; where the
 * name is taken, also by a disabled user, nothing happens.
 *
 * @returns whether this call made it.
 */
export async function createOutsideUser(outside: OutsideUser): Promise<boolean> {
  const { username, role, source, address } = outside;
  return await inTransaction(async (tx) => {
    const tenant = await findTenant({ name: outside.tenant }, tx);
    if (!tenant) {
      log.error({ tenant: outside.tenant, source }, 'the tenant of an outside sign-in does not exist');
      return false;
    }
    const outsideSource = source;
    const key = nameKey(username);
    const row = { id: newId(), tenantId: tenant.id, username, usernameKey: key, role, outsideSource };
    const name = outside.name ?? username;
    const { count } = await tx.user.createMany({ data: [{ ...row, name }], skipDuplicates: true });
    if (count === 0) return false;
    // Nobody else acts here: the user comes by itself.
    const caller = { ...systemCaller(tenant.id, row.id), username, address };
    await recordChange(tx, caller, {
      action: 'user:create',
      target: { type: 'user', id: row.id, name: username },
      after: { username, name, role, source },
    });
    await recordAccessChange(tx, { tenantId: tenant.id, userId: row.id, kind: 'PRINCIPAL' });
    log.info({ userId: row.id, source }, 'user created by a first sign-in');
    return true;
  });
}

import { recordChange } from '../../authorization/audit.ts';
import { recordAccessChange } from '../../authorization/store/changes.ts';
import { createEveryone } from '../../authorization/store/groups.ts';
import type { User } from '../../generated/prisma/client.ts';
import { systemCaller } from '../../platform/caller.ts';
import { ConfigurationError } from '../../platform/config/environment.ts';
import { db } from '../../platform/database/client.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { log } from '../../platform/log.ts';
import { nameKey } from '../../platform/text.ts';
import { GUESTS_TENANT } from '../domain/tenant-checks.ts';
import { type FixedUser, type FixedUsers, fixedUsers } from '../fixed-users.ts';
import { hashPassword, isPassword } from '../passwords.ts';
import { setSharedIdentity } from '../shared-identities.ts';
import { lockFixedUsers } from '../store/fixed-users.ts';
import { removeUser } from '../store/public-users.ts';
import { findFirstTenant, findTenant } from '../store/tenants.ts';

/**
 * Makes the users in the table the same as in the file of the server: it creates and changes users, and deletes users
 * of earlier starts who are no longer in the file. A user keeps its id and its access keys, and also its tokens if the
 * password does not change. If several servers start at once, only one of them does it.
 *
 * @throws ConfigurationError if a declared name belongs to a user who was not declared.
 */
export async function keepFixedUsers(declared: FixedUsers = fixedUsers()): Promise<void> {
  setSharedIdentity('GUEST', null);
  if (!declared.isEnabled) return;
  const kept: string[] = [];
  for (const user of declared.users)
    kept.push(await keepUser(user, { isHashed: declared.arePasswordsHashed }));
  if (declared.guest) {
    const guest = { ...declared.guest, role: 'GUEST', tenant: GUESTS_TENANT } as const;
    const id = await keepUser(guest, { isHashed: false });
    setSharedIdentity('GUEST', id);
    kept.push(id);
  }
  if (declared.deletesMissing) await deleteAllBut(kept);
}

const MAX_TRIES = 10;

/**
 * The hash is computed outside of the transaction. If another server has stored a hash in the meantime, the user is
 * checked again.
 */
async function keepUser(user: FixedUser, { isHashed }: { isHashed: boolean }): Promise<string> {
  const tenantId = await keepTenant(user.tenant);
  const key = { tenantId, usernameKey: nameKey(user.username) };
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const known = await db.user.findUnique({ where: { tenantId_usernameKey: key } });
    const passwordHash = await hashFor(user, isHashed, known?.passwordHash ?? null);
    const id = await inTransaction(async (tx) => {
      await lockFixedUsers(tx);
      const found = await tx.user.findUnique({ where: { tenantId_usernameKey: key } });
      if (found && !found.isFixed)
        throw new ConfigurationError(
          `FIXED_USERS_FILE declares the user ${user.username}, who already exists. Choose another user name, or delete that user.`,
        );
      const wasJudged = found?.passwordHash === known?.passwordHash;
      return wasJudged ? await writeUser(tx, found, user, { ...key, passwordHash }) : null;
    });
    if (id !== null) return id;
  }
  throw new Error(`the fixed user ${user.username} was changed by others at each try`);
}

async function hashFor({ password }: FixedUser, isHashed: boolean, known: string | null): Promise<string> {
  if (isHashed) return password;
  return known !== null && (await isPassword(password, known)) ? known : await hashPassword(password);
}

async function writeUser(
  tx: Tx,
  found: User | null,
  { username, name, role }: FixedUser,
  row: { readonly tenantId: string; readonly usernameKey: string; readonly passwordHash: string },
): Promise<string> {
  const wanted = { username, name, role, passwordHash: row.passwordHash, disabledAt: null };
  const changed = Object.entries(wanted).filter(([column, value]) => found?.[column as keyof User] !== value);
  if (found && changed.length === 0) return found.id;
  const id = found?.id ?? newId();
  if (found) {
    const isNewPassword = found.passwordHash !== row.passwordHash;
    const data = { ...wanted, ...(isNewPassword ? { version: { increment: 1 } } : {}) };
    await tx.user.update({ where: { id }, data });
  } else {
    await tx.user.create({ data: { id, ...row, ...wanted, isFixed: true } });
  }
  const { tenantId } = row;
  await recordChange(tx, systemCaller(tenantId, id), {
    action: found ? 'user:update' : 'user:create',
    target: { type: 'user', id, name: username },
    before: found && { username: found.username, name: found.name, role: found.role },
    after: { username, name, role, isFixed: true },
  });
  await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
  return id;
}

async function keepTenant(name: string | null): Promise<string> {
  if (name === null) {
    const first = await findFirstTenant();
    if (!first) throw new Error('fixed users were declared before a tenant existed');
    return first.id;
  }
  return await inTransaction(async (tx) => {
    await lockFixedUsers(tx);
    const known = await findTenant({ name }, tx);
    if (known) return known.id;
    const { id } = await tx.tenant.create({ data: { id: newId(), name, nameKey: nameKey(name) } });
    await createEveryone(tx, id);
    const target = { type: 'tenant', id, name } as const;
    await recordChange(tx, systemCaller(id, id), { action: 'tenant:create', target, after: { name } });
    return id;
  });
}

async function deleteAllBut(kept: readonly string[]): Promise<void> {
  const missing = await db.user.findMany({
    where: { isFixed: true, id: { notIn: [...kept] } },
    select: { id: true },
  });
  for (const { id } of missing)
    await inTransaction(async (tx) => {
      await lockFixedUsers(tx);
      const user = await tx.user.findUnique({ where: { id } });
      if (!user) return;
      const { tenantId, username, role } = user;
      await removeUser(tx, user);
      const target = { type: 'user', id, name: username } as const;
      const before = { username, role, isFixed: true };
      await recordChange(tx, systemCaller(tenantId, id), { action: 'user:delete', target, before });
      await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
      log.info({ userId: id }, 'fixed user deleted, because the file does not declare it any more');
    });
}

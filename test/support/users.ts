/** Users, written as rows: a test takes any role and state without a request for each. */

import { recordAccessChange } from '../../src/authorization/store/changes.ts';
import type { Prisma } from '../../src/generated/prisma/client.ts';
import { hashPassword } from '../../src/identity/passwords.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { nameKey } from '../../src/platform/text.ts';
import { type App, basic } from './app.ts';

/** @returns the Authorization header of a new user of the administrator's tenant, whom nothing was granted. */
export async function signUp(
  app: App,
  username: string,
  role: 'USER' | 'GUEST' | 'SUPERUSER',
): Promise<string> {
  const password = `the password of ${username}`;
  const { id: tenantId } = await db.tenant.findFirstOrThrow({ where: { name: 'default' } });
  await db.user.create({
    data: {
      id: newId(),
      tenantId,
      username,
      usernameKey: nameKey(username),
      name: username,
      role,
      passwordHash: await hashPassword(password),
    },
  });
  const { data } = await app.ask(
    'mutation { login { ... on LoginPayload { token } } }',
    {},
    basic(username, password),
  );
  return `Bearer ${data.login.token}`;
}

/** Changes a user's row as a command would: every server hears of it. */
export async function changeUser(username: string, data: Prisma.UserUpdateInput): Promise<void> {
  await inTransaction(async (tx) => {
    const { id, tenantId } = await tx.user.findFirstOrThrow({ where: { username } });
    await tx.user.update({ where: { id }, data });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
  });
}

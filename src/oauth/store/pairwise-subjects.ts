import { randomBytes } from 'node:crypto';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { isId } from '../../platform/ids.ts';
import { isSealedWithFirst, open, seal } from '../../platform/secrets.ts';
import { accountOf } from '../domain/accounts.ts';

const PURPOSE = 'pairwise-salt';
const SALT_BYTES = 32;

/** A salt never changes, so each process reads it once. */
const salts = new Map<string, Promise<string>>();

/** The random text of a tenant that goes into its pairwise subjects. It is made when it is first needed. */
export function saltOf(tenantId: string): Promise<string> {
  const known = salts.get(tenantId);
  if (known) return known;
  const read = readSalt(tenantId).catch((error: unknown) => {
    salts.delete(tenantId);
    throw error;
  });
  salts.set(tenantId, read);
  return read;
}

const insertSaltStatement = statement<Record<string, never>>(
  'insert into oauth2_pairwise_salts (tenant_id, salt_sealed) values ($1::uuid, $2) on conflict do nothing',
);
const findSaltStatement = statement<{ saltSealed: Buffer }>(
  'select salt_sealed as "saltSealed" from oauth2_pairwise_salts where tenant_id = $1::uuid',
);
const sealAnewStatement = statement<Record<string, never>>(
  'update oauth2_pairwise_salts set salt_sealed = $2 where tenant_id = $1::uuid and salt_sealed = $3',
);

async function readSalt(tenantId: string): Promise<string> {
  const [found] = await run(findSaltStatement, [tenantId]);
  if (!found) {
    const made = randomBytes(SALT_BYTES).toString('base64url');
    await run(insertSaltStatement, [tenantId, seal(PURPOSE, made)]);
    // Another process may have been faster: then its salt counts.
    return await readSalt(tenantId);
  }
  const salt = open(PURPOSE, found.saltSealed);
  // So an operator can remove an older secret.
  if (!isSealedWithFirst(PURPOSE, found.saltSealed))
    await run(sealAnewStatement, [tenantId, seal(PURPOSE, salt), found.saltSealed]);
  return salt;
}

const findForcedStatement = statement<{ identifier: string }>(
  'select identifier from oauth2_forced_subjects where client_row_id = $1::uuid and account_id = $2',
);

/** What a login app calls a person at a client; null if it has said nothing. */
export async function findForcedSubject(clientRowId: string, accountId: string): Promise<string | null> {
  const [row] = await run(findForcedStatement, [clientRowId, accountId]);
  return row?.identifier ?? null;
}

const forceStatement = statement<Record<string, never>>(
  `insert into oauth2_forced_subjects (client_row_id, account_id, tenant_id, identifier, user_id)
   values ($1::uuid, $2, $3::uuid, $4, (select id from users where id = $5::uuid and tenant_id = $6::uuid))
   on conflict (client_row_id, account_id) do update set identifier = excluded.identifier`,
);

/**
 * Stores what a login app calls a person at a client, in place of what it has called her before.
 *
 * @throws a unique violation if it calls somebody else so.
 */
export async function storeForcedSubject(
  tx: Tx,
  client: { readonly id: string; readonly tenantId: string },
  accountId: string,
  identifier: string,
): Promise<void> {
  const { tenantId, subject } = accountOf(accountId);
  const userId = isId(subject) ? subject : null;
  const key = [client.id, accountId, client.tenantId];
  await run(forceStatement, [...key, identifier, userId, tenantId], tx);
}

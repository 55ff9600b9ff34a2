import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { ClientRow } from './clients.ts';
import { hashOf } from './records.ts';

/** A client of any tenant that has registered itself; null if there is none, or if the token is not its own. */
export async function findRegisteredClient(clientId: string, token: string): Promise<ClientRow | null> {
  const registrationTokenHash = Uint8Array.from(hashOf(token));
  const row = await db.oAuth2Client.findFirst({ where: { clientId, registrationTokenHash } });
  return row as unknown as ClientRow | null;
}

const replaceStatement = statement<{ id: string }>(
  `update oauth2_clients set registration_token_hash = $3
    where id = $1::uuid and registration_token_hash = $2 returning id`,
);

/** @returns false if the old token is not the client's any more. */
export async function replaceRegistrationToken(
  tx: Tx,
  id: string,
  before: string,
  after: string,
): Promise<boolean> {
  const values = [id, hashOf(before), hashOf(after)];
  return (await run(replaceStatement, values, tx)).length > 0;
}

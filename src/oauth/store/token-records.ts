import { followAccessChanges } from '../../authorization/store/changes.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** How many tokens one call deletes at most. */
const FLUSH_LIMIT = 1000;

const flushStatement = statement<{ kind: string }>(
  `delete from oauth2_records where (kind, id_hash) in (
     select kind, id_hash from oauth2_records
      where tenant_id = $1::uuid and kind in ('AccessToken', 'ClientCredentials', 'RefreshToken')
        and expires_at < now() and created_at < $2::timestamptz
      order by expires_at limit $3
   ) returning kind::text`,
);

/**
 * Deletes tokens of a tenant that have expired, at most 1000.
 *
 * @param before  only tokens that were issued before.
 * @returns how many it has deleted.
 */
export async function flushExpiredTokens(tenantId: string, before: Date): Promise<number> {
  return (await run(flushStatement, [tenantId, before, FLUSH_LIMIT])).length;
}

const removeStatement = statement<{ kind: string }>(
  `delete from oauth2_records where client_row_id = $1::uuid and kind in ('AccessToken', 'ClientCredentials')
   returning kind::text`,
);

/** Ends all access tokens of a client; its refresh tokens stay. @returns how many there were. */
export async function removeAccessTokens(tx: Tx, clientRowId: string): Promise<number> {
  const removed = await run(removeStatement, [clientRowId], tx);
  followAccessChanges(tx);
  return removed.length;
}

const removeServiceStatement = statement<{ kind: string }>(
  `delete from oauth2_records
    where client_row_id = $1::uuid and kind = 'ClientCredentials' and session_id is not null returning kind::text`,
);

/** Ends the tokens that a client has got as its service account. */
export async function removeServiceTokens(tx: Tx, clientRowId: string): Promise<void> {
  await run(removeServiceStatement, [clientRowId], tx);
  followAccessChanges(tx);
}

import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { endGrants } from './records.ts';

/** The account of a user at an identity provider. */
export interface SignInLink {
  readonly id: string;
  /** As the protocol engine names the user: see domain/accounts.ts. */
  readonly accountId: string;
  readonly userId: string;
}

const endStatement = statement<{ uid: string }>(
  `with open as materialized (
     select id_hash, uid from oauth2_records
      where kind = 'Session' and consumed_at is null and account_id = any($1::text[])
        and payload ->> 'identityLinkId' = any($2::text[])
      order by id_hash for update
   ),
   ended as (
     update oauth2_records as record set consumed_at = now(), payload = '{}'
       from open where record.kind = 'Session' and record.id_hash = open.id_hash
   )
   select uid from open`,
);

const loginsStatement = statement<Record<string, never>>(
  `update oauth2_records set consumed_at = now()
    where kind = 'Interaction' and consumed_at is null
      and payload -> 'result' -> 'login' ->> 'identityLinkId' = any($1::text[])`,
);

const grantsStatement = statement<{ grantId: string }>(
  `select grant_id as "grantId" from oauth2_consents
    where subject = any($1::text[])
      and (request ->> 'identityLinkId' = any($2::text[]) or login_session_id = any($3::text[]))`,
);

/**
 * Ends the sessions that began with some links, and the tokens of all authorizations that were given in them. Logins
 * whose browsers have not come back yet become no sessions.
 *
 * @returns how many sessions there were.
 */
export async function endSessionsOfLinks(tx: Tx, links: readonly SignInLink[]): Promise<number> {
  if (links.length === 0) return 0;
  const ids = links.map(({ id }) => id);
  await run(loginsStatement, [ids], tx);
  const sessions = await run(endStatement, [links.map(({ accountId }) => accountId), ids], tx);
  const uids = sessions.map(({ uid }) => uid);
  const grants = await run(grantsStatement, [links.map(({ userId }) => userId), ids, uids], tx);
  await endGrants(
    tx,
    grants.map(({ grantId }) => grantId),
  );
  return sessions.length;
}

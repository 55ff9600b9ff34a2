import { createHash } from 'node:crypto';
import { followAccessChanges } from '../../authorization/store/changes.ts';
import type { OAuth2RecordKind } from '../../generated/prisma/enums.ts';
import { run, statement } from '../../platform/database/statement.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';

/** What the engine stores of one of its models. */
export type Payload = Readonly<Record<string, unknown>>;

export interface RecordKey {
  readonly kind: OAuth2RecordKind;
  readonly id: string;
}

export interface NewRecord extends RecordKey {
  readonly tenantId: string | null;
  readonly clientRowId: string | null;
  readonly accountId: string | null;
  readonly grantId: string | null;
  readonly uid: string | null;
  /** Of an access token for Slipway itself. */
  readonly sessionId: string | null;
  readonly userId: string | null;
  /** Of an access token that was exchanged for another one: the other one, with which it ends. */
  readonly subjectToken?: RecordKey | null;
  readonly payload: Payload;
  readonly expiresInSeconds: number;
}

export interface StoredRecord {
  readonly payload: Payload;
  readonly consumedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly tenantId: string | null;
  readonly clientRowId: string | null;
}

/** Ids and tokens are random and long, so a fast hash is enough. */
export const hashOf = (id: string): Buffer => createHash('sha256').update(id, 'utf8').digest();

const valuesOf = (record: NewRecord) => [
  record.kind,
  hashOf(record.id),
  record.tenantId,
  record.clientRowId,
  record.accountId,
  record.grantId,
  record.uid,
  JSON.stringify(record.payload),
  record.expiresInSeconds,
  record.sessionId,
  record.userId,
  record.subjectToken?.kind ?? null,
  record.subjectToken ? hashOf(record.subjectToken.id) : null,
];

/**
 * What an authorization gives is stored only while the authorization exists, and locks it. So whoever ends the
 * authorization waits, and then deletes this record, too.
 *
 * What we add to a device code stays when the engine saves it again. So does the end of a session, because a request that
 * began before may save it afterwards.
 */
const insert = `insert into oauth2_records
    (kind, id_hash, tenant_id, client_row_id, account_id, grant_id, uid, payload, expires_at, session_id,
     user_id, subject_kind, subject_hash)
  with granted as materialized (
    select from oauth2_records where kind = 'Grant' and grant_id = $6 for key share
  )
  select $1::text::oauth2_record_kind, $2::bytea, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::jsonb,
         now() + make_interval(secs => $9), $10::uuid, $11::uuid, $12::text::oauth2_record_kind, $13::bytea
   where $6 is null or $1::text not in ('AuthorizationCode', 'DeviceCode', 'AccessToken', 'RefreshToken')
      or exists (select from granted)
  on conflict (kind, id_hash) do update set
    tenant_id = excluded.tenant_id, client_row_id = excluded.client_row_id, account_id = excluded.account_id,
    grant_id = excluded.grant_id, uid = coalesce(excluded.uid, oauth2_records.uid),
    payload = case excluded.kind
      when 'DeviceCode' then oauth2_records.payload || excluded.payload else excluded.payload end,
    expires_at = excluded.expires_at`;

const upsertStatement = statement<{ kind: string }>(`${insert} returning kind::text`);
const insertOnceStatement = statement<{ kind: string }>(
  `${insert} where oauth2_records.expires_at < now() returning kind::text`,
);

/**
 * @returns false if the authorization that it belongs to has ended.
 * @throws a foreign key violation if its `subjectToken` has ended.
 */
export async function upsertRecord(record: NewRecord): Promise<boolean> {
  return (await run(upsertStatement, valuesOf(record))).length > 0;
}

/** @returns false if there is such a record already, which has not expired. */
export async function insertRecordOnce(record: NewRecord): Promise<boolean> {
  return (await run(insertOnceStatement, valuesOf(record))).length > 0;
}

export const columns = `payload, consumed_at as "consumedAt", created_at as "createdAt", expires_at as "expiresAt", tenant_id as "tenantId",
  client_row_id as "clientRowId"`;
const findStatement = statement<FoundRecord>(
  `select kind::text, ${columns} from oauth2_records
    where kind = any($1::text[]::oauth2_record_kind[]) and id_hash = $2 and expires_at > now()
      and (kind <> 'Session' or consumed_at is null)`,
);

interface FoundRecord extends StoredRecord {
  readonly kind: OAuth2RecordKind;
}

/** The records with this id, of each of these kinds: without those that have expired, and sessions that have ended. */
export async function findRecords(
  kinds: readonly OAuth2RecordKind[],
  id: string,
  tx?: Tx,
): Promise<readonly FoundRecord[]> {
  return await run(findStatement, [kinds, hashOf(id)], tx);
}

/** Null if there is no such record, if it has expired, or if it is a session that has ended. */
export async function findRecord({ kind, id }: RecordKey, tx?: Tx): Promise<StoredRecord | null> {
  return (await findRecords([kind], id, tx))[0] ?? null;
}

const findByUidStatement = statement<StoredRecord>(
  `select ${columns} from oauth2_records where kind = 'Session' and uid = $1 and expires_at > now()
      and consumed_at is null`,
);

export async function findSessionByUid(uid: string): Promise<StoredRecord | null> {
  const [row] = await run(findByUidStatement, [uid]);
  return row ?? null;
}

const consumeStatement = statement<{ grantId: string | null }>(
  `update oauth2_records set consumed_at = now()
    where kind = $1::text::oauth2_record_kind and id_hash = $2 and consumed_at is null returning grant_id as "grantId"`,
);

/** @returns false if somebody else has used it, or if it does not exist. */
export async function consumeRecord({ kind, id }: RecordKey): Promise<boolean> {
  return (await run(consumeStatement, [kind, hashOf(id)])).length > 0;
}

/**
 * Uses a refresh token, and ends the access tokens of its authorization: the client gets a new one. Source: Hydra.
 *
 * @returns false if somebody else has used it, or if it does not exist.
 */
export async function consumeRefreshToken(id: string): Promise<boolean> {
  return await inTransaction(async (tx) => {
    const [used] = await run(consumeStatement, ['RefreshToken', hashOf(id)], tx);
    if (!used) return false;
    await run(removeOfGrantStatement, [used.grantId, 'AccessToken'], tx);
    followAccessChanges(tx);
    return true;
  });
}

const resolveStatement = statement<{ kind: string }>(
  `update oauth2_records set payload = payload || jsonb_build_object('result', $3::jsonb)
    where kind = $1::text::oauth2_record_kind and id_hash = $2 and consumed_at is null and not payload ? 'result'
      and expires_at > now()
  returning kind::text`,
);

/** Stores the answer to a challenge. @returns false if it has one, or if the browser has come back already. */
export async function resolveRecord(tx: Tx, { kind, id }: RecordKey, result: Payload): Promise<boolean> {
  return (await run(resolveStatement, [kind, hashOf(id), JSON.stringify(result)], tx)).length > 0;
}

const removeUnansweredStatement = statement<{ kind: string }>(
  `delete from oauth2_records where kind = $1::text::oauth2_record_kind and id_hash = $2 and consumed_at is null
      and not payload ? 'result'
   returning kind::text`,
);

/** Deletes a challenge that nobody has answered. @returns false if somebody has. */
export async function removeUnansweredRecord({ kind, id }: RecordKey): Promise<boolean> {
  return (await run(removeUnansweredStatement, [kind, hashOf(id)])).length > 0;
}

const endSessionStatement = statement<Record<string, never>>(
  `update oauth2_records set consumed_at = now(), payload = '{}'
    where kind = $1::text::oauth2_record_kind and id_hash = $2 and consumed_at is null`,
);

const removeStatement = statement<Record<string, never>>(
  'delete from oauth2_records where kind = $1::text::oauth2_record_kind and id_hash = $2',
);

/** If it is a token for Slipway itself, this process does not accept the token any more when this has returned. */
export async function removeRecord({ kind, id }: RecordKey): Promise<void> {
  if (kind === 'Session') await run(endSessionStatement, [kind, hashOf(id)]);
  else if (kind !== 'AccessToken' && kind !== 'ClientCredentials')
    await run(removeStatement, [kind, hashOf(id)]);
  else
    await inTransaction(async (tx) => {
      await run(removeStatement, [kind, hashOf(id)], tx);
      followAccessChanges(tx);
    });
}

const removeOfGrantStatement = statement<Record<string, never>>(
  'delete from oauth2_records where grant_id = $1 and kind = $2::text::oauth2_record_kind',
);

/**
 * Deletes records of one kind that belong to an authorization. This process does not accept its tokens for Slipway
 * itself any more when this has returned.
 */
export async function removeRecordsOfGrant(grantId: string, kind: OAuth2RecordKind): Promise<void> {
  await inTransaction(async (tx) => {
    await run(removeOfGrantStatement, [grantId, kind], tx);
    followAccessChanges(tx);
  });
}

/** Ends an authorization, with all that belongs to it. Nothing that is being made for it now remains. */
export const endGrant = (grantId: string): Promise<void> => inTransaction((tx) => endGrants(tx, [grantId]));

const removeGrantsStatement = statement<Record<string, never>>(
  `delete from oauth2_records where kind = 'Grant' and grant_id = any($1::text[])`,
);
const removeOfGrantsStatement = statement<Record<string, never>>(
  'delete from oauth2_records where grant_id = any($1::text[])',
);

/** Ends some authorizations, as `endGrant` does. */
export async function endGrants(tx: Tx, grantIds: readonly string[]): Promise<void> {
  if (grantIds.length === 0) return;
  // This waits for records that are being stored. The second statement sees them, because it begins afterwards.
  await run(removeGrantsStatement, [grantIds], tx);
  await run(removeOfGrantsStatement, [grantIds], tx);
  followAccessChanges(tx);
}

/** A session of a browser, as it was. */
export interface EndedSession {
  readonly uid: string;
  /** The client ids of the clients that it was used for. */
  readonly clientIds: readonly string[];
}

const endSessionsStatement = statement<EndedSession>(
  `with open as materialized (
     select id_hash, uid, payload from oauth2_records
      where kind = 'Session' and consumed_at is null and tenant_id = $1::uuid
        and ($2::text is null or account_id = $2) and ($3::text is null or uid = $3)
      order by id_hash for update
   ),
   ended as (
     update oauth2_records as record set consumed_at = now(), payload = '{}'
       from open where record.kind = 'Session' and record.id_hash = open.id_hash
   )
   select uid, array(select jsonb_object_keys(coalesce(payload -> 'authorizations', '{}'))) as "clientIds" from open`,
);

/** Ends sessions of browsers. Their rows stay until they expire, so that nobody stores the sessions again. */
export async function endSessions(
  tx: Tx,
  tenantId: string,
  { accountId, uid }: { readonly accountId: string | null; readonly uid: string | null },
): Promise<EndedSession[]> {
  return await run(endSessionsStatement, [tenantId, accountId, uid], tx);
}

const sweepStatement = statement<{ kind: string }>(
  `delete from oauth2_records where (kind, id_hash) in (
     select kind, id_hash from oauth2_records where expires_at < now() order by expires_at limit $1
   ) returning kind::text`,
);

/**
 * Deletes some of the records that have expired.
 *
 * @returns how many it has deleted.
 */
export async function sweepExpiredRecords(limit: number): Promise<number> {
  return (await run(sweepStatement, [limit])).length;
}

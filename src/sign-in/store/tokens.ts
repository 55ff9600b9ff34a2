import type { JWK } from 'jose';
import type { Prisma } from '../../generated/prisma/client.ts';
import { db } from '../../platform/database/client.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { seal } from '../../platform/secrets.ts';

export interface StoredKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicJwk: JWK;
  readonly privateJwkSealed: Uint8Array | null;
}

/** The tenant of the server's own keys: the first one; null before there is a tenant. */
export async function findServerTenantId(tx: Tx = db): Promise<string | null> {
  const tenant = await tx.tenant.findFirst({
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  });
  return tenant?.id ?? null;
}

/** What identifies a set of keys. Each tenant has its own sets, so two tenants may use the same name. */
export interface SetKey {
  readonly tenantId: string;
  readonly name: string;
}

/** The keys of a set, newest first, at most 100. */
export async function listKeys({ tenantId, name }: SetKey): Promise<StoredKey[]> {
  const rows = await db.jsonWebKey.findMany({
    where: { set: { tenantId, name } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { kid: true, alg: true, publicJwk: true, privateJwkSealed: true },
    take: 100,
  });
  return rows.map((row) => ({
    ...row,
    publicJwk: row.publicJwk as unknown as JWK,
  }));
}

export async function hasKeys(tx: Tx, { tenantId, name }: SetKey): Promise<boolean> {
  return (
    (await tx.jsonWebKey.findFirst({
      where: { set: { tenantId, name } },
      select: { id: true },
    })) !== null
  );
}

const lockStatement = statement<{ locked: string }>(
  `select pg_advisory_xact_lock(hashtextextended('slipway:first-key', 0))::text as locked`,
);

/** Lets only one transaction at a time create first keys. */
export async function lockForFirstKey(tx: Tx): Promise<void> {
  await run(lockStatement, [], tx);
}

/** Adds a key to a set, and creates the set if necessary. The private part is encrypted. */
export async function storeKey(
  tx: Tx,
  key: {
    set: SetKey;
    kid: string;
    alg: string;
    publicJwk: JWK;
    privateJwk: JWK;
  },
): Promise<void> {
  const { kid, alg } = key;
  const { tenantId, name } = key.set;
  const set = await tx.jsonWebKeySet.upsert({
    where: { tenantId_name: { tenantId, name } },
    create: { id: newId(), tenantId, name },
    update: {},
  });
  await tx.jsonWebKey.create({
    data: {
      id: newId(),
      tenantId,
      setId: set.id,
      kid,
      alg,
      use: 'sig',
      publicJwk: key.publicJwk as Prisma.InputJsonObject,
      privateJwkSealed: new Uint8Array(seal('json-web-key', JSON.stringify(key.privateJwk))),
    },
  });
}

const revokeSessionStatement = statement<{ sessionId: string }>(
  `insert into revoked_sessions (session_id, tenant_id, user_id, expires_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4::timestamptz)
   on conflict (session_id) do nothing returning session_id as "sessionId"`,
);

export interface Session {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  /** When the token of the session would expire by itself. */
  readonly endsAt: Date;
}

/** Ends a session. @returns false if it had already ended. */
export async function revokeSession(tx: Tx, { id, tenantId, userId, endsAt }: Session): Promise<boolean> {
  return (await run(revokeSessionStatement, [id, tenantId, userId, endsAt], tx)).length > 0;
}

const sessionStatement = statement<{ isRevoked: boolean }>(
  'select exists (select from revoked_sessions where session_id = $1::uuid) as "isRevoked"',
);

export async function isSessionRevoked(sessionId: string): Promise<boolean> {
  const [row] = await run(sessionStatement, [sessionId]);
  return Boolean(row?.isRevoked);
}

const sweepSessionsStatement = statement<Record<string, never>>(
  `/* behind the answers */ delete from revoked_sessions where session_id in (
     select session_id from revoked_sessions where expires_at < now() order by expires_at limit 10000
   )`,
);

/** Deletes ended sessions whose tokens have expired since, at most 10,000 at a time. */
export async function sweepRevokedSessions(): Promise<void> {
  await run(sweepSessionsStatement, []);
}

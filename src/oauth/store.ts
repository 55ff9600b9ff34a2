import type { JWK } from 'jose';
import type { Prisma } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';
import { run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { newId } from '../platform/ids.ts';
import { seal } from '../platform/secrets.ts';

export interface StoredKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicJwk: JWK;
  readonly privateJwkSealed: Uint8Array | null;
}

/** The keys of a set, newest first. */
export async function listKeys(setName: string): Promise<StoredKey[]> {
  const rows = await db.jsonWebKey.findMany({
    where: { set: { name: setName } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { kid: true, alg: true, publicJwk: true, privateJwkSealed: true },
    take: 100,
  });
  return rows.map((row) => ({
    ...row,
    publicJwk: row.publicJwk as unknown as JWK,
  }));
}

export async function hasKeys(tx: Tx, setName: string): Promise<boolean> {
  return (
    (await tx.jsonWebKey.findFirst({
      where: { set: { name: setName } },
      select: { id: true },
    })) !== null
  );
}

const lockStatement = statement<{ locked: string }>(
  'lock_first_key',
  `select pg_advisory_xact_lock(hashtextextended('slipway:first-key', 0))::text as locked`,
);

/** Holds the making of first keys until commit. @returns the tenant that the server's own keys belong to: the first. */
export async function lockForFirstKey(tx: Tx): Promise<string | null> {
  await run(lockStatement, [], tx);
  const tenant = await tx.tenant.findFirst({
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  });
  return tenant?.id ?? null;
}

/** Adds a key to a set, made if it is the first; the private part is sealed. */
export async function storeKey(
  tx: Tx,
  key: {
    tenantId: string;
    setName: string;
    kid: string;
    alg: string;
    publicJwk: JWK;
    privateJwk: JWK;
  },
): Promise<void> {
  const { tenantId, setName, kid, alg } = key;
  const set = await tx.jsonWebKeySet.upsert({
    where: { tenantId_name: { tenantId, name: setName } },
    create: { id: newId(), tenantId, name: setName },
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

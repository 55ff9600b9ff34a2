import type { JWK } from 'jose';
import { isRoleAtLeast } from '../authorization/domain/roles.ts';
import type { NodeRows } from '../authorization/store/node-rows.ts';
import type { JsonWebKey, JsonWebKeySet, Prisma } from '../generated/prisma/client.ts';
import type { JsonWebKeyState, Role } from '../generated/prisma/enums.ts';
import { eachAt, readAddressed } from '../platform/by-address.ts';
import { db } from '../platform/database/client.ts';
import { sql } from '../platform/database/sql.ts';
import { run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { isId, newId } from '../platform/ids.ts';
import { open, seal } from '../platform/secrets.ts';
import type { KeyParts } from './domain/imported-keys.ts';
import { MAX_KEYS } from './domain/key-sets.ts';

/** What identifies a set of keys. Each tenant has its own sets, so two tenants may use the same name. */
export interface SetKey {
  readonly tenantId: string;
  readonly name: string;
}

/** A key without its private part, which is never read with the others. */
export type KeyRow = Omit<JsonWebKey, 'privateJwkSealed'>;

const withoutPrivatePart = { privateJwkSealed: true } as const;
const newestFirst = [{ createdAt: 'desc' }, { id: 'desc' }] as const satisfies object;

export type SetBy = { readonly id: string } | { readonly name: string };

/** One row or null for each address, in the order of the addresses. */
export const readKeySets = (
  tenantId: string,
  addresses: readonly SetBy[],
): Promise<(JsonWebKeySet | null)[]> =>
  readAddressed(
    addresses,
    ['name'],
    (ids) => db.jsonWebKeySet.findMany({ where: { tenantId, id: { in: ids } } }),
    (names) => db.jsonWebKeySet.findMany({ where: { tenantId, name: { in: names } } }),
  );

export type KeyBy =
  | { readonly id: string }
  | { readonly key: { readonly set: string; readonly kid: string } };

/** One row or null for each address, in the order of the addresses. */
export async function readKeys(tenantId: string, addresses: readonly KeyBy[]): Promise<(KeyRow | null)[]> {
  const ids = addresses.flatMap((by) => ('id' in by && isId(by.id) ? [by.id] : []));
  const keys = addresses.flatMap((by) => ('key' in by ? [by.key] : []));
  const rows = await db.jsonWebKey.findMany({
    where: {
      tenantId,
      OR: [{ id: { in: ids } }, ...keys.map(({ set, kid }) => ({ kid, set: { tenantId, name: set } }))],
    },
    omit: withoutPrivatePart,
    include: { set: { select: { name: true } } },
  });
  const nameOf = (set: string, kid: string) => JSON.stringify([set, kid]);
  return eachAt(
    addresses,
    (by) => ('id' in by ? by.id : nameOf(by.key.set, by.key.kid)),
    rows.flatMap(({ set, ...row }) => [[row.id, row] as const, [nameOf(set.name, row.kid), row] as const]),
  );
}

/** The keys of some sets, newest first. */
export const readKeysOfSets = (tenantId: string, setIds: readonly string[]): Promise<KeyRow[]> =>
  db.jsonWebKey.findMany({
    where: { tenantId, setId: { in: [...setIds] } },
    omit: withoutPrivatePart,
    orderBy: [...newestFirst],
  });

const nodesOf = (table: string): NodeRows => ({
  from: `${table} as kept`,
  id: 'kept.id',
  tenant: 'kept.tenant_id',
  isShown: ({ tenantId, role }: { tenantId: string; role: Role }) =>
    sql`(kept.tenant_id = ${tenantId}::uuid and ${isRoleAtLeast(role, 'ADMIN')}::boolean)`,
});
/** Roles decide about keys: the rule of the lookup asks for the role. */
export const keySetNodes = nodesOf('json_web_key_sets');
export const keyNodes = nodesOf('json_web_keys');

/** A key with its encrypted private part. */
export interface StoredKey {
  readonly kid: string;
  readonly alg: string;
  readonly state: JsonWebKeyState;
  readonly publicJwk: JWK;
  readonly privateJwkSealed: Uint8Array | null;
}

/** The keys of a set with their encrypted private parts, newest first. */
export async function listKeys({ tenantId, name }: SetKey): Promise<StoredKey[]> {
  const rows = await db.jsonWebKey.findMany({
    where: { set: { tenantId, name } },
    orderBy: [...newestFirst],
    select: { kid: true, alg: true, state: true, publicJwk: true, privateJwkSealed: true },
    take: MAX_KEYS,
  });
  return rows.map((row) => ({ ...row, publicJwk: row.publicJwk as unknown as JWK }));
}

const lockNewStatement = statement<{ id: string }>(
  `insert into json_web_key_sets (id, tenant_id, name) values ($1::uuid, $2::uuid, $3)
   on conflict (tenant_id, name) do update set name = excluded.name returning id`,
);

/** Locks a set until the transaction ends, and creates it if there is none. @returns its id. */
export async function lockOrCreateSet(tx: Tx, { tenantId, name }: SetKey): Promise<string> {
  const [row] = await run(lockNewStatement, [newId(), tenantId, name], tx);
  if (!row) throw new Error('a set of keys was neither found nor created');
  return row.id;
}

const lockStatement = statement<{ id: string }>(
  'select id from json_web_key_sets where tenant_id = $1::uuid and name = $2 for update',
);

/** Locks a set until the transaction ends. @returns its id; null if there is no such set. */
export async function lockSet(tx: Tx, { tenantId, name }: SetKey): Promise<string | null> {
  const [row] = await run(lockStatement, [tenantId, name], tx);
  return row?.id ?? null;
}

/** The keys of a set, newest first. */
export const keysOfSet = (tx: Tx, setId: string): Promise<KeyRow[]> =>
  tx.jsonWebKey.findMany({ where: { setId }, omit: withoutPrivatePart, orderBy: [...newestFirst] });

const PURPOSE = 'json-web-key';

const sealed = (jwk: JWK | null) => (jwk ? new Uint8Array(seal(PURPOSE, JSON.stringify(jwk))) : null);

/** The private part of a key. @throws Error if no configured secret can decrypt it. */
export const openPrivateJwk = (privateJwkSealed: Uint8Array): JWK =>
  JSON.parse(open(PURPOSE, privateJwkSealed)) as JWK;

/** Adds a key to a set. Its private part is encrypted. @throws a unique violation if the set has its `kid`. */
export async function insertKey(
  tx: Tx,
  set: { readonly id: string; readonly tenantId: string },
  { publicJwk, privateJwk, ...named }: KeyParts,
  { state, at }: { readonly state: JsonWebKeyState; readonly at: Date },
): Promise<KeyRow> {
  return await tx.jsonWebKey.create({
    data: {
      ...{ id: newId(), tenantId: set.tenantId, setId: set.id, ...named, state, createdAt: at },
      publicJwk: publicJwk as Prisma.InputJsonObject,
      privateJwkSealed: sealed(privateJwk),
      ...(state === 'CURRENT' ? { activatedAt: at } : {}),
      ...(state === 'RETIRED' ? { retiredAt: at } : {}),
    },
    omit: withoutPrivatePart,
  });
}

/** Replaces a key. Its `kid`, its state and its times stay. */
export async function replaceKey(
  tx: Tx,
  id: string,
  { publicJwk, privateJwk, alg, use }: KeyParts,
): Promise<KeyRow> {
  return await tx.jsonWebKey.update({
    where: { id },
    data: {
      ...{ alg, use, publicJwk: publicJwk as Prisma.InputJsonObject },
      privateJwkSealed: sealed(privateJwk),
    },
    omit: withoutPrivatePart,
  });
}

export const retireKey = (tx: Tx, id: string, at: Date) =>
  tx.jsonWebKey.update({ where: { id }, data: { state: 'RETIRED', retiredAt: at }, select: { id: true } });

export const activateKey = (tx: Tx, id: string, at: Date) =>
  tx.jsonWebKey.update({ where: { id }, data: { state: 'CURRENT', activatedAt: at }, select: { id: true } });

/** @returns how many there were. */
export async function deleteKeys(tx: Tx, ids: readonly string[]): Promise<number> {
  return (await tx.jsonWebKey.deleteMany({ where: { id: { in: [...ids] } } })).count;
}

export const deleteSet = (tx: Tx, id: string) => tx.jsonWebKeySet.delete({ where: { id } });

/** The encrypted private part of a key; null if the key has none. */
export async function findPrivatePart(tx: Tx, id: string): Promise<Uint8Array | null> {
  const row = await tx.jsonWebKey.findUnique({ where: { id }, select: { privateJwkSealed: true } });
  return row?.privateJwkSealed ?? null;
}

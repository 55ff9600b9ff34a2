/** Callers of every kind, written as rows: a test takes any role, scopes and grants without a request for each. */

import { createEveryone } from '../../src/authorization/store/groups.ts';
import type { Level, ResourceType, Role } from '../../src/generated/prisma/enums.ts';
import { hashSecret, newAccessKey, newSecretKey } from '../../src/identity/domain/secrets.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { nameKey } from '../../src/platform/text.ts';
import { type App, basic } from './app.ts';

/** A level on a resource, on all of a type (no id), or on the tenant. */
export interface NewGrant {
  readonly type: ResourceType;
  readonly id?: string;
  readonly level: Level;
}

export interface CallerOptions {
  readonly role: Role;
  readonly level?: Level | null;
  /** Left out: all that the user may do. */
  readonly scopes?: readonly string[];
  readonly grants?: readonly NewGrant[];
  /** The administrator's unless told otherwise. */
  readonly tenantId?: string;
}

export interface NewKey {
  readonly userId: string;
  readonly username: string;
  readonly credentialId: string;
  readonly accessKey: string;
  readonly authorization: string;
}

/** A new user with an access key. */
export async function newKey({
  role,
  level = null,
  scopes,
  grants = [],
  tenantId,
}: CallerOptions): Promise<NewKey> {
  const tenant = tenantId ?? (await db.tenant.findFirstOrThrow({ where: { name: 'default' } })).id;
  const [id, accessKey, secret, credentialId] = [newId(), newAccessKey(), newSecretKey(), newId()];
  const username = `user-${id}`;
  await db.user.create({
    data: { id, tenantId: tenant, username, usernameKey: username, name: id, role, defaultLevel: level },
  });
  await db.grant.createMany({
    data: grants.map(({ type, id: resourceId, level: granted }) => ({
      id: newId(),
      tenantId: tenant,
      userId: id,
      resourceType: type,
      resourceId,
      level: granted,
    })),
  });
  const secretHash = new Uint8Array(hashSecret(secret));
  await db.credential.create({
    data: {
      id: credentialId,
      tenantId: tenant,
      userId: id,
      accessKey,
      secretHash,
      ...(scopes ? { scopes: [...scopes] } : {}),
    },
  });
  return { userId: id, username, credentialId, accessKey, authorization: basic(accessKey, secret) };
}

/** @returns the Authorization header of a new user's access key. */
export async function newCaller(options: CallerOptions): Promise<string> {
  return (await newKey(options)).authorization;
}

/** @returns the Authorization header of a new token. */
export async function tokenOf(app: App, authorization: string, input: object = {}): Promise<string> {
  const { data } = await app.ask(
    'mutation ($input: LoginInput) { login(input: $input) { ... on LoginPayload { token } } }',
    { input },
    authorization,
  );
  return `Bearer ${data.login.token}`;
}

export async function newTenant(name: string): Promise<string> {
  return await inTransaction(async (tx) => {
    const { id } = await tx.tenant.create({ data: { id: newId(), name, nameKey: nameKey(name) } });
    await createEveryone(tx, id);
    return id;
  });
}

/** Users and what they may do, written as rows: a test takes any role and state without a request for each. */

import { recordAccessChange } from '../../src/authorization/store/changes.ts';
import { createEveryone } from '../../src/authorization/store/groups.ts';
import type { Prisma } from '../../src/generated/prisma/client.ts';
import type { Level, ResourceType, Role } from '../../src/generated/prisma/enums.ts';
import { hashSecret, newAccessKey, newSecretKey } from '../../src/identity/domain/secrets.ts';
import { hashPassword } from '../../src/identity/passwords.ts';
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

export interface UserOptions {
  /** Made up when it is left out. */
  readonly username?: string;
  readonly role?: Role;
  /** Its own default level. */
  readonly level?: Level | null;
  /** Of its access key; without them it has no limit. */
  readonly scopes?: readonly string[];
  readonly grants?: readonly NewGrant[];
  /** The administrator's when it is left out. */
  readonly tenantId?: string;
  /** None when it is left out. */
  readonly password?: string;
}

export interface User {
  readonly id: string;
  readonly tenantId: string;
  readonly username: string;
  readonly credentialId: string;
  readonly accessKey: string;
  /** The Authorization header of its access key. */
  readonly authorization: string;
}

export const homeTenant = async () => (await db.tenant.findFirstOrThrow({ where: { name: 'default' } })).id;

/** A new user with an access key; a USER whom nothing was granted when nothing else is said. */
export async function newUser(options: UserOptions = {}): Promise<User> {
  const id = newId();
  const { role = 'USER', level = null, scopes, grants = [], username = `user-${id}` } = options;
  const tenantId = options.tenantId ?? (await homeTenant());
  const passwordHash = options.password === undefined ? null : await hashPassword(options.password);
  await db.user.create({
    data: {
      ...{ id, tenantId, username, usernameKey: nameKey(username), name: username },
      ...{ role, defaultLevel: level, passwordHash },
    },
  });
  await db.grant.createMany({
    data: grants.map((one) => ({
      ...{ id: newId(), tenantId, userId: id, resourceType: one.type, resourceId: one.id, level: one.level },
    })),
  });
  return { id, tenantId, username, ...(await newKey({ id, tenantId }, scopes)) };
}

/** A new access key of a user. */
export async function newKey(user: { id: string; tenantId: string }, scopes?: readonly string[]) {
  const [accessKey, secret, credentialId] = [newAccessKey(), newSecretKey(), newId()];
  const secretHash = new Uint8Array(hashSecret(secret));
  await db.credential.create({
    data: {
      ...{ id: credentialId, tenantId: user.tenantId, userId: user.id, accessKey, secretHash },
      ...(scopes ? { scopes: [...scopes] } : {}),
    },
  });
  return { credentialId, accessKey, authorization: basic(accessKey, secret) };
}

/** @returns the Authorization header of a new user's access key. */
export async function newCaller(options: UserOptions = {}): Promise<string> {
  return (await newUser(options)).authorization;
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

/** The user behind the Authorization header of an access key. */
export async function userOf(authorization: string) {
  const [accessKey = ''] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
  const { userId } = await db.credential.findUniqueOrThrow({ where: { accessKey } });
  return await db.user.findUniqueOrThrow({ where: { id: userId } });
}

/** Gives the user of an access key a level on a resource, on all of a type (null), or on the tenant. */
export async function grant(
  authorization: string,
  type: ResourceType,
  id: string | null,
  level: Level,
): Promise<void> {
  const user = await userOf(authorization);
  await grantTo({ userId: user.id, tenantId: user.tenantId }, type, id, level);
}

/** Gives a user or a group a level; of the administrator's tenant unless another one is named. */
export async function grantTo(
  subject: { userId: string; tenantId?: string } | { groupId: string; tenantId?: string },
  resourceType: ResourceType,
  resourceId: string | null,
  level: Level,
): Promise<void> {
  const data = { tenantId: await homeTenant(), ...subject, resourceType, resourceId, level };
  await db.grant.create({ data: { id: newId(), ...data } });
}

/** A group with those members. @returns its id. */
export async function newGroup(
  name: string,
  members: readonly { readonly id: string }[] = [],
  tenantId?: string,
): Promise<string> {
  const [id, tenant] = [newId(), tenantId ?? (await homeTenant())];
  await db.group.create({ data: { id, tenantId: tenant, name, nameKey: nameKey(name) } });
  await db.groupMember.createMany({
    data: members.map((member) => ({ groupId: id, userId: member.id, tenantId: tenant })),
  });
  return id;
}

/** Changes a user's row as a command would: every server hears of it. */
export async function changeUser(username: string, data: Prisma.UserUpdateInput): Promise<void> {
  await inTransaction(async (tx) => {
    const { id, tenantId } = await tx.user.findFirstOrThrow({ where: { username } });
    await tx.user.update({ where: { id }, data });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
  });
}

/** @returns the id of a new tenant, with its group of everyone. */
export async function newTenant(name: string): Promise<string> {
  return await inTransaction(async (tx) => {
    const { id } = await tx.tenant.create({ data: { id: newId(), name, nameKey: nameKey(name) } });
    await createEveryone(tx, id);
    return id;
  });
}

/** People and things for tests of permissions, made in the database: each test has its own. */

import { recordAccessChange } from '../../src/authorization/store/changes.ts';
import type { Level, Role } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import type { App } from '../support/app.ts';
import { newCaller } from '../support/credentials.ts';
import { mutate } from '../support/mutate.ts';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly authorization: string;
}

let count = 0;

export async function person(
  app: App,
  role: Role = 'USER',
  options: { level?: Level | null; tenantId?: string; scopes?: readonly string[] } = {},
): Promise<Person> {
  const authorization = await newCaller({ role, ...options });
  const { data } = await app.ask('{ viewer { id } }', {}, authorization);
  const { id } = data.viewer;
  const username = `${role.toLowerCase()}-${++count}`;
  await inTransaction(async (tx) => {
    const { tenantId } = await tx.user.update({ where: { id }, data: { username, usernameKey: username } });
    await recordAccessChange(tx, { tenantId, userId: id, kind: 'PRINCIPAL' });
  });
  return { id, username, authorization };
}

export const homeTenant = async () => (await db.tenant.findFirstOrThrow({ where: { name: 'default' } })).id;

/** A group with those members. @returns its id. */
export async function group(name: string, ...members: readonly Person[]): Promise<string> {
  const tenantId = await homeTenant();
  const { id } = await db.group.create({
    data: { id: newId(), tenantId, name, nameKey: name.toLowerCase() },
  });
  for (const { id: userId } of members)
    await db.groupMember.create({ data: { groupId: id, userId, tenantId } });
  return id;
}

export async function experiment(projectId: string, name: string, publicAt: Date | null = null) {
  const data = { id: newId(), tenantId: await homeTenant(), projectId, name, publicAt };
  return await db.experiment.create({ data: { ...data, createdById: newId() } });
}

export async function registeredModel(projectId: string, name: string) {
  const data = { id: newId(), tenantId: await homeTenant(), projectId, name };
  return await db.registeredModel.create({ data: { ...data, createdById: newId() } });
}

export const permissionFields = `id level
  resource { type id name }
  subject { __typename ... on Principal { id username } ... on Group { id name } }`;

export function permissionMutations(app: App) {
  const mutation = (field: string, selected: string) => (input: object, authorization?: string) =>
    mutate(app, field, input, selected, authorization);
  return {
    grant: mutation('grantPermission', `permission { ${permissionFields} createdAt updatedAt }`),
    update: mutation('updatePermission', `permission { ${permissionFields} }`),
    revoke: mutation('revokePermission', `revoked { ${permissionFields} }`),
  };
}

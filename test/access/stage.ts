/** People and things for tests of permissions, made in the database: each test has its own. */

import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import type { App } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { homeTenant } from '../support/users.ts';

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
    grant: mutation('grantPermission', `grant { ${permissionFields} createdAt updatedAt }`),
    update: mutation('updatePermission', `grant { ${permissionFields} }`),
    revoke: mutation('revokePermission', `grant { ${permissionFields} }`),
  };
}

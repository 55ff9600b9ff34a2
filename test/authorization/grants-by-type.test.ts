/** Grants on objects of two types that have the same id. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dropGrants } from '../../src/authorization/store/grant-levels.ts';
import { countGrantsOn, listGrantsAbout, listGrantsOn } from '../../src/authorization/store/grant-rows.ts';
import type { ResourceType } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { grantTo, newTenant, newUser } from '../support/users.ts';

let tenantId: string;
let userId: string;
let id: string;
beforeAll(async () => {
  tenantId = await newTenant('default');
});
beforeEach(async () => {
  ({ id: userId } = await newUser());
  id = newId();
  for (const type of ['PROJECT', 'QUEUE'] as const)
    for (const one of [id, null]) await grantTo({ userId }, type, one, 'READ');
});

const page = { limit: 10, backward: false, from: null };
const listed = async (type: ResourceType, resourceId: string | null) => {
  const resources = [{ type, id: resourceId }];
  const grants = await listGrantsOn(tenantId, resources, page);
  expect(await countGrantsOn(tenantId, resources)).toBe(grants.length);
  return grants
    .filter((grant) => grant.userId === userId)
    .map(({ resourceType, resourceId }) => [resourceType, resourceId]);
};

describe('the grants on an object', () => {
  it('are those of its type', async () => {
    expect(await listed('PROJECT', id)).toEqual([['PROJECT', id]]);
    expect(await listed('QUEUE', null)).toEqual([['QUEUE', null]]);
  });

  it('go with the object, and grants on all other objects stay', async () => {
    await grantTo({ userId }, 'PROJECT', newId(), 'READ');
    const before = await db.grant.findMany({ where: { userId }, orderBy: { id: 'asc' } });
    await inTransaction((tx) => dropGrants(tx, newId(), { type: 'PROJECT', id }));
    expect(await db.grant.findMany({ where: { userId }, orderBy: { id: 'asc' } })).toEqual(before);
    await inTransaction((tx) => dropGrants(tx, tenantId, { type: 'PROJECT', id }));
    expect(await db.grant.findMany({ where: { userId }, orderBy: { id: 'asc' } })).toEqual(
      before.filter((grant) => grant.resourceType !== 'PROJECT' || grant.resourceId !== id),
    );
  });
});

describe('the grants that explain a decision', () => {
  it('are the 1000 with the highest levels', async () => {
    const { id: lastId } = await newUser();
    await db.grant.createMany({
      data: Array.from({ length: 1000 }, () => ({
        ...{ id: newId(), tenantId, userId: lastId },
        ...({ resourceType: 'WORKFLOW', resourceId: newId(), level: 'READ' } as const),
      })),
    });
    await grantTo({ userId: lastId }, 'WORKFLOW', null, 'EDIT');
    const ids = (await db.grant.findMany({ where: { userId: lastId } })).flatMap(
      ({ resourceId }) => resourceId ?? [],
    );
    const grants = await listGrantsAbout({ tenantId, userId: lastId, groupIds: [] }, ids);
    expect(grants).toHaveLength(1000);
    expect(grants[0]).toMatchObject({ level: 'EDIT', resourceId: null });
  });
});

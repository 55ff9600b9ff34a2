/** Grants, written as rows. */
import type { Level, ResourceType } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';

/** The user behind an access key's Authorization header. */
export async function userOf(authorization: string) {
  const [accessKey = ''] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
  const { userId } = await db.credential.findUniqueOrThrow({ where: { accessKey } });
  return await db.user.findUniqueOrThrow({ where: { id: userId } });
}

export async function grant(
  authorization: string,
  resourceType: ResourceType,
  resourceId: string | null,
  level: Level,
): Promise<void> {
  const { id: userId, tenantId } = await userOf(authorization);
  await db.grant.create({ data: { id: newId(), tenantId, userId, resourceType, resourceId, level } });
}

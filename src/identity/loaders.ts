import DataLoader from 'dataloader';
import type { User } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';

export function identityLoaders(tenantId: string) {
  return {
    user: new DataLoader<string, User | null>(async (ids) => {
      const rows = await db.user.findMany({
        where: { id: { in: [...ids] }, tenantId },
      });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
  };
}

export type IdentityLoaders = ReturnType<typeof identityLoaders>;

import type { Tx } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';

/** The group that all users of a tenant are in, made with the tenant. Source: Armada's `everyone`. */
export async function createEveryone(tx: Tx, tenantId: string): Promise<void> {
  await tx.group.create({
    data: {
      id: newId(),
      tenantId,
      name: 'everyone',
      nameKey: 'everyone',
      description: 'All users of the tenant',
      isEveryone: true,
    },
  });
}

import type { Caller } from '../platform/caller.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { kindOf } from '../platform/object-kinds.ts';
import { recordChange } from './audit.ts';
import type { Resource } from './domain/resources.ts';
import { storeCreatorGrant } from './store/grant-levels.ts';

/**
 * Gives whoever made a resource MANAGE on it, in the transaction that makes it. It tells no process: nobody can have
 * been refused what was not there.
 */
export async function grantCreator(
  tx: Tx,
  caller: Caller,
  { type, id, name }: Resource & { readonly name: string },
): Promise<void> {
  await storeCreatorGrant(tx, caller, { type, id });
  const user = { id: caller.userId, username: caller.username };
  await recordChange(tx, caller, {
    action: 'permission:grant',
    target: { type: kindOf[type], id, name },
    after: { user, level: 'MANAGE' },
  });
}

import type { Caller } from '../platform/caller.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { kindOf } from '../platform/object-kinds.ts';
import { recordChange } from './audit.ts';
import type { Resource } from './domain/resources.ts';
import { storeCreatorGrant } from './store/grant-levels.ts';

/**
 * Gives MANAGE on a new resource to the user who creates it, in the same transaction. Other processes need not be told,
 * because no process can have cached a refusal for an object that did not exist.
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

import { isDeepStrictEqual } from 'node:util';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { mergePreferences, type Preferences } from '../domain/preferences.ts';
import { lockUser } from '../store/users.ts';
import { signInEnded } from '../user-gone.ts';

export interface UpdatePreferences {
  readonly preferences: Preferences;
  readonly isChanged: boolean;
}

/**
 * Merges changes into the caller's own preferences. Changes of other keys at the same time are not lost.
 *
 * @throws InvalidArgumentError, see `mergePreferences`.
 */
export async function updatePreferences(caller: Caller, changes: unknown): Promise<UpdatePreferences> {
  return await inTransaction(async (tx) => {
    const held = await lockUser(tx, { tenantId: caller.tenantId, id: caller.userId });
    if (!held) throw signInEnded();
    const before = held.preferences as Preferences;
    const preferences = mergePreferences(before, changes);
    if (isDeepStrictEqual(preferences, before)) return { preferences, isChanged: false };
    await tx.user.update({
      where: { id: caller.userId },
      data: { preferences: preferences as Prisma.InputJsonObject },
    });
    return { preferences, isChanged: true };
  });
}

import { recordChange } from '../../authorization/audit.ts';
import type { IdentityLink } from '../../generated/prisma/client.ts';
import { accountIdOf } from '../../oauth/domain/accounts.ts';
import { endSessionsOfLinks } from '../../oauth/store/linked-sessions.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { removeLink } from '../store/identity-links.ts';

/**
 * Deletes a link, and ends the sessions that began with it, with their tokens.
 *
 * @returns false if it is gone already, which is no error.
 */
export async function deleteIdentityLink(caller: Caller, link: IdentityLink): Promise<boolean> {
  const { id, tenantId, userId, subject } = link;
  return await inTransaction(async (tx) => {
    if (!(await removeLink(tx, id))) return false;
    const accountId = accountIdOf({ tenantId, subject: userId });
    const endedSessions = await endSessionsOfLinks(tx, [{ id, userId, accountId }]);
    await recordChange(tx, caller, {
      action: 'identityLink:delete',
      target: { type: 'identity link', id, name: subject },
      before: { user: { id: userId }, identityProviderId: link.identityProviderId },
      after: { endedSessions },
    });
    return true;
  });
}

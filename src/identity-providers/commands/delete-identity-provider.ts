import { recordChange } from '../../authorization/audit.ts';
import { accountIdOf } from '../../oauth/domain/accounts.ts';
import { endSessionsOfLinks } from '../../oauth/store/linked-sessions.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { NotFoundError } from '../../platform/errors.ts';
import { linksOfProvider } from '../store/identity-links.ts';
import { type ProviderRow, removeProvider } from '../store/identity-providers.ts';
import { shownOf } from './change-identity-provider.ts';

/**
 * Deletes an identity provider with its links, and ends the sessions that began with it, with their tokens. Its users
 * and their memberships in groups stay.
 *
 * @throws NotFoundError if somebody else has deleted it in the meantime.
 */
export async function deleteIdentityProvider(caller: Caller, provider: ProviderRow): Promise<void> {
  const { id, name, tenantId } = provider;
  await inTransaction(async (tx) => {
    const links = await linksOfProvider(tx, id);
    const endedSessions = await endSessionsOfLinks(
      tx,
      links.map((link) => ({
        ...link,
        accountId: accountIdOf({ tenantId, subject: link.userId }),
      })),
    );
    if (!(await removeProvider(tx, id))) throw new NotFoundError('identity provider', name, ['input', 'by']);
    await recordChange(tx, caller, {
      action: 'identityProvider:administer',
      target: { type: 'identity provider', id, name },
      before: { ...shownOf(provider), links: links.length },
      after: { endedSessions },
    });
  });
}

import { recordChange } from '../../authorization/audit.ts';
import type { IdentityLink } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isForeignKeyViolation, isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { isStorable } from '../../platform/text.ts';
import type { Principal } from '../../sign-in/principals.ts';
import { mayUseProvider } from '../domain/provider-users.ts';
import { insertLink } from '../store/identity-links.ts';
import type { ProviderRow } from '../store/identity-providers.ts';

const MAX_SUBJECT = 255;

/**
 * Lets a person sign in as a user with her account at an identity provider.
 *
 * @param subject  `sub` of her account.
 * @throws InvalidArgumentError; FailedPreconditionError for a user whom no provider may sign in; AlreadyExistsError if
 * the account or the user is linked already; NotFoundError if the user was deleted in the meantime.
 */
export async function createIdentityLink(
  caller: Caller,
  provider: ProviderRow,
  user: Pick<Principal, 'userId' | 'role' | 'username'>,
  subject: string,
): Promise<IdentityLink> {
  if (subject === '' || subject.length > MAX_SUBJECT || !isStorable(subject))
    throw InvalidArgumentError.of(['input', 'subject'], `must have 1 to ${MAX_SUBJECT} characters`);
  if (!mayUseProvider(user))
    throw new FailedPreconditionError(
      'users with the role ROOT or SYSTEM cannot sign in with an identity provider',
      { current: user.role },
    );
  const { tenantId, id: identityProviderId } = provider;
  const { userId, username: name } = user;
  try {
    return await inTransaction(async (tx) => {
      const link = await insertLink(tx, { tenantId, identityProviderId, userId, subject });
      await recordChange(tx, caller, {
        action: 'identityLink:create',
        target: { type: 'identity link', id: link.id, name: subject },
        after: { user: { id: userId, name }, identityProvider: provider.name },
      });
      return link;
    });
  } catch (error) {
    if (isUniqueViolation(error))
      throw new AlreadyExistsError('this account, or this user, has a link with the provider already', {
        path: ['input'],
      });
    if (isForeignKeyViolation(error)) throw new NotFoundError('user', name, ['input', 'user']);
    throw error;
  }
}

import { isWithinScopes } from '../../authorization/domain/permissions.ts';
import { mayManageKeys } from '../../identity/domain/acting.ts';
import { latestEnd } from '../../identity/domain/credentials.ts';
import { lockKeyOwner } from '../../identity/store/access-keys.ts';
import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, PermissionDeniedError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import type { ClientSettings } from '../domain/client-settings.ts';
import { wordsOf } from '../domain/scopes.ts';
import { limitOf } from '../domain/slipway-tokens.ts';

/** Allows every scope. Source: Hydra's wildcard strategy. */
const ANY_SCOPE = '*';

/**
 * Checks that a caller may let a client act as its service account: whoever knows the secret of the client has the
 * rights of the account, as with an access key of it. So this is asked whenever somebody changes such a client, and the
 * rules are those of access keys.
 *
 * @param settings  of the client from now on.
 * @throws InvalidArgumentError if it is not a service account of the tenant; PermissionDeniedError if the caller could
 * not make an access key of this account with the scopes of the client.
 */
export async function requireServiceAccount(
  tx: Tx,
  caller: Caller,
  { tenantId, settings }: { readonly tenantId: string; readonly settings: ClientSettings },
): Promise<void> {
  const { serviceAccount } = settings;
  if (!serviceAccount) return;
  const account = isId(serviceAccount) ? await lockKeyOwner(tx, serviceAccount) : null;
  if (!account?.isServiceAccount || account.tenantId !== tenantId)
    throw InvalidArgumentError.of(
      ['input', 'client', 'serviceAccount'],
      'serviceAccount must be the id of a service account of your tenant',
    );
  const words = wordsOf(settings.scope);
  const scopes = words.includes(ANY_SCOPE) ? null : limitOf(words);
  const isWithin = caller.scopes === null || scopes?.every((one) => isWithinScopes(one, caller.scopes ?? []));
  if (!isWithin)
    throw new PermissionDeniedError(
      'a client that acts as a service account cannot have scopes that your sign-in does not have',
    );
  if (!mayManageKeys(caller, account, scopes))
    throw new PermissionDeniedError('the client acts as a service account that has a higher role than you');
  if (latestEnd(caller, account.id) !== null)
    throw new PermissionDeniedError(
      'a client that acts as a service account can be changed only by a sign-in that does not end with an access key',
    );
}

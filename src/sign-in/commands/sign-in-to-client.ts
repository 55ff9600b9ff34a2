import { recordChange } from '../../authorization/audit.ts';
import { type Caller, logOf } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { PermissionDeniedError, UnauthenticatedError } from '../../platform/errors.ts';
import { authenticate } from '../authenticate.ts';
import type { SignInRequest } from '../methods/method.ts';

/**
 * Signs a person in to a client of OAuth, by user name and password. The audit log names the client.
 *
 * @param username  may have the tenant in front.
 * @throws UnauthenticatedError, with the same message for an unknown user and a wrong password; TooManyAttemptsError;
 * ResourceExhaustedError; PermissionDeniedError for accounts that several people share, because they would get more with
 * a client than they have here.
 */
export async function signInToClient(
  request: SignInRequest,
  { username, password }: { readonly username: string; readonly password: string },
  clientId: string,
): Promise<Caller> {
  const wrong = () => new UnauthenticatedError('the user name or the password is wrong');
  if (username.includes(':')) throw wrong();
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const caller = await authenticate({ ...request, headers: { authorization } });
  // An access key belongs to a program, and is a client itself.
  if (caller?.method !== 'PASSWORD') throw wrong();
  if (caller.isShared) throw new PermissionDeniedError('this account cannot sign in to other applications');
  const { userId: id, username: name, method } = caller;
  await inTransaction((tx) =>
    recordChange(tx, caller, {
      action: 'session:login',
      target: { type: 'user', id, name },
      after: { method, clientId },
    }),
  );
  logOf(caller).info({ clientId }, 'signed in to a client');
  return caller;
}

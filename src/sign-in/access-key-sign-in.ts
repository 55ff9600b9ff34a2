import { noteFailedSignIn } from '../authorization/audit.ts';
import { isSecret } from '../identity/domain/secrets.ts';
import { noteKeyUse } from './key-uses.ts';
import { findAccessKey, findPrincipal, type Principal } from './principals.ts';

/** Access keys have a form of their own, so nothing else is taken for one. */
export const isAccessKey = (name: string): boolean => /^[A-Z0-9]{30}$/.test(name);

export interface AccessKeySignIn {
  readonly principal: Principal;
  readonly credentialId: string;
}

/**
 * The user of an access key, if the secret is right and the key is still valid. Failures and uses are recorded.
 *
 * @param from.address  the IP address of the request.
 * @param from.worker  the name that the program calls itself.
 */
export async function signInByAccessKey(
  accessKey: string,
  secret: string,
  { address, worker }: { readonly address: string | null; readonly worker: string | null },
): Promise<AccessKeySignIn | null> {
  const { key, isRight } = await findAccessKey(accessKey, ({ secretHash }) => isSecret(secret, secretHash));
  if (!key) return null;
  const { userId, credentialId } = key;
  const principal = isRight
    ? await findPrincipal({ userId, credentialId, sessionId: null, version: null })
    : null;
  if (!principal) {
    noteFailedSignIn({ tenantId: key.tenantId, id: userId, username: key.username }, address);
    return null;
  }
  noteKeyUse(credentialId, worker ?? address);
  return { principal, credentialId };
}

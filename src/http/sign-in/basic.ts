import { isSecret } from '../../identity/domain/secrets.ts';
import { usernameKey } from '../../identity/domain/usernames.ts';
import { isPassword } from '../../identity/passwords.ts';
import { findAccessKey, findPasswordUser, findPrincipal } from '../../identity/principals.ts';
import { UnauthenticatedError } from '../../platform/errors.ts';
import { authorizationOf, plain, type SignedIn, type SignInMethodHandler } from './method.ts';

/** `Authorization: Basic`, with a user name and password, or an access key and its secret. */
export const basic: SignInMethodHandler = {
  challenge: 'Basic realm="slipway", charset="UTF-8"',
  async signIn(request) {
    const authorization = authorizationOf(request);
    if (authorization?.scheme !== 'basic') return null;
    const pair = Buffer.from(authorization.value, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0 || pair.includes('\u0000')) throw refused();
    const [name, secret] = [pair.slice(0, colon), pair.slice(colon + 1)];
    // Access keys have a form of their own, so the two kinds are told apart without trying both.
    const signedIn = /^[A-Z0-9]{30}$/.test(name)
      ? await byAccessKey(name, secret)
      : await byPassword(name, secret);
    if (!signedIn) throw refused();
    return signedIn;
  },
};

const refused = () => new UnauthenticatedError('the credentials are not valid');

async function byAccessKey(accessKey: string, secret: string): Promise<SignedIn | null> {
  const known = await findAccessKey(accessKey);
  if (!known || !isSecret(secret, known.secretHash)) return null;
  const principal = await findPrincipal(known.userId, known.credentialId);
  if (!principal) return null;
  const { credentialId } = known;
  return { ...plain, principal, method: 'ACCESS_KEY', credentialId, scopes: principal.scopes };
}

async function byPassword(username: string, password: string): Promise<SignedIn | null> {
  const known = await findPasswordUser(usernameKey(username));
  const isRight = await isPassword(password, known?.passwordHash ?? null);
  if (!known || !isRight) return null;
  const principal = await findPrincipal(known.userId, null);
  return principal && { ...plain, principal, method: 'PASSWORD' };
}

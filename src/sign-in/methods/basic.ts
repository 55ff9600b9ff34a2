import { noteFailedSignIn } from '../../authorization/audit.ts';
import { isGuestAccount } from '../../identity/shared-identities.ts';
import { plain } from '../../platform/caller.ts';
import { UnauthenticatedError } from '../../platform/errors.ts';
import { isAccessKey, signInByAccessKey } from '../access-key-sign-in.ts';
import { signInByPassword } from '../password-sign-in.ts';
import { authorizationOf, type SignedIn, type SignInMethodHandler, type SignInRequest } from './method.ts';

/** `Authorization: Basic`, with a user name and password, or an access key and its secret. */
export const basic: SignInMethodHandler = {
  challenge: 'Basic realm="slipway", charset="UTF-8"',
  async signIn(request) {
    const authorization = authorizationOf(request);
    if (authorization?.scheme !== 'basic') return null;
    const pair = decodedPair(authorization.value);
    const colon = pair.indexOf(':');
    if (colon === -1 || pair.includes('\u0000')) throw refused();
    const [name, secret] = [pair.slice(0, colon), pair.slice(colon + 1)];
    const signedIn = isAccessKey(name)
      ? await byAccessKey(name, secret, request)
      : await byPassword(name, secret, request);
    if (!signedIn) throw refused();
    return signedIn;
  },
};

/** Source: RFC 7617 §2, RFC 4648 §4. @throws UnauthenticatedError for what is not base64, or is not UTF-8 inside. */
function decodedPair(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) throw refused();
  try {
    return utf8.decode(bytes);
  } catch {
    throw refused();
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const refused = () => new UnauthenticatedError('the credentials are not valid');

async function byAccessKey(
  accessKey: string,
  secret: string,
  request: SignInRequest,
): Promise<SignedIn | null> {
  const from = { address: request.address, worker: workerOf(request) };
  const signedIn = await signInByAccessKey(accessKey, secret, from);
  if (!signedIn) return null;
  const { principal, credentialId } = signedIn;
  const { scopes, credentialExpiresAt: expiresAt } = principal;
  return { ...plain, principal, method: 'ACCESS_KEY', credentialId, scopes, expiresAt };
}

/** The name that the program calls itself. */
function workerOf({ headers }: SignInRequest): string | null {
  const worker = headers['x-slipway-worker'];
  return typeof worker === 'string' && worker.trim() !== '' ? worker.trim() : null;
}

async function byPassword(
  name: string,
  password: string,
  { address }: SignInRequest,
): Promise<SignedIn | null> {
  const { principal, account } = await signInByPassword(name, password, address);
  if (!principal && account) noteFailedSignIn(account, address);
  if (!principal) return null;
  // The login page shows the guest's password, so it allows only what is open to every scope: getting a token.
  const scopes = isGuestAccount(principal.userId) ? [] : null;
  return { ...plain, principal, method: 'PASSWORD', scopes };
}

import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { newContext } from '../api/context.ts';
import { requireAllowed } from '../api/refusals.ts';
import { rules } from '../api/schema.ts';
import { InvalidArgumentError, UnauthenticatedError } from '../platform/errors.ts';
import { authenticate } from '../sign-in/authenticate.ts';
import { login } from '../sign-in/commands/login.ts';
import { logout } from '../sign-in/commands/logout.ts';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import { cookieOf, expiredCookie, requireOurPage, sessionToken } from '../sign-in/methods/session-cookie.ts';
import { answerJson } from './answer.ts';
import { readJson } from './body.ts';
import type { Exchange } from './exchange.ts';

/**
 * The session of a browser. `POST /session` signs in with any Authorization header or with `{"username": …, "password":
 * …}`, and sets the cookie, for callers who may call `login`. `DELETE /session` clears it. GraphQL's `login` sets no
 * cookie, so it gives the token only to its caller.
 */
export async function beginSession({ request, response, signIn, requests }: Exchange): Promise<void> {
  refuseForeignPages(signIn);
  const authorization = (await givenCredentials(request)) ?? signIn.headers.authorization;
  // A session does not begin with an older session, and not for the anonymous user.
  const caller = authorization ? await authenticate({ ...signIn, headers: { authorization } }) : null;
  if (!caller) throw new UnauthenticatedError();
  const { publicUrl } = signIn;
  const context = newContext({ caller, signal: requests.begin(response).signal, publicUrl });
  await requireAllowed(rules.Mutation['login'], context);
  const { token, expiresAt } = await login(caller, { expiresInMs: null, resources: null });
  const seconds = Math.floor((expiresAt.getTime() - Date.now()) / 1000);
  const cookie = cookieOf(token, seconds, publicUrl);
  answerJson(response, 200, { username: caller.username, expiresAt }, { 'set-cookie': cookie });
}

/** Ends the token in the cookie, if it is still valid. */
export async function endSession({ response, signIn }: Exchange): Promise<void> {
  refuseForeignPages(signIn);
  try {
    const { cookie, origin, 'sec-fetch-site': site } = signIn.headers;
    const headers = { cookie, origin, 'sec-fetch-site': site };
    const caller = sessionToken(signIn) === null ? null : await authenticate({ ...signIn, headers });
    if (caller) await logout(caller);
  } catch (error) {
    // A session that has already ended is no error. But if the database does not answer, the caller must know.
    if (!(error instanceof UnauthenticatedError)) throw error;
  }
  response.writeHead(204, { 'set-cookie': expiredCookie(signIn.publicUrl) }).end();
}

/**
 * A foreign page must not sign users in or out. A client that is not a browser sends neither header and has no session
 * to lose.
 */
function refuseForeignPages(signIn: SignInRequest): void {
  const isBrowser = signIn.headers.origin !== undefined || signIn.headers['sec-fetch-site'] !== undefined;
  if (isBrowser || sessionToken(signIn) !== null) requireOurPage(signIn);
}

const BODY_LIMIT_BYTES = 16_384;
const credentials = z.union([
  z.strictObject({}),
  z.strictObject({ username: z.string().max(1024), password: z.string().max(1024) }),
]);

/** The credentials in the body, as an Authorization header; null for an empty object. @throws InvalidArgumentError */
async function givenCredentials(request: IncomingMessage): Promise<string | null> {
  const given = credentials.safeParse(await readJson(request, BODY_LIMIT_BYTES));
  if (!given.success)
    throw InvalidArgumentError.of([], 'the body must be {}, or an object with username and password');
  if (!('username' in given.data)) return null;
  const { username, password } = given.data;
  if (username.includes(':')) throw new UnauthenticatedError('the credentials are not valid');
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

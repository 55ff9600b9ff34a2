import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { refusal } from '../authorization/can.ts';
import { InvalidArgumentError, UnauthenticatedError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { authenticate } from '../sign-in/authenticate.ts';
import { login } from '../sign-in/commands/login.ts';
import { logout } from '../sign-in/commands/logout.ts';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import { cookieOf, expiredCookie, requireOurPage, sessionToken } from '../sign-in/methods/session-cookie.ts';
import { answerError, answerJson } from './answer.ts';

/**
 * The session of a browser. `POST /session` signs in, with an Authorization header of any scheme or with
 * `{"username": …, "password": …}`, and sets the cookie; `DELETE /session` clears it. GraphQL's `login` sets none: what an
 * SDK calls gives its token to the caller and to nobody else.
 */
export async function answerSession(
  request: IncomingMessage,
  response: ServerResponse,
  signIn: SignInRequest,
): Promise<void> {
  if (request.method !== 'POST' && request.method !== 'DELETE')
    return answerError(response, 405, 'INVALID_ARGUMENT', 'POST or DELETE', { allow: 'POST, DELETE' });
  // Nobody is signed in or out by a foreign page. What is no browser sends neither header, and has no session to lose.
  const isBrowser = signIn.headers.origin !== undefined || signIn.headers['sec-fetch-site'] !== undefined;
  if (isBrowser || sessionToken(signIn) !== null) requireOurPage(signIn);
  if (request.method === 'DELETE') {
    await endSession(signIn);
    response.writeHead(204, { 'set-cookie': expiredCookie(signIn.publicUrl) }).end();
    return;
  }
  try {
    await openSession(request, response, signIn);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    answerError(response, 400, error.code, error.message, { connection: 'close' });
  }
}

/** Ends the token behind the cookie, where it still lives. */
async function endSession(signIn: SignInRequest): Promise<void> {
  try {
    if (sessionToken(signIn) === null) return;
    const { cookie, origin, 'sec-fetch-site': site } = signIn.headers;
    const caller = await authenticate(
      { ...signIn, headers: { cookie, origin, 'sec-fetch-site': site } },
      log,
    );
    if (caller) await logout(caller);
  } catch (error) {
    // A session that is dead already needs no end; that the database is away must be said.
    if (!(error instanceof UnauthenticatedError)) throw error;
  }
}

/** @throws DomainError */
async function openSession(
  request: IncomingMessage,
  response: ServerResponse,
  signIn: SignInRequest,
): Promise<void> {
  const authorization = (await givenCredentials(request)) ?? signIn.headers.authorization;
  // Neither the cookie nor nothing at all: a session is not begun with the one before, nor for the anonymous user.
  const caller = authorization ? await authenticate({ ...signIn, headers: { authorization } }, log) : null;
  if (!caller) throw new UnauthenticatedError();
  const refused = await refusal(caller, 'token:create');
  if (refused) throw refused;
  const { token, expiresAt } = await login(caller, { expiresInMs: null, resources: null });
  const seconds = Math.floor((expiresAt.getTime() - Date.now()) / 1000);
  const { username } = caller;
  answerJson(
    response,
    200,
    { username, expiresAt },
    { 'set-cookie': cookieOf(token, seconds, signIn.publicUrl) },
  );
}

const BODY_LIMIT_BYTES = 16_384;
const credentials = z.union([
  z.strictObject({}),
  z.strictObject({ username: z.string().max(1024), password: z.string().max(1024) }),
]);

/** The credentials in the body as an Authorization header; null for an empty object. @throws InvalidArgumentError */
async function givenCredentials(request: IncomingMessage): Promise<string | null> {
  // Forms and plain text are what a foreign page can send without asking.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw InvalidArgumentError.of([], 'the content type must be application/json');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // What is too much is read to its end and dropped: a sender reads no answer before it has sent all.
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES) throw InvalidArgumentError.of([], 'the body is too long');
  const given = credentials.safeParse(parsed(Buffer.concat(chunks).toString('utf8')));
  if (!given.success)
    throw InvalidArgumentError.of([], 'the body must be {} or have a username and a password');
  if (!('username' in given.data)) return null;
  const { username, password } = given.data;
  if (username.includes(':')) throw new UnauthenticatedError('the credentials are not valid');
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

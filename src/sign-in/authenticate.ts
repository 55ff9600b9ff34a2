import { isSharedIdentity } from '../identity/shared-identities.ts';
import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { impersonated } from './impersonation.ts';
import type { SignedIn, SignInRequest } from './methods/method.ts';
import { methods } from './methods/methods.ts';
import { NegotiateError } from './methods/negotiate.ts';

/** What a 401 offers: one challenge for each scheme, with the answer to a negotiation under way in its place. */
export function challengesAfter(error?: unknown): string[] {
  const offered = methods.flatMap(({ challenge }) => challenge ?? []);
  if (!(error instanceof NegotiateError)) return offered;
  return offered.map((challenge) => (challenge === 'Negotiate' ? error.challenge : challenge));
}

/** Reads and checks what signing in is configured with, before the server listens. @throws ConfigurationError */
export async function prepareSignIn(): Promise<void> {
  await Promise.all(methods.map((method) => method.prepare?.()));
}

/**
 * Who sends a request. Nothing to sign in with is a stranger; something that does not convince is a refusal of the whole
 * request, never a stranger.
 *
 * @throws UnauthenticatedError, the same words for an unknown user and a wrong password. PermissionDeniedError or
 * InvalidArgumentError for somebody who may not act as the user that a header names.
 */
export async function authenticate(request: SignInRequest, log: Log): Promise<Caller | null> {
  for (const method of methods) {
    const signedIn = await method.signIn(request);
    if (signedIn) return await impersonated(callerOf(signedIn, request, log), request.headers);
  }
  if (request.headers.authorization !== undefined)
    throw new UnauthenticatedError('the credentials are not valid');
  return await impersonated(null, request.headers);
}

function callerOf(signedIn: SignedIn, { address }: SignInRequest, log: Log): Caller {
  const { principal, ...how } = signedIn;
  return {
    tenantId: principal.tenantId,
    userId: principal.userId,
    username: principal.username,
    role: principal.role,
    version: principal.version,
    defaultLevel: principal.defaultLevel,
    defaultFrom: principal.defaultFrom,
    creationPolicy: principal.creationPolicy,
    ...how,
    isShared: isSharedIdentity(principal.userId),
    address,
    log: log.child({ userId: principal.userId, ...(how.real ? { realUserId: how.real.userId } : {}) }),
  };
}

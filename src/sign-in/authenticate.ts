import { isSharedIdentity } from '../identity/shared-identities.ts';
import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { impersonated } from './impersonation.ts';
import type { SignedIn, SignInRequest } from './methods/method.ts';
import { methods } from './methods/methods.ts';
import { NegotiateError } from './methods/negotiate.ts';
import { BoundTokenError } from './proofs/bound-token-error.ts';

/**
 * The challenges of a 401 answer, one for each scheme. If a negotiation is in progress, its answer takes the place of
 * its challenge. If a token was refused because of the key that it is bound to, the challenge of its scheme says so.
 */
export function challengesAfter(error?: unknown): string[] {
  const offered = methods.flatMap(({ challenge }) => challenge ?? []);
  if (error instanceof BoundTokenError) return offered.map((challenge) => error.completed(challenge));
  if (!(error instanceof NegotiateError)) return offered;
  return offered.map((challenge) => (challenge === 'Negotiate' ? error.challenge : challenge));
}

/** Reads and checks the configuration of all ways to sign in, before the server listens. @throws ConfigurationError */
export async function prepareSignIn(): Promise<void> {
  await Promise.all(methods.map((method) => method.prepare?.()));
}

/**
 * The caller of a request. A request without credentials has no caller (null). Wrong credentials refuse the whole
 * request.
 *
 * @throws UnauthenticatedError, with the same message for an unknown user and a wrong password; PermissionDeniedError
 * or InvalidArgumentError if the caller may not act as the user in a header.
 */
export async function authenticate(request: SignInRequest): Promise<Caller | null> {
  for (const method of methods) {
    const signedIn = await method.signIn(request);
    if (signedIn) return await impersonated(callerOf(signedIn, request), request.headers);
  }
  if (request.headers.authorization !== undefined)
    throw new UnauthenticatedError('the credentials are not valid');
  return await impersonated(null, request.headers);
}

function callerOf(signedIn: SignedIn, { address }: SignInRequest): Caller {
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
  };
}

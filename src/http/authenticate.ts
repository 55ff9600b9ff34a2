import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { impersonated } from './impersonation.ts';
import { basic } from './sign-in/basic.ts';
import { ownBearer } from './sign-in/bearer.ts';
import type { SignedIn, SignInMethodHandler, SignInRequest } from './sign-in/method.ts';

/** The ways to sign in, in the order that they are asked. */
const methods: readonly SignInMethodHandler[] = [ownBearer, basic];

/** What a 401 offers. */
export const challenges: readonly string[] = methods.flatMap(({ challenge }) => challenge ?? []);

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
  if (request.headers.authorization) throw new UnauthenticatedError('the credentials are not valid');
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
    address,
    log: log.child({ userId: principal.userId, ...(how.real ? { realUserId: how.real.userId } : {}) }),
  };
}

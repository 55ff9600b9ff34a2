import { limitedAttempt } from '../attempts.ts';
import { authorizationOf, type SignInMethodHandler, type SignInRequest } from './method.ts';

/** A way to sign in by `Authorization: Basic`, whose failures are counted by account and by address. */
export function limited(method: SignInMethodHandler): SignInMethodHandler {
  return {
    ...method,
    async signIn(request) {
      const account = accountOf(request);
      if (account === null) return await method.signIn(request);
      return await limitedAttempt({ account, address: request.address }, () => method.signIn(request));
    },
  };
}

function accountOf(request: SignInRequest): string | null {
  const authorization = authorizationOf(request);
  if (authorization?.scheme !== 'basic') return null;
  const [name = ''] = Buffer.from(authorization.value, 'base64').toString('utf8').split(':', 1);
  return name;
}

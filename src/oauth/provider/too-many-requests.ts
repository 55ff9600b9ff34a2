import { errors, Provider } from 'oidc-provider';

/** The error for a client that asks for too much: HTTP status 429, and when to try again. */
export function tooManyRequests(message: string, retryAfterSeconds: number): Error {
  Provider.ctx?.set('Retry-After', String(retryAfterSeconds));
  return Object.assign(new errors.TemporarilyUnavailable(message), { status: 429, statusCode: 429 });
}

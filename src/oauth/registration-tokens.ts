import { randomBytes } from 'node:crypto';

/** With this token, a client manages its registration. Source: RFC 7592. */
export const newRegistrationToken = (): string => randomBytes(32).toString('base64url');

/** Where it does so. */
export const registrationUriOf = (issuer: string, clientId: string): string =>
  `${issuer}/oauth2/register/${encodeURIComponent(clientId)}`;

import { isAllowedOrigin } from '../../sign-in/origins.ts';
import { slipwayOf } from './client-model.ts';

/** Whether pages of an origin may read the answers to a client: our own, and those that the server or the client lists. */
export const mayRead = (origin: string, client: unknown, issuer: string): boolean =>
  isAllowedOrigin(origin, issuer) || slipwayOf(client).settings.allowedCorsOrigins.includes(origin);

import { serverConfig } from '../../platform/config/server.ts';
import { slipwayOf } from './client-model.ts';

/** Whether pages of an origin may read the answers to a client: those that the server or the client lists. */
export const mayRead = (origin: string, client: unknown): boolean =>
  serverConfig.corsOrigins.includes(origin) || slipwayOf(client).settings.allowedCorsOrigins.includes(origin);

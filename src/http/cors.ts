import type { IncomingMessage, ServerResponse } from 'node:http';
import { serverConfig } from '../platform/config/server.ts';
import { impersonationHeaders } from '../sign-in/impersonation.ts';

const allowedHeaders = [
  'authorization',
  'content-type',
  'dpop',
  'x-slipway-worker',
  ...impersonationHeaders,
].join(', ');

const exposedHeaders = [
  'dpop-nonce',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'www-authenticate',
].join(', ');

/**
 * Lets pages of the listed origins read our answers, including refusals, also for requests with the session cookie.
 * Pages of other origins cannot read anything. It also answers the preflight requests of browsers.
 *
 * @returns whether the request was a preflight request and is answered.
 */
export function answerOrigin(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  const asksFirst = request.method === 'OPTIONS';
  response.setHeader('vary', 'origin');
  if (origin && serverConfig.corsOrigins.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-expose-headers', exposedHeaders);
    if (asksFirst) {
      response.setHeader('access-control-allow-methods', 'GET, POST, PUT, DELETE');
      response.setHeader('access-control-allow-headers', allowedHeaders);
      response.setHeader('access-control-max-age', '600');
    }
  }
  if (asksFirst) response.writeHead(204).end();
  return asksFirst;
}

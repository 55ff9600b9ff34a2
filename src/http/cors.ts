import type { IncomingMessage, ServerResponse } from 'node:http';
import { serverConfig } from '../platform/config/server.ts';
import { impersonationHeaders } from '../sign-in/impersonation.ts';

const allowedHeaders = ['authorization', 'content-type', 'x-slipway-worker', ...impersonationHeaders].join(
  ', ',
);

const exposedHeaders = [
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'www-authenticate',
].join(', ');

/**
 * Lets pages of the listed origins read what we answer, refusals included, also to requests that carry the session
 * cookie; pages of other origins read nothing. Also answers the question that browsers ask first.
 *
 * @returns whether the request is answered with that.
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

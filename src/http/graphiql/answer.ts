import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { serverConfig } from '../../platform/config/server.ts';
import { contentSecurityPolicy, renderPage } from './page.ts';

/** A person's browser asks for the page; everything else asks GraphQL. */
export function wantsGraphiQL(request: IncomingMessage): boolean {
  return (
    serverConfig.graphiql && request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
  );
}

interface Page {
  readonly plain: Buffer;
  readonly compressed: Buffer;
  readonly policy: string;
}
let page: Page | null = null;

/** The page is large (9 MB, everything inlined, no network): rendered and compressed once. */
function thePage(): Page {
  if (page) return page;
  const html = renderPage();
  page = { plain: Buffer.from(html), compressed: gzipSync(html), policy: contentSecurityPolicy(html) };
  return page;
}

export function answerGraphiQL(request: IncomingMessage, response: ServerResponse): void {
  const { plain, compressed, policy } = thePage();
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept-encoding, origin',
  });
  response.end(zipped ? compressed : plain);
}

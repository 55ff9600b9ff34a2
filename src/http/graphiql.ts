import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { config } from '../platform/config.ts';

/** A person's browser asks for the page; everything else asks GraphQL. */
export function wantsGraphiQL(request: IncomingMessage): boolean {
  return config.graphiql && request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
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
  const html = renderGraphiQL({
    title: 'Slipway',
    shouldPersistHeaders: false,
  });
  const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '');
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  page = {
    plain: Buffer.from(html),
    compressed: gzipSync(html),
    policy: `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; img-src data:; font-src data:; worker-src blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'`,
  };
  return page;
}

export function answerGraphiQL(request: IncomingMessage, response: ServerResponse): void {
  const { plain, compressed, policy } = thePage();
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept-encoding',
  });
  response.end(zipped ? compressed : plain);
}

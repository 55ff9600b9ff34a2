import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { serverConfig } from '../../platform/config/server.ts';
import { refusal } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { contentSecurityPolicy, renderPage } from './page.ts';

interface Page {
  readonly compressed: Buffer;
  readonly policy: string;
}
let rendered: { readonly publicUrl: string; readonly page: Promise<Page> } | null = null;

/**
 * The page is large (9 MB, with everything in it and no network), so it is rendered and compressed only once, for the
 * first browser that asks, and kept only in its compressed form.
 */
function thePage(publicUrl: string): Promise<Page> {
  if (rendered?.publicUrl === publicUrl) return rendered.page;
  const page = render(publicUrl);
  const ours = { publicUrl, page };
  rendered = ours;
  // After a failure, the next browser tries again.
  page.catch(() => {
    if (rendered === ours) rendered = null;
  });
  return page;
}

async function render(publicUrl: string): Promise<Page> {
  const html = renderPage(publicUrl);
  return { compressed: await compress(html), policy: contentSecurityPolicy(html) };
}
const compress = promisify(gzip);

/** The page, for browsers. Programs send GraphQL operations with POST. */
export async function answerGraphiQL({ request, response, signIn }: Exchange): Promise<void> {
  if (!serverConfig.graphiql || !(request.headers.accept ?? '').includes('text/html'))
    throw refusal('INVALID_ARGUMENT', 'send GraphQL operations with POST', {
      status: 405,
      headers: { allow: 'POST' },
    });
  const { compressed, policy } = await thePage(signIn.publicUrl);
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
  if (zipped || request.method === 'HEAD') response.end(compressed);
  else await pipeline(Readable.from([compressed]), createGunzip(), response);
}

import { gzipSync } from 'node:zlib';
import { serverConfig } from '../../platform/config/server.ts';
import { refusal } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { contentSecurityPolicy, renderPage } from './page.ts';

interface Page {
  readonly plain: Buffer;
  readonly compressed: Buffer;
  readonly policy: string;
}
let page: (Page & { readonly publicUrl: string }) | null = null;

/** The page is large (9 MB, with everything in it and no network), so it is rendered and compressed only once. */
function thePage(publicUrl: string): Page {
  if (page?.publicUrl === publicUrl) return page;
  const html = renderPage(publicUrl);
  page = {
    publicUrl,
    plain: Buffer.from(html),
    compressed: gzipSync(html),
    policy: contentSecurityPolicy(html),
  };
  return page;
}

/** The page, for browsers. Programs send GraphQL operations with POST. */
export async function answerGraphiQL({ request, response, signIn }: Exchange): Promise<void> {
  if (!serverConfig.graphiql || !(request.headers.accept ?? '').includes('text/html'))
    throw refusal('INVALID_ARGUMENT', 'send GraphQL operations with POST', {
      status: 405,
      headers: { allow: 'POST' },
    });
  const { plain, compressed, policy } = thePage(signIn.publicUrl);
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

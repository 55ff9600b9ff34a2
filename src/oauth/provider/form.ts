import type { KoaContextWithOIDC } from 'oidc-provider';

/**
 * Lets the engine read a form as if the browser had sent it. The engine would answer with a page that sends the form by
 * itself, for which a browser needs JavaScript.
 */
export function readAsForm(ctx: KoaContextWithOIDC, form: Readonly<Record<string, string>>): void {
  const body = Buffer.from(new URLSearchParams(form).toString());
  ctx.method = 'POST';
  const { headers } = ctx.req;
  headers['content-type'] = 'application/x-www-form-urlencoded';
  headers['content-length'] = String(body.length);
  Object.assign(ctx.req, { iterator: () => [body] });
}

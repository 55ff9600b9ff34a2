import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

/** Moves on when the pages of all clients are loaded. Without JavaScript, the browser moves on after some seconds. */
const SCRIPT = `addEventListener('load',()=>location.replace(document.querySelector('a').href))`;
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');
const SECONDS = 7;

/**
 * A page that loads the logout pages of clients and then leads on. Source: OpenID Connect Front-Channel Logout §2.
 *
 * @param frames  the pages of the clients.
 * @param target  where the browser goes afterwards.
 */
export function frontchannelPage(frames: readonly string[], target: string) {
  const origins = [...new Set(frames.map((frame) => new URL(frame).origin))];
  const iframes = frames.map((frame) => html`<iframe src="${frame}" title="" hidden></iframe>`);
  return {
    policy: `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; frame-src ${origins.join(' ')}; script-src 'sha256-${SCRIPT_HASH}'`,
    html: html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signing out</title>
<meta http-equiv="refresh" content="${SECONDS};url=${target}"><script>${new Html(SCRIPT)}</script></head>
<body><p>You are being signed out.</p><p><a href="${target}">Continue</a></p>${iframes}</body></html>`.text,
  };
}

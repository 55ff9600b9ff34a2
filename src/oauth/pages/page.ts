import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { style } from './style.ts';
import type { PageTexts } from './texts/english.ts';

/** A slipway: a hull on rails. */
const icon = new Html(
  '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#14365c"/><path d="M6 13h20l-4 7H10zM4 24l24-3v3L4 27z" fill="#fff"/></svg>',
);

export interface PageContent {
  readonly texts: PageTexts;
  /** The name of the page, for its tab and for screen readers. */
  readonly title: string;
  readonly body: Html;
  /** Where the browser goes on by itself. */
  readonly goesTo?: string;
}

/** A whole page. It works without scripts, and fetches nothing. */
export function renderPage({ texts, title, body, goesTo }: PageContent): string {
  return html`<!doctype html>
<html lang="${texts.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${goesTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${goesTo}">`}
<title>${title} · Slipway</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon.text)}">
<style>${new Html(style)}</style>
</head>
<body>
<header class="brand">${icon}<span>Slipway</span></header>
<main>${body}</main>
</body>
</html>
`.text;
}

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * No scripts, no requests, no frames; forms only to this server. The page is not cached, because it belongs to one
 * challenge. Browsers send `Origin: null` with a form if a page sends no referrer at all, so it is sent to our own pages.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

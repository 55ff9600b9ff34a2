import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as GraphiQL from '@graphql-yoga/render-graphiql/graphiql';
import { GRAPHIQL } from '../../oauth/domain/own-clients.ts';
import { startInBrowser } from './browser.ts';
import { style } from './style.ts';

/** What the browser must know about the server. */
export interface PageSettings {
  /** Its URL for its callers. */
  readonly publicUrl: string;
  /** The client of OAuth 2 that the page is. */
  readonly clientId: string;
  readonly firstQuery: string;
  /** An SVG. */
  readonly logo: string;
  /** The code of the editor's workers, by the label under which the editor asks for them. */
  readonly workers: Readonly<Record<string, string>>;
}

const firstQuery = `# Press Ctrl-Enter to run. The book on the left shows the schema.
query Projects {
  viewer { username role }
  projects(first: 10) {
    edges { node { identifier name state } }
  }
}
`;

/** A slipway: a hull on rails. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#14365c"/><path d="M6 13h20l-4 7H10zM4 24l24-3v3L4 27z" fill="#fff"/></svg>`;

/**
 * GraphiQL as its package has it. Its texts take 30 MB, so they are loaded for one page, and this process does not keep
 * them. For that they must come from a CommonJS module: modules of the other kind stay for ever.
 */
function loadGraphiQL(): typeof GraphiQL {
  const require = createRequire(import.meta.url);
  const file = require.resolve('@graphql-yoga/render-graphiql/graphiql');
  try {
    return require(file);
  } finally {
    delete require.cache[file];
  }
}

/** GraphiQL, which asks its user to sign in, in one file with all scripts, workers, fonts and icons. */
export function renderPage(publicUrl: string): string {
  const { css, editorWorkerService, graphqlWorker, js, jsonWorker } = loadGraphiQL();
  const settings: PageSettings = {
    publicUrl,
    clientId: GRAPHIQL,
    firstQuery,
    logo: icon,
    workers: { editorWorkerService, json: jsonWorker, graphql: graphqlWorker },
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slipway · GraphiQL</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${css}</style>
<style>${style}</style>
</head>
<body>
<header class="slipway-bar" hidden>
  <h1>Slipway</h1>
  <span id="who" role="status"></span>
  <button type="button" id="sign-out">Sign out</button>
</header>
<main id="root"></main>
<dialog id="sign-in" aria-labelledby="sign-in-title">
  <h1 id="sign-in-title">Sign in to Slipway</h1>
  <p>GraphiQL sends queries as the user who is signed in.</p>
  <p id="sign-in-notice" role="alert"></p>
  <button type="button" id="sign-in-button" aria-describedby="sign-in-notice">Sign in</button>
</dialog>
<noscript>GraphiQL needs JavaScript.</noscript>
<script>${inScript(scriptOf(startInBrowser, settings))}</script>
<script>${inScript(js)}</script>
</body>
</html>
`;
}

/** A function that the browser runs from its source text. It must not use anything outside of itself. */
function scriptOf(start: (settings: PageSettings) => void, settings: PageSettings): string {
  // Development loaders put calls of __name(…) into the code, which browsers do not have.
  return `{const __name=(named)=>named;(${start})(${JSON.stringify(settings)});}`;
}

/**
 * A script must not contain the text of its end tag. In code, `\\/` means the same as `/` wherever this text can occur.
 */
const inScript = (code: string) => code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

/**
 * Only the scripts of this page can run, and the page can call only our own server. The editor creates styles while it
 * runs.
 */
export function contentSecurityPolicy(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '');
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

import { createHash } from 'node:crypto';
import {
  css,
  editorWorkerService,
  graphqlWorker,
  js,
  jsonWorker,
} from '@graphql-yoga/render-graphiql/graphiql';
import { startInBrowser } from './browser.ts';
import { style } from './style.ts';

/** What the browser is told of the server. */
export interface PageSettings {
  readonly endpoint: string;
  readonly firstQuery: string;
  /** An SVG. */
  readonly logo: string;
  /** Code of the editor's workers, by the label under which it asks for them. */
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

/** A slipway: hull over rails. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#14365c"/><path d="M6 13h20l-4 7H10zM4 24l24-3v3L4 27z" fill="#fff"/></svg>`;

/** GraphiQL behind a sign-in, in one file: scripts, workers, fonts and icons are all inside. */
export function renderPage(): string {
  const settings: PageSettings = {
    endpoint: '/graphql',
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
  <span>Slipway</span>
  <span id="who" role="status"></span>
  <button type="button" id="sign-out">Sign out</button>
</header>
<main id="root"></main>
<dialog id="sign-in" aria-labelledby="sign-in-title">
  <form method="dialog">
    <h1 id="sign-in-title">Sign in to Slipway</h1>
    <p>With your user name and password, or with an access key and its secret.</p>
    <label for="name">User name or access key</label>
    <input id="name" name="name" aria-describedby="sign-in-problem" autocomplete="username" autocapitalize="none" spellcheck="false" required>
    <label for="secret">Password or secret</label>
    <input id="secret" name="secret" aria-describedby="sign-in-problem" type="password" autocomplete="current-password" required>
    <p id="sign-in-problem" role="alert"></p>
    <button type="submit">Sign in</button>
  </form>
</dialog>
<noscript>GraphiQL needs JavaScript.</noscript>
<script>${inScript(scriptOf(startInBrowser, settings))}</script>
<script>${inScript(js)}</script>
</body>
</html>
`;
}

/** A function that the browser runs, from its own source: it may use nothing from around it. */
function scriptOf(start: (settings: PageSettings) => void, settings: PageSettings): string {
  // Development loaders wrap what they compile in __name(…), which the browser does not have.
  return `{const __name=(named)=>named;(${start})(${JSON.stringify(settings)});}`;
}

/** Nothing in a script may look like its end. In code, `\\/` means `/` wherever this text can stand. */
const inScript = (code: string) => code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

/** Only the page's own scripts run, and only our own server is spoken to. The editor writes styles as it goes. */
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

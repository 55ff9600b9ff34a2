import type { PageSettings } from './page.ts';

/**
 * Runs in the browser, which gets it as source text, so it must not use anything outside of this function. It signs the
 * user in with the code flow of OAuth 2, as any other client does, and then starts GraphiQL, which sends the access
 * token with each request. The tokens are only in the memory of this page. A page that is loaded again gets new ones
 * from the session of the browser.
 */
export function startInBrowser({ publicUrl, clientId, firstQuery, logo, workers }: PageSettings): void {
  interface Viewer {
    readonly username: string;
    readonly role: string;
  }
  interface Tokens {
    readonly access_token: string;
    readonly refresh_token: string;
    readonly id_token: string;
  }
  interface Begun {
    readonly state: string;
    readonly verifier: string;
  }
  const page = window as unknown as {
    MonacoEnvironment: object;
    YogaGraphiQL: { renderYogaGraphiQL(root: Element, options: object): void };
  };
  const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
  const dialog = element<HTMLDialogElement>('sign-in');
  const button = element<HTMLButtonElement>('sign-in-button');
  const notice = element('sign-in-notice');
  const who = element('who');

  const endpoint = `${publicUrl}/graphql`;
  /** The sign-in that this tab has begun. */
  const BEGUN = 'slipway:sign-in';
  /** Tells a page that is loaded again that its user was signed in. */
  const WAS_SIGNED_IN = 'slipway:was-signed-in';
  const SIGN_IN_AT_ONCE = '#sign-in';
  const SIGNED_OUT = 'signed-out';
  const NO_ANSWER = 'The server does not answer. Try again.';
  const theFetch = window.fetch.bind(window);
  const isLoaded = new Promise((resolve) => {
    document.addEventListener('DOMContentLoaded', resolve, { once: true });
  });
  let isStarted = false;
  let tokens: Tokens | null = null;
  let renewal: Promise<boolean> | null = null;

  const base64Url = (bytes: Uint8Array) =>
    btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  const randomText = () => base64Url(crypto.getRandomValues(new Uint8Array(32)));

  function askToSignIn(why: string): void {
    tokens = null;
    sessionStorage.removeItem(WAS_SIGNED_IN);
    who.textContent = '';
    notice.textContent = why;
    button.disabled = false;
    if (!dialog.open) dialog.showModal();
    button.focus();
  }

  /** Leaves this page for the login page. */
  async function beginSignIn(): Promise<void> {
    // The answer comes to the public address of the page, and finds only there what this tab has stored.
    if (location.origin + location.pathname !== endpoint)
      return location.assign(`${endpoint}${SIGN_IN_AT_ONCE}`);
    if (!window.isSecureContext)
      return askToSignIn('Signing in needs https, or a server on this computer. See PUBLIC_URL.');
    const begun: Begun = { state: randomText(), verifier: randomText() };
    sessionStorage.setItem(BEGUN, JSON.stringify(begun));
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(begun.verifier));
    const request = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: endpoint,
      scope: 'openid offline all',
      state: begun.state,
      code_challenge: base64Url(new Uint8Array(digest)),
      code_challenge_method: 'S256',
    });
    location.assign(`${publicUrl}/oauth2/auth?${request}`);
  }

  const post = (path: string, form: Readonly<Record<string, string>>) =>
    theFetch(`${publicUrl}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, ...form }),
      credentials: 'omit',
    });

  /** @returns false if the server refuses the grant. */
  async function getTokens(grant: Readonly<Record<string, string>>): Promise<boolean> {
    const response = await post('/oauth2/token', grant);
    if (response.status >= 500 || response.status === 429) throw new Error(NO_ANSWER);
    tokens = response.ok ? { ...tokens, ...((await response.json()) as Tokens) } : null;
    return response.ok;
  }

  /** Continues after the login page. The address of the page does not keep the code. */
  async function endSignIn(answer: URLSearchParams): Promise<void> {
    const stored = sessionStorage.getItem(BEGUN);
    sessionStorage.removeItem(BEGUN);
    if (answer.get('state') === SIGNED_OUT) return askToSignIn('You are signed out.');
    const begun = stored === null ? null : (JSON.parse(stored) as Begun);
    if (answer.get('state') !== begun?.state || answer.get('iss') !== publicUrl)
      return askToSignIn('This tab has not begun this sign-in. Sign in again.');
    const code = answer.get('code');
    if (code === null) {
      const reason = answer.get('error_description') ?? answer.get('error');
      return askToSignIn(`You are not signed in, because ${reason}.`);
    }
    const proof = { code, redirect_uri: endpoint, code_verifier: begun.verifier };
    if (!(await getTokens({ grant_type: 'authorization_code', ...proof })))
      return askToSignIn('The sign-in took too long. Sign in again.');
    await enter();
  }

  /** Shows GraphiQL to the user of the token. */
  async function enter(): Promise<void> {
    const response = await askServer(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { username role } }' }),
    });
    const { data, errors } = (await response.json()) as {
      readonly data?: { readonly viewer?: Viewer };
      readonly errors?: readonly { readonly message: string }[];
    };
    if (!data?.viewer) return askToSignIn(`The server says: ${errors?.[0]?.message ?? 'nothing'}.`);
    const { username, role } = data.viewer;
    sessionStorage.setItem(WAS_SIGNED_IN, 'yes');
    who.textContent = `Signed in as ${username} (${role.toLowerCase()})`;
    document.querySelector('header')?.removeAttribute('hidden');
    await isLoaded;
    startGraphiQL();
  }

  /** Several requests may need a new token at the same time, and a refresh token can be used once. */
  async function renew(): Promise<boolean> {
    if (!tokens) return false;
    renewal ??= getTokens({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }).finally(
      () => {
        renewal = null;
      },
    );
    return await renewal;
  }

  /** Without the credentials of the browser, because otherwise the browser would ask for a password itself. */
  function askServer(target: RequestInfo | URL, options: RequestInit): Promise<Response> {
    const headers = new Headers(options.headers);
    headers.set('authorization', `Bearer ${tokens?.access_token}`);
    return theFetch(target, { ...options, headers, credentials: 'omit' });
  }

  /**
   * GraphiQL calls this. It adds the token, unless the user has entered an Authorization header. If the token has
   * ended, it gets a new one, or asks the user to sign in.
   */
  async function fetchSignedIn(target: RequestInfo | URL, options: RequestInit = {}): Promise<Response> {
    if (new Headers(options.headers).has('authorization'))
      return await theFetch(target, { ...options, credentials: 'omit' });
    const sent = tokens;
    const response = await askServer(target, options);
    if (response.status !== 401) return response;
    if (tokens !== sent || (await renew())) return await askServer(target, options);
    askToSignIn('Your sign-in has ended. Sign in again.');
    return response;
  }

  /** Ends the tokens, and then the session of the browser. */
  async function signOut(): Promise<void> {
    sessionStorage.removeItem(WAS_SIGNED_IN);
    const { refresh_token: token = '', id_token: hint = '' } = tokens ?? {};
    tokens = null;
    await post('/oauth2/revoke', { token });
    const request = new URLSearchParams({
      id_token_hint: hint,
      post_logout_redirect_uri: endpoint,
      state: SIGNED_OUT,
    });
    location.assign(`${publicUrl}/oauth2/sessions/logout?${request}`);
  }

  function startGraphiQL(): void {
    if (isStarted) return;
    isStarted = true;
    window.fetch = fetchSignedIn;
    page.YogaGraphiQL.renderYogaGraphiQL(element('root'), {
      endpoint,
      title: 'Slipway',
      logo,
      defaultQuery: firstQuery,
      shouldPersistHeaders: false,
      // Subscriptions are sent with POST too, and answered with Server-Sent Events.
      method: 'POST',
      // Queries may contain secrets, so they must not be in the URL.
      onEditQuery: () => {},
    });
  }

  const urls = new Map<string, string>();
  page.MonacoEnvironment = {
    globalAPI: false,
    getWorkerUrl(_module: string, label: string) {
      const known = urls.get(label);
      if (known) return known;
      const url = URL.createObjectURL(new Blob([workers[label] ?? ''], { type: 'application/javascript' }));
      urls.set(label, url);
      return url;
    },
  };
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    button.disabled = true;
    beginSignIn().catch(() => askToSignIn(NO_ANSWER));
  });
  element('sign-out').addEventListener('click', () => {
    signOut().catch(() => askToSignIn('The server does not answer. You may still be signed in there.'));
  });

  const answer = new URLSearchParams(location.search);
  const isToSignIn = location.hash === SIGN_IN_AT_ONCE || sessionStorage.getItem(WAS_SIGNED_IN) !== null;
  // Not the code, and not the request to sign in: neither may work again when the page is loaded again.
  history.replaceState(null, '', location.pathname);
  if (answer.has('state')) endSignIn(answer).catch(() => askToSignIn(NO_ANSWER));
  else if (isToSignIn) beginSignIn().catch(() => askToSignIn(NO_ANSWER));
  else askToSignIn('');
}

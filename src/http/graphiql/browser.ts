import type { PageSettings } from './page.ts';

/**
 * Runs in the browser, which gets it as source text, so it must not use anything outside of this function. It signs in
 * and then starts GraphiQL, which sends the token with each request. The token is stored only for this tab and never in
 * a URL.
 */
export function startInBrowser({ endpoint, firstQuery, logo, workers }: PageSettings): void {
  interface Viewer {
    readonly username: string;
    readonly role: string;
  }
  interface Problem {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }
  interface Answer {
    readonly data?: { viewer?: Viewer; login?: { token?: string } };
    readonly errors?: readonly Problem[];
  }
  const page = window as unknown as {
    MonacoEnvironment: object;
    YogaGraphiQL: { renderYogaGraphiQL(root: Element, options: object): void };
  };
  const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
  const dialog = element<HTMLDialogElement>('sign-in');
  const form = dialog.querySelector('form') as HTMLFormElement;
  const name = element<HTMLInputElement>('name');
  const secret = element<HTMLInputElement>('secret');
  const problem = element('sign-in-problem');
  const who = element('who');

  const TOKEN = 'slipway:token';
  const NO_ANSWER = 'The server does not answer. Try again.';
  const theFetch = window.fetch.bind(window);
  const isLoaded = new Promise((resolve) => {
    document.addEventListener('DOMContentLoaded', resolve, { once: true });
  });
  let isStarted = false;

  /**
   * GraphiQL calls this. It adds the token, unless the user has entered an Authorization header. If the token has
   * ended, it asks the user to sign in.
   */
  async function fetchSignedIn(target: RequestInfo | URL, options: RequestInit = {}): Promise<Response> {
    const headers = new Headers(options.headers);
    const isOurs = !headers.has('authorization');
    if (isOurs) headers.set('authorization', `Bearer ${sessionStorage.getItem(TOKEN)}`);
    // Without the credentials of the browser, because otherwise the browser would ask for a password itself.
    const response = await theFetch(target, { ...options, headers, credentials: 'omit' });
    if (isOurs && response.status === 401) askToSignIn('You were signed out. Sign in again.');
    return response;
  }

  function reason(errors: readonly Problem[] = []): string {
    const [first] = errors;
    if (first?.extensions?.code === 'UNAUTHENTICATED') return 'The user name or the password is wrong.';
    return first ? `The server says: ${first.message}.` : 'The server gave no answer.';
  }

  async function ask(query: string, authorization: string): Promise<Answer> {
    const response = await theFetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query }),
      credentials: 'omit',
    });
    return (await response.json()) as Answer;
  }

  function askToSignIn(why: string): void {
    sessionStorage.removeItem(TOKEN);
    who.textContent = '';
    problem.textContent = why;
    secret.value = '';
    if (!dialog.open) dialog.showModal();
    (name.value ? secret : name).focus();
  }

  /** Shows GraphiQL to the user of the token, or the sign-in page again. */
  async function enter(token: string): Promise<void> {
    const { data, errors } = await ask('{ viewer { username role } }', `Bearer ${token}`);
    if (!data?.viewer) return askToSignIn(reason(errors));
    const { username, role } = data.viewer;
    sessionStorage.setItem(TOKEN, token);
    who.textContent = `Signed in as ${username} (${role.toLowerCase()})`;
    document.querySelector('header')?.removeAttribute('hidden');
    dialog.close();
    await isLoaded;
    startGraphiQL();
  }

  async function signIn(): Promise<void> {
    const bytes = new TextEncoder().encode(`${name.value}:${secret.value}`);
    const basic = `Basic ${btoa(String.fromCharCode(...bytes))}`;
    const answer = await ask('mutation { login { ... on LoginPayload { token } } }', basic);
    const token = answer.data?.login?.token;
    if (token) await enter(token);
    else askToSignIn(reason(answer.errors));
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
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button') as HTMLButtonElement;
    button.disabled = true;
    problem.textContent = '';
    try {
      await signIn();
    } catch {
      askToSignIn(NO_ANSWER);
    }
    button.disabled = false;
  });
  element('sign-out').addEventListener('click', () => {
    sessionStorage.removeItem(TOKEN);
    location.reload();
  });

  const token = sessionStorage.getItem(TOKEN);
  if (token) enter(token).catch(() => askToSignIn(NO_ANSWER));
  else askToSignIn('');
}

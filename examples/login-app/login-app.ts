/**
 * An own login and consent app for Slipway, in one file and without a framework. Slipway speaks OAuth 2 with the clients
 * and sends browsers here with a challenge; this app says who the person is and what she allows.
 */
import { createServer, type IncomingMessage } from 'node:http';

const { SLIPWAY_URL = 'http://127.0.0.1:4000', SLIPWAY_ACCESS_KEY, SLIPWAY_SECRET_KEY } = process.env;
const authorization = `Basic ${Buffer.from(`${SLIPWAY_ACCESS_KEY}:${SLIPWAY_SECRET_KEY}`).toString('base64')}`;

/** Whoever you trust: a directory, another provider, a hardware key. Here: names and passwords of the environment. */
const people = new Map(Object.entries(JSON.parse(process.env['PEOPLE'] ?? '{}') as Record<string, string>));

interface Question {
  readonly skip: boolean;
  readonly subject: string | null;
  readonly requestedScopes: string[];
  readonly requestedAudience: string[];
  readonly client: { readonly clientName: string; readonly clientId: string };
}

async function ask<T>(query: string, variables: object): Promise<T> {
  const headers = { 'content-type': 'application/json', authorization };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${SLIPWAY_URL}/graphql`, { method: 'POST', headers, body });
  const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
  if (errors) throw new Error(errors[0]?.message);
  return data;
}

/** What Slipway wants to know: who the person is, or what she allows. */
async function questionOf(kind: Kind, challenge: string): Promise<Question> {
  const fields = 'skip subject requestedScopes requestedAudience client { clientName clientId }';
  const query = `query ($challenge: String!) { question: ${kind}Request(challenge: $challenge) { ${fields} } }`;
  return (await ask<{ question: Question }>(query, { challenge })).question;
}

/** Answers it. @returns where the browser goes on. */
async function answer(mutation: `${'accept' | 'reject'}${'Login' | 'Consent'}Request`, input: object) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { answer: ${mutation}(input: $input) {
    ... on ${type.replace(/Input$/, 'Payload')} { redirectTo } ... on ChallengeUsedError { redirectTo } ... on Error { message } } }`;
  const { answer: given } = await ask<{ answer: { redirectTo?: string; message?: string } }>(query, {
    input,
  });
  if (given.redirectTo === undefined) throw new Error(given.message);
  return given.redirectTo;
}

const nameOf = ({ client }: Pick<Question, 'client'>) => client.clientName || client.clientId;

type Kind = 'login' | 'consent';
type Fields = URLSearchParams;

async function login(fields: Fields, isForm: boolean): Promise<string | { page: string }> {
  const challenge = fields.get('login_challenge') ?? '';
  const question = await questionOf('login', challenge);
  // The browser has a session: nothing to ask.
  if (question.skip) return await answer('acceptLoginRequest', { challenge, subject: question.subject });
  const [name = '', password] = [fields.get('name') ?? '', fields.get('password')];
  if (isForm && password !== null && people.get(name) === password)
    return await answer('acceptLoginRequest', { challenge, subject: name, remember: true });
  return {
    page: `<h1>Sign in to ${escaped(nameOf(question))}</h1>${isForm ? '<p role="alert">That is wrong.</p>' : ''}
      <form method="post" action="/login"><input type="hidden" name="login_challenge" value="${escaped(challenge)}">
      <label>Name <input name="name" autocomplete="username"></label>
      <label>Password <input name="password" type="password" autocomplete="current-password"></label>
      <button>Sign in</button></form>`,
  };
}

async function consent(fields: Fields, isForm: boolean): Promise<string | { page: string }> {
  const challenge = fields.get('consent_challenge') ?? '';
  const { skip, requestedScopes, requestedAudience, client } = await questionOf('consent', challenge);
  if (isForm && fields.get('answer') !== 'allow') return await answer('rejectConsentRequest', { challenge });
  if (skip || isForm)
    return await answer('acceptConsentRequest', {
      ...{ challenge, grantScopes: skip ? requestedScopes : fields.getAll('scope') },
      ...{ grantAudience: requestedAudience, remember: true },
    });
  const boxes = requestedScopes.map(
    (scope) =>
      `<label><input type="checkbox" name="scope" value="${escaped(scope)}" checked> ${escaped(scope)}</label>`,
  );
  return {
    page: `<h1>Allow ${escaped(nameOf({ client }))} access?</h1>
      <form method="post" action="/consent"><input type="hidden" name="consent_challenge" value="${escaped(challenge)}">
      ${boxes.join('')} <button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button></form>`,
  };
}

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

async function formOf(request: IncomingMessage): Promise<Fields> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error('the form is too long');
  }
  return new URLSearchParams(text);
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const page = { '/login': login, '/consent': consent }[pathname];
  const isForm = request.method === 'POST';
  try {
    if (!page) return void response.writeHead(404).end();
    const result = await page(isForm ? await formOf(request) : searchParams, isForm);
    if (typeof result === 'string') return void response.writeHead(303, { location: result }).end();
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "frame-ancestors 'none'",
    };
    response
      .writeHead(200, headers)
      .end(`<!doctype html><html lang="en"><title>Sign in</title>${result.page}</html>`);
  } catch (error) {
    console.error(error);
    response
      .writeHead(400, { 'content-type': 'text/plain' })
      .end('This does not work. Go back and begin again.');
  }
});
server.listen(Number(process.env['PORT'] ?? 4100), '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : ''}`);
});

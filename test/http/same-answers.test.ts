/** The server answers as GraphQL Yoga would with the same plugins, although it does not use Yoga's handling of HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphQLServer } from '../../src/http/graphql.ts';
import { Meter } from '../../src/http/rate.ts';
import { authenticate } from '../../src/sign-in/authenticate.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';

let app: App;
const graphql = createGraphQLServer();
beforeAll(async () => {
  app = await startApp();
  await registerProject(app, 'alike');
});
afterAll(() => app.stop());

interface Asked {
  readonly query: string;
  readonly variables?: object;
  readonly operationName?: string;
}

async function ofServer(asked: Asked, headers: Record<string, string>) {
  const answer = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(asked),
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() };
}

async function ofYoga(asked: Asked, { authorization, accept = '*/*' }: Record<string, string>) {
  const signIn = { headers: { authorization }, address: null, publicUrl: app.url, connection: {} };
  const caller = await authenticate(signIn);
  const request = new graphql.fetchAPI.Request(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(asked),
  });
  const meter = new Meter(caller, null);
  const { signal } = request;
  const answer = await graphql.handleRequest(request, {
    ...{ caller, signal, publicUrl: app.url, meter, isOverHttp: true, isLong: false },
  });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() };
}

const project =
  '{ projects(filter: { identifiers: ["alike"] }) { edges { node { identifier createdAt } } } }';
const several = 'query A { version { version } } query B { viewer { username } }';

const cases: readonly (readonly [name: string, asked: Asked])[] = [
  ['a query', { query: '{ viewer { username role } }' }],
  [
    'a page',
    { query: '{ projects(first: 1) { edges { cursor node { identifier } } pageInfo { hasNextPage } } }' },
  ],
  ['the named operation', { query: several, operationName: 'B' }],
  ['null for what is absent', { query: '{ user(by: { username: "nobody" }) { id } }' }],
  [
    'aliases, fragments and @skip',
    {
      query:
        'query ($no: Boolean!) { me: viewer { ...F } } fragment F on User { username role @skip(if: $no) }',
      variables: { no: true },
    },
  ],
  [
    'a mutation that is refused',
    { query: 'mutation { deleteUser(input: { by: { username: "nobody" } }) { __typename } }' },
  ],
  ['a field with an error', { query: '{ viewer { username } projects(first: 5000) { edges { cursor } } }' }],
  ['no GraphQL', { query: '{ viewer' }],
  ['a document that is not of the schema', { query: '{ viewer { shoeSize } }' }],
  [
    'variables that do not fit',
    {
      query: 'query ($n: Int) { projects(first: $n) { edges { cursor } } }',
      variables: { n: 'x' },
    },
  ],
  [
    'what costs too much',
    { query: '{ projects(first: 1000) { edges { node { workflows(first: 1000) { edges { cursor } } } } } }' },
  ],
  ['a filter', { query: project }],
];

describe.each([
  ['an administrator', () => ({ authorization: app.admin })],
  ['a stranger', () => ({})],
] as const)('to %s', (_who, credentials) => {
  describe.each(['application/json', 'application/graphql-response+json', '*/*'])(
    'who accepts %s',
    (accept) => {
      it.each(cases)('the server answers as Yoga: %s', async (_name, asked) => {
        const headers = { ...credentials(), accept };
        expect(await ofServer(asked, headers)).toEqual(await ofYoga(asked, headers));
      });
    },
  );
});

/** Callers who are not signed in: what is worked on for them, and what they are told. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

/** How many documents GraphQL validates. */
const validated = vi.hoisted(() => ({ count: 0 }));
vi.mock('graphql', async (original) => {
  const graphql = await original<typeof import('graphql')>();
  const validate: typeof graphql.validate = (...args) => {
    validated.count += 1;
    return graphql.validate(...args);
  };
  return { ...graphql, validate };
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const json = 'application/json';
const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': json, ...headers },
    body: JSON.stringify(body),
  });
const errorsOf = async (response: Response) => ((await response.json()) as Answer).errors;
const signInFirst = { message: 'sign in first', extensions: { code: 'UNAUTHENTICATED' } };
const signInToIntrospect = { message: 'sign in to introspect', extensions: { code: 'UNAUTHENTICATED' } };
const manyFragments = `{ ${Array.from({ length: 300 }, (_, at) => `...F${at}`).join(' ')} }
  ${Array.from({ length: 300 }, (_, at) => `fragment F${at} on Query { viewer { id } }`).join(' ')}`;

const closed: readonly [name: string, query: string, error: typeof signInFirst][] = [
  ['a query', '{ viewer { id } }', signInFirst],
  ['a field that does not exist', '{ viewr { id shoeSize } }', signInFirst],
  ['a mutation', 'mutation { login { __typename } }', signInFirst],
  ['a subscription', 'subscription { executionEvents(by: { id: "x" }) { id } }', signInFirst],
  ['hundreds of fragments', manyFragments, signInFirst],
  ['introspection', '{ __schema { types { name fields { name } } } }', signInToIntrospect],
  ['introspection of a type', '{ ... { t: __type(name: "Query") { name } } }', signInToIntrospect],
  ['introspection beside an open field', '{ __typename __schema { types { name } } }', signInToIntrospect],
];

describe('a document with nothing that is open', () => {
  it.each(closed)('gets one refusal, and is not validated: %s', async (_name, query, error) => {
    validated.count = 0;
    for (const { errors } of [
      await app.ask(query, {}, null),
      (await overSse(app, query, {}, null).next()).value,
      await overWebSocket(app, query, {}, null),
    ])
      expect(errors).toEqual([error]);
    expect(validated.count).toBe(0);
  });

  it('is refused also after a caller with a sign-in has sent it, and answers that caller again', async () => {
    const query = '{ viewer { username } projects { totalCount } }';
    for (let round = 0; round < 2; round += 1) {
      expect((await app.ask(query)).data.viewer).toEqual({ username: 'admin' });
      expect((await app.ask(query, {}, null)).errors).toEqual([signInFirst]);
    }
  });

  it('does not decide about another operation of the same text', async () => {
    const query = 'query Closed { viewer { id } } query Open { fixedUsersMode { enabled } }';
    const bothClosed = 'query A { viewer { id } } query B { projects { totalCount } }';
    expect((await overWebSocket(app, bothClosed, {}, null)).errors).toEqual([signInFirst]);
    for (let round = 0; round < 2; round += 1) {
      expect(await errorsOf(await post({ query, operationName: 'Closed' }))).toEqual([signInFirst]);
      expect(await (await post({ query, operationName: 'Open' })).json()).toMatchObject({
        data: { fixedUsersMode: { enabled: false } },
      });
    }
  });
});

describe('a document with something that is open', () => {
  const typo = '{ fixedUsersMode { enabled } projets { totalCount } }';

  it('is validated, and its errors suggest names only to callers who are signed in', async () => {
    for (let round = 0; round < 2; round += 1) {
      const [stranger] = (await app.ask(typo, {}, null)).errors ?? [];
      expect(stranger?.message).toBe('Cannot query field "projets" on type "Query".');
      const [caller] = (await app.ask(typo)).errors ?? [];
      expect(caller?.message).toContain('Did you mean "projects"');
    }
  });
});

describe('the refusal of a stranger', () => {
  it.each([json, 'application/graphql-response+json', 'text/event-stream', '*/*'])(
    'has the status 401 and says how to sign in, for %s',
    async (accept) => {
      const response = await post({ query: '{ viewer { id } }' }, { accept });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(
        /Bearer realm="slipway".*Basic realm="slipway"/,
      );
    },
  );

  it('offers pages nothing that makes a browser ask for a password', async () => {
    const response = await post({ query: '{ viewer { id } }' }, { 'sec-fetch-site': 'same-origin' });
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="slipway", DPoP (?!.*Basic)/);
  });

  it('of a whole batch has the status 401 and says how to sign in', async () => {
    const response = await post([
      { query: '{ viewer { id } }' },
      { query: 'mutation { login { __typename } }' },
    ]);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/Bearer realm="slipway".*Basic realm="slipway"/);
    expect(await response.json()).toEqual([{ errors: [signInFirst] }, { errors: [signInFirst] }]);
  });

  it.each([
    ['something is open', '{ fixedUsersMode { enabled } }', { data: { fixedUsersMode: { enabled: false } } }],
    ['something has another error', '{', { errors: [{ extensions: { code: 'INVALID_ARGUMENT' } }] }],
  ])('is one of several answers of a batch in which %s', async (_what, query, answer) => {
    const response = await post([{ query: '{ viewer { id } }' }, { query }]);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([200, null]);
    expect(await response.json()).toMatchObject([{ errors: [signInFirst] }, answer]);
  });

  it('does not touch an answer that has data', async () => {
    const response = await post({ query: '{ fixedUsersMode { enabled } viewer { id } }' });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({
      data: { fixedUsersMode: { enabled: false }, viewer: null },
      errors: [{ path: ['viewer'], extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});

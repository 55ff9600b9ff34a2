/** Introspection and GraphiQL switched off: for administrators too, whichever way they come. */
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

vi.hoisted(() => {
  process.env['INTROSPECTION'] = 'off';
  process.env['GRAPHIQL'] = 'off';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

describe('introspection that is switched off', () => {
  it.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "User") { name } }',
    getIntrospectionQuery(),
  ])('is refused also to an administrator', async (query) => {
    const { value: overEvents } = await overSse(app, query).next();
    for (const { data, errors } of [await app.ask(query), overEvents, await overWebSocket(app, query)]) {
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
    }
  });

  it('is refused inside a batch', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body: JSON.stringify([
        { query: '{ viewer { id } }' },
        { query: '{ __schema { queryType { name } } }' },
      ]),
    });
    const [viewer, schema] = await response.json();
    expect(viewer.data.viewer.id).toBeTruthy();
    expect(schema.errors[0].extensions.code).toBe('INVALID_ARGUMENT');
  });

  it('still answers __typename, which clients need', async () => {
    expect((await app.ask('{ viewer { __typename } }')).data.viewer.__typename).toBe('User');
  });
});

describe('GraphiQL that is switched off', () => {
  it('is not served to browsers', async () => {
    const response = await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('content-type')).toContain('application/json');
  });
});

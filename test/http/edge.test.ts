/**
 * What the server refuses and hides, before and around GraphQL. It runs as in development, where libraries reveal the
 * most.
 */

import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { schema } from '../../src/api/schema.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { eventually, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newCaller } from '../support/users.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

const ours = 'https://console.example';
const foreign = 'https://evil.example';

/** The connection to the database. */
const wire = await vi.hoisted(async () => {
  const { startWire } = await import('../support/wire.ts');
  const toDatabase = await startWire(process.env['DATABASE_URL'] ?? '');
  process.env['DATABASE_URL'] = toDatabase.url;
  process.env['NODE_ENV'] = 'development';
  process.env['CORS_ORIGINS'] = 'https://console.example';
  process.env['BODY_LIMIT_BYTES'] = '40000';
  return toDatabase;
});

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const json = { 'content-type': 'application/json' };
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { ...json, authorization: app.admin, ...headers },
    body,
  });
const codeOf = async (response: Response) => (await response.json()).errors[0].extensions.code;
const viewer = JSON.stringify({ query: '{ viewer { username } }' });

describe('CORS', () => {
  const corsHeaders = (response: Response) =>
    [...response.headers.keys()].filter((name) => name.startsWith('access-control'));

  it.each(['POST', 'OPTIONS'])('does not let a foreign page read anything: %s', async (method) => {
    const headers = { ...json, origin: foreign, 'access-control-request-method': 'POST' };
    const response = await fetch(`${app.url}/graphql`, { method, headers });
    expect(corsHeaders(response)).toEqual([]);
  });

  it('refuses origins that look like a listed one', async () => {
    for (const origin of ['null', `${ours}.evil.example`, 'http://console.example', ours.toUpperCase()])
      expect(corsHeaders(await post(viewer, { origin }))).toEqual([]);
  });

  it('allows exactly the listed origin, also when the request is refused', async () => {
    for (const response of [
      await post(viewer, { origin: ours }),
      await post(viewer, { origin: ours, authorization: 'Bearer nonsense' }),
      await fetch(`${app.url}/blobs/x`, { method: 'PUT', headers: { origin: ours } }),
    ]) {
      expect(response.headers.get('access-control-allow-origin')).toBe(ours);
      expect(response.headers.get('access-control-allow-credentials')).toBe('true');
      expect(response.headers.get('vary')).toContain('origin');
    }
  });

  it('answers the preflight request of a listed origin', async () => {
    const response = await fetch(`${app.url}/graphql`, { method: 'OPTIONS', headers: { origin: ours } });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(ours);
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
  });

  it.each([
    [foreign, undefined, 403],
    [foreign, 'cross-site', 403],
    ['null', undefined, 403],
    [ours, undefined, 'open'],
    // The browser knows our address by another name.
    ['http://slipway.lan', 'same-origin', 'open'],
    [undefined, undefined, 'open'],
  ])('opens a WebSocket for its own pages only: %s, %s', async (origin, site, expected) => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      origin,
      headers: site === undefined ? {} : { 'sec-fetch-site': site },
    });
    const outcome = await new Promise((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('error', resolve);
    });
    socket.close();
    expect(outcome).toBe(expected);
  });
});

describe('a request', () => {
  it.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', ''])(
    'is refused as %s, which a foreign page can send without a preflight',
    async (type) => {
      const response = await post(viewer, { 'content-type': type });
      expect(response.status).toBe(415);
      expect(await codeOf(response)).toBe('INVALID_ARGUMENT');
    },
  );

  it.each(['{ viewer { id } }', 'mutation { login { __typename } }'])(
    'is refused over GET: %s',
    async (query) => {
      const url = `${app.url}/graphql?query=${encodeURIComponent(query)}`;
      for (const accept of ['application/json', 'text/event-stream', '*/*']) {
        const response = await fetch(url, { headers: { accept, authorization: app.admin } });
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')).toBe('POST');
        expect(response.headers.get('content-type')).not.toContain('html');
      }
    },
  );

  it.each([
    '',
    '{',
    'null',
    '"x"',
    '{}',
    '{"query":1}',
    '{"query":"{x}","variables":[]}',
    '{"query":"{x}","extensions":"x"}',
    '[]',
    '[null]',
    '[[]]',
  ])('is refused when its body is %s', async (body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('INVALID_ARGUMENT');
  });

  it('has a limited body, whether its length is announced or not', async () => {
    const tooLong = JSON.stringify({ query: `{ viewer { id } } #${'x'.repeat(40_000)}` });
    const announced = await post(tooLong);
    expect(announced.status).toBe(413);
    expect(await codeOf(announced)).toBe('RESOURCE_EXHAUSTED');

    const pieces = Array.from({ length: 40 }, () => 'x'.repeat(2000));
    const chunked = await sendPieces(pieces);
    expect(chunked.status).toBe(413);
    expect(chunked.body.errors[0].extensions.code).toBe('RESOURCE_EXHAUSTED');
  });

  it('is accepted in pieces when it is within the limit', async () => {
    const { status, body } = await sendPieces([viewer.slice(0, 10), viewer.slice(10)]);
    expect(status).toBe(200);
    expect(body.data.viewer.username).toBe('admin');
  });

  it('for the address of the server alone is sent on to GraphiQL', async () => {
    const response = await fetch(app.url, { redirect: 'manual' });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe('/graphql');
  });

  it('is refused for an invalid address', async () => {
    const status = await new Promise((resolve) => {
      const { hostname, port } = new URL(app.url);
      httpRequest({ hostname, port, path: '//' }, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(400);
    expect((await fetch(`${app.url}/nothing`)).status).toBe(404);
  });

  /** Without Content-Length. */
  function sendPieces(pieces: readonly string[]) {
    return new Promise<{ status: number | undefined; body: ReturnType<typeof JSON.parse> }>(
      (resolve, reject) => {
        const request = httpRequest(
          `${app.url}/graphql`,
          { method: 'POST', headers: { ...json, authorization: app.admin } },
          async (response) => {
            let text = '';
            for await (const chunk of response) text += chunk;
            resolve({ status: response.statusCode, body: JSON.parse(text) });
          },
        );
        request.once('error', reject);
        for (const piece of pieces) request.write(piece);
        request.end();
      },
    );
  }
});

describe('documents', () => {
  const nested = (depth: number) =>
    `x: __type(name: "Query") { fields { type { ${'ofType { '.repeat(depth)}name${' }'.repeat(depth)} } } }`;
  const limits: [name: string, query: string, message: RegExp][] = [
    ['tokens', `{ ${'version { version } '.repeat(1300)} }`, /tokens/],
    ['depth', `{ ${nested(25)} }`, /deep/],
    ['nesting', `{ version(a: ${'['.repeat(2000)}${']'.repeat(2000)}) { version } }`, /nest/],
    ['nesting of fields', `{ ${'a { '.repeat(2000)} ${'} '.repeat(2000)} }`, /nest/],
    [
      'aliases',
      `{ ${Array.from({ length: 61 }, (_, i) => `a${i}: version { version }`).join(' ')} }`,
      /aliases/,
    ],
    ['directives', `{ version ${'@include(if: true) '.repeat(51)} { version } }`, /directives/],
  ];

  it.each(limits)('are limited in %s over HTTP, SSE and WebSocket', async (_name, query, message) => {
    for (const text of [
      query,
      query.replace('{', 'subscription { executionEvents(by: { id: "x" }) { id } '),
    ]) {
      const { value: overEvents } = await overSse(app, text).next();
      for (const { errors } of [await app.ask(text), overEvents, await overWebSocket(app, text)]) {
        expect(errors).toHaveLength(1);
        expect(errors?.[0]).toMatchObject({
          message: expect.stringMatching(message),
          extensions: { code: 'RESOURCE_EXHAUSTED' },
        });
      }
    }
  });

  it.each([
    ['no GraphQL', '{ viewer'],
    ['not of this schema', '{ viewer { shoeSize } }'],
    ['several operations', 'query A { viewer { id } } query B { viewer { id } }'],
    ['of variables that do not fit', 'query ($n: Int) { projects(first: $n) { edges { cursor } } }'],
  ])('are refused with INVALID_ARGUMENT over HTTP and WebSocket when they are %s', async (_name, query) => {
    const variables = { n: 'x' };
    for (const { errors } of [await app.ask(query, variables), await overWebSocket(app, query, variables)]) {
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_ARGUMENT' } }]);
    }
  });
});

describe('failures', () => {
  it('are answered with INTERNAL and no details', async () => {
    const field = schema.getQueryType()?.getFields()['version'];
    if (!field) throw new Error('no such field');
    const { resolve } = field;
    field.resolve = () => {
      throw new Error('select secret from /home/me at 10.0.0.1');
    };
    try {
      const query = '{ version { version } }';
      const text = await (await post(JSON.stringify({ query }))).text();
      for (const shown of [text, JSON.stringify(await overWebSocket(app, query))]) {
        expect(shown).toContain('INTERNAL');
        expect(shown).not.toMatch(/select|secret|home|10\.0\.0|stack|originalError/);
      }
    } finally {
      field.resolve = resolve;
    }
  });
});

describe('a refusal', () => {
  it.each([
    ['{ user(by: { username: "nobody" }) { id } }', ['user']],
    ['{ all: projects(first: 5000) { edges { cursor } } }', ['all']],
    [
      '{ groups { edges { node { members(first: 5000) { edges { cursor } } } } } }',
      ['groups', 'edges', 0, 'node', 'members'],
    ],
  ])('names the field that it is about: %s', async (query, path) => {
    expect((await app.ask(query)).errors).toMatchObject([{ path }]);
  });
});

describe('introspection', () => {
  const query = '{ __schema { queryType { name } } }';

  it('is refused without a sign-in, also after an administrator sent the same query', async () => {
    for (let round = 0; round < 2; round += 1) {
      expect((await app.ask(query)).data.__schema.queryType.name).toBe('Query');
      const stranger = await app.ask(query, {}, null);
      const refused = { message: 'sign in to introspect', extensions: { code: 'UNAUTHENTICATED' } };
      expect(stranger.data).toBeUndefined();
      expect(stranger.errors).toEqual([refused]);
      expect((await overWebSocket(app, query, {}, null)).errors).toEqual([refused]);
      expect((await overWebSocket(app, query)).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
    }
  });
});

describe('a hidden object', () => {
  it('gets the same answer as an absent one', async () => {
    const stranger = await newCaller();
    await registerProject(app, 'hidden');
    await registerTask(app, 'hidden', 'double');
    await registerWorkflow(app, 'hidden', 'flow', { first: [] });
    const id = await launch(app, 'hidden', 'flow');
    const absent = newId();
    const ask = async (query: string, variables: object) => {
      const { status, data, errors } = await app.ask(query, variables, stranger);
      return JSON.stringify({ status, data, errors });
    };
    for (const query of [
      'query ($id: ID!) { execution(by: { id: $id }) { id } }',
      'query ($id: ID!) { nodeExecutions(by: { id: $id }) { edges { cursor } } }',
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "x" }) { __typename } }',
    ]) {
      const hidden = await ask(query, { id });
      expect(hidden).toContain('NOT_FOUND');
      expect(hidden.replaceAll(id, absent)).toBe(await ask(query, { id: absent }));
    }
    const byKey =
      'query ($p: String!) { executions(filter: { project: $p, domain: "development" }) { totalCount } }';
    const hidden = await ask(byKey, { p: 'hidden' });
    expect(hidden).toContain('NOT_FOUND');
    expect(hidden.replaceAll('hidden', 'absent')).toBe(await ask(byKey, { p: 'absent' }));
  });
});

describe('health', () => {
  const status = async (path: string) => (await fetch(`${app.url}/health/${path}`)).status;

  it('reports alive always, and ready only while the database answers', async () => {
    expect([await status('alive'), await status('ready')]).toEqual([200, 200]);
    wire.down();
    try {
      await eventually(
        () => status('ready'),
        (answer) => answer === 503,
      );
      expect(await status('alive')).toBe(200);
      const { username, password } = app.secrets.administrator;
      // After the cache is no longer used: if the database is down, this is neither a refusal nor a way in.
      const asked = await eventually(
        () => app.ask('{ viewer { id } }', {}, basic(username, password)),
        ({ status: answer }) => answer !== 200,
      );
      expect(asked.status).toBe(503);
      expect(asked.errors?.[0]?.extensions.code).toBe('UNAVAILABLE');
    } finally {
      wire.up();
    }
    await eventually(
      () => status('ready'),
      (answer) => answer === 200,
    );
  });
});

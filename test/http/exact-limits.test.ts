/** Each limit of the server lets pass what is exactly at the limit, and refuses one more. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { overWebSocket } from '../support/watch.ts';

vi.hoisted(() => {
  Object.assign(process.env, {
    BODY_LIMIT_BYTES: '20000',
    QUERY_DEPTH_LIMIT: '4',
    QUERY_TOKEN_LIMIT: '1100',
    QUERY_ALIAS_LIMIT: '3',
    QUERY_DIRECTIVE_LIMIT: '3',
    QUERY_COST_LIMIT: '1000',
    BATCH_LIMIT: '3',
  });
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** The first error in the answer to this body; null if there is none. */
async function errorOf(body: string, headers: Record<string, string> = {}): Promise<string | null> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: app.admin, ...headers },
    body,
  });
  const answer = (await response.json()) as { errors?: { message: string }[] };
  return ([answer].flat()[0]?.errors ?? [])[0]?.message ?? null;
}
const ask = (query: string) => errorOf(JSON.stringify({ query }));
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const limits: readonly [name: string, most: number, body: (size: number) => string, refusal: RegExp][] = [
  ['bytes of a body', 20_000, (size) => '{"query":"{ viewer { id } }"}'.padEnd(size), /at most 20000 bytes/],
  [
    'tokens of a document',
    1100,
    // Everything but the values has 23 tokens.
    (size) =>
      JSON.stringify({
        query: `{ viewer { id } nodes(ids: [${times(size - 23, () => '"x"')}]) @skip(if: true) { id } }`,
      }),
    /at most 1100 tokens/,
  ],
  [
    'aliases',
    3,
    (size) => JSON.stringify({ query: `{ ${times(size, (index) => `a${index}: version { version }`)} }` }),
    /at most 3 aliases/,
  ],
  [
    'directives',
    3,
    (size) => JSON.stringify({ query: `{ viewer { ${times(size, () => 'id @include(if: true)')} } }` }),
    /at most 3 directives/,
  ],
  [
    'operations of a batch',
    3,
    (size) => JSON.stringify(Array.from({ length: size }, () => ({ query: '{ viewer { id } }' }))),
    /at most 3 operations/,
  ],
  [
    'the cost of an operation',
    1000,
    // The list costs one, and so does each of its rows.
    (size) => JSON.stringify({ query: `{ users(first: ${size - 1}) { edges { node { id } } } }` }),
    /can cost 1001, more than the limit of 1000/,
  ],
  [
    'the cost of a batch',
    1000,
    (size) =>
      JSON.stringify([
        { query: '{ viewer { id } }' },
        { query: `{ users(first: ${size - 2}) { edges { node { id } } } }` },
      ]),
    /the batch can cost 1001/,
  ],
];

describe('a request', () => {
  it.each(limits)('has at most this many %s: %i', async (_name, most, body, refusal) => {
    expect(await errorOf(body(most))).toBeNull();
    expect(await errorOf(body(most + 1))).toMatch(refusal);
  });

  it('may nest fields as deep as the limit, and not deeper', async () => {
    expect(await ask('{ projects { edges { node { id } } } }')).toBeNull();
    expect(await ask('{ projects { edges { node { labels { key } } } } }')).toMatch(/at most 4 fields deep/);
    // What is asked of the schema itself does not count, because tools ask for more.
    expect(await ask('{ __schema { types { fields { type { ofType { name } } } } } }')).toBeNull();
  });

  it('may have variables nested 256 deep over a WebSocket, and not deeper', async () => {
    // The variables themselves are the outermost level.
    const nested = (levels: number) =>
      Array.from({ length: levels - 1 }).reduce<Record<string, unknown>>((inner) => ({ inner }), {});
    const query = '{ viewer { id } }';
    expect((await overWebSocket(app, query, nested(256))).errors).toBeUndefined();
    expect((await overWebSocket(app, query, nested(257))).errors[0].message).toContain('nested too deep');
  });

  it('may nest brackets 512 deep, and not deeper', async () => {
    // Two brackets are around the list.
    const nested = (depth: number) =>
      `{ version(a: ${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}) { version } }`;
    expect(await ask(nested(512))).toMatch(/Unknown argument/);
    expect(await ask(nested(513))).toMatch(/nested at most 512 deep/);
  });
});

const query = '{ viewer { username } }';
const isWrong: readonly [body: object, refusal: string][] = [
  [{ query: 1 }, 'the query must be a text'],
  [{ query: {} }, 'the query must be a text'],
  [{ query, variables: 'x' }, 'variables must be a JSON object'],
  [{ query, variables: [] }, 'variables must be a JSON object'],
  [{ query, operationName: 1 }, 'operationName must be a text'],
  [{ query, extensions: 'x' }, 'extensions must be a JSON object'],
  [{ query, extensions: [] }, 'extensions must be a JSON object'],
];

describe('the body of a request', () => {
  it.each(isWrong)('is refused when a member has another type: %j', async (body, refusal) => {
    expect(await errorOf(JSON.stringify(body))).toBe(refusal);
  });

  it.each(['1', '"x"', 'null', '[1]', '[null]', '[[]]'])(
    'is refused when it is no JSON object: %s',
    async (body) => {
      expect(await errorOf(body)).toBe('the body must be a JSON object or a list of JSON objects');
    },
  );

  it.each(['variables', 'operationName', 'extensions', 'documentId'])('may have %s as null', async (name) => {
    expect(await errorOf(JSON.stringify({ query, [name]: null }))).toBeNull();
  });

  it('chooses the operation, and fills in the variables', async () => {
    const both = `query A { nothing } query B($id: ID!) { execution(by: { id: $id }) { id } }`;
    const valid = both.replace('nothing', 'viewer { id }');
    const body = { query: valid, operationName: 'B', variables: { id: 'none' } };
    expect(await errorOf(JSON.stringify(body))).toMatch(/none/);
    expect(await errorOf(JSON.stringify({ ...body, operationName: 'A' }))).toBeNull();
  });

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/graphql+json'])(
    'may be sent as %s',
    async (type) => {
      expect(await errorOf(JSON.stringify({ query }), { 'content-type': type })).toBeNull();
    },
  );
});

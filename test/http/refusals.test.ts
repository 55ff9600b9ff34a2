/**
 * Every refusal of the HTTP server is a JSON error in our form: no page, no plain text and no stack trace of a library.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createListener } from '../../src/http/listener.ts';
import { RequestsUnderWay } from '../../src/http/requests.ts';
import { type App, basic, startApp } from '../support/app.ts';

// As in development, where libraries reveal the most.
vi.hoisted(() => {
  process.env['NODE_ENV'] = 'development';
});

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());
afterEach(() => {
  vi.restoreAllMocks();
});

/** The answer to these lines, until the server closes the connection. */
async function send(lines: readonly string[], body = '', url = app.url) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  await once(socket, 'close');
  const [head = '', content = ''] = text.split('\r\n\r\n');
  const [first = '', ...headers] = head.split('\r\n');
  return {
    status: Number(first.split(' ')[1]),
    headers: new Headers(headers.map((line) => line.split(': ', 2) as [string, string])),
    content,
  };
}

const host = 'Host: slipway.example';
const close = 'Connection: close';
const json = 'Content-Type: application/json';
const upgrade = ['GET /graphql HTTP/1.1', host, 'Connection: Upgrade', 'Upgrade: websocket'];
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const version = 'Sec-WebSocket-Version: 13';
const query = '{"query":"{ viewer { id } }"}';
const post = (length: number) => ['POST /graphql HTTP/1.1', host, close, json, `Content-Length: ${length}`];

type Case = [name: string, status: number, code: string, lines: readonly string[], body?: string];
const invalid = 'INVALID_ARGUMENT';
const cases: readonly Case[] = [
  ['a host with a space', 400, invalid, ['GET /graphql HTTP/1.1', 'Host: a b', close, 'Accept: text/html']],
  ['a host with a space, for GraphQL', 400, invalid, post(2).with(1, 'Host: a b'), '{}'],
  ['a host with a path', 400, invalid, ['GET /health/alive HTTP/1.1', 'Host: a/b', close]],
  ['a host with a user', 400, invalid, ['GET / HTTP/1.1', 'Host: a@b', close]],
  ['a port that is none', 400, invalid, ['GET / HTTP/1.1', 'Host: a:b', close]],
  ['two hosts', 400, invalid, ['GET / HTTP/1.1', host, 'Host: other.example', close]],
  [
    'two credentials',
    400,
    invalid,
    [...post(query.length), `Authorization: ${basic('a', 'b')}`, `authorization: ${basic('a', 'b')}`],
    query,
  ],
  ['no host', 400, invalid, ['GET /graphql HTTP/1.1', close]],
  ['an address that is none', 400, invalid, ['GET // HTTP/1.1', host, close]],
  ['no HTTP', 400, invalid, ['nonsense']],
  ['an unknown method', 400, invalid, ['FETCH / HTTP/1.1', host, close]],
  ['a header that is none', 400, invalid, ['GET / HTTP/1.1', host, 'no colon here', close]],
  ['two lengths', 400, invalid, [...post(2), 'Content-Length: 3'], '{}'],
  ['headers that are too long', 431, invalid, ['GET / HTTP/1.1', host, `X-Long: ${'x'.repeat(100_000)}`]],
  ['an expectation', 417, invalid, ['GET / HTTP/1.1', host, 'Expect: the-unexpected', close]],
  [
    'a chunk that is none',
    400,
    invalid,
    ['POST /session HTTP/1.1', host, json, 'Transfer-Encoding: chunked'],
    'nonsense\r\n',
  ],
  [
    'a chunk with too long an extension',
    413,
    invalid,
    ['POST /session HTTP/1.1', host, json, 'Transfer-Encoding: chunked'],
    `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['an unknown address', 404, 'NOT_FOUND', ['GET /nothing HTTP/1.1', host, close]],
  ['a method of health', 405, invalid, ['POST /health/alive HTTP/1.1', host, close, 'Content-Length: 0']],
  ['a method of sessions', 405, invalid, ['GET /session HTTP/1.1', host, close]],
  ['a method of files', 405, invalid, ['DELETE /blobs/x HTTP/1.1', host, close]],
  ['a method of GraphQL', 405, invalid, ['PUT /graphql HTTP/1.1', host, close, 'Content-Length: 0']],
  ['GraphQL over GET', 405, invalid, ['GET /graphql?query=%7Bx%7D HTTP/1.1', host, close]],
  ['a file without a link', 403, 'PERMISSION_DENIED', ['GET /blobs/%zz HTTP/1.1', host, close]],
  ['a session of nobody', 401, 'UNAUTHENTICATED', ['POST /session HTTP/1.1', ...post(2).slice(1)], '{}'],
  ['wrong credentials', 401, 'UNAUTHENTICATED', [...post(2), 'Authorization: Bearer x'], '{}'],
  ['another content', 415, invalid, post(2).with(3, 'Content-Type: text/plain'), '{}'],
  ['a compressed body', 415, invalid, [...post(2), 'Content-Encoding: gzip'], '{}'],
  ['no JSON', 400, invalid, post(1), '{'],
  ['too long a body', 413, 'RESOURCE_EXHAUSTED', post(100_000_000)],
  ['an answer that it cannot give', 406, invalid, [...post(query.length), 'Accept: image/png'], query],
  ['a WebSocket elsewhere', 404, 'NOT_FOUND', upgrade.with(0, 'GET /else HTTP/1.1').concat(key, version)],
  ['a WebSocket without a key', 400, invalid, [...upgrade, version]],
  ['a WebSocket of another version', 400, invalid, [...upgrade, key, 'Sec-WebSocket-Version: 1']],
  ['a WebSocket with POST', 400, invalid, upgrade.with(0, 'POST /graphql HTTP/1.1').concat(key, version)],
  ['a WebSocket with wrong protocols', 400, invalid, [...upgrade, key, version, 'Sec-WebSocket-Protocol: ,']],
  [
    'a WebSocket of a foreign page',
    403,
    'PERMISSION_DENIED',
    [...upgrade, key, version, 'Origin: https://evil.example'],
  ],
  ['another protocol', 400, invalid, upgrade.with(3, 'Upgrade: h2c')],
];

function expectOurs(answer: Awaited<ReturnType<typeof send>>, status: number, code: string) {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(JSON.parse(answer.content)).toEqual({
    errors: [{ message: expect.any(String), extensions: { code } }],
  });
  expect(answer.content).not.toMatch(/Error:|node_modules|\.[cm]?[jt]s\b|file:|<|HPE_|\bat \w+ \(/);
}

describe('a refused request', () => {
  it.each(cases)('is answered with one JSON error for %s: %i', async (_name, status, code, lines, body) => {
    expectOurs(await send(lines, body), status, code);
  });

  it('has the headers Allow and WWW-Authenticate', async () => {
    const allow = async (line: string) =>
      (await send([line, host, close, 'Content-Length: 0'])).headers.get('allow');
    expect(await allow('PUT /graphql HTTP/1.1')).toBe('GET, POST');
    expect(await allow('POST /health/ready HTTP/1.1')).toBe('GET');
    expect(await allow('POST /blobs/x HTTP/1.1')).toBe('GET, PUT');
    const stranger = await send([...post(2), 'Authorization: Bearer x'], '{}');
    expect(stranger.headers.get('www-authenticate')).toContain('Bearer');
  });

  it.each(['POST /graphql HTTP/1.1', 'GET /graphql HTTP/1.1'])(
    'is answered with one JSON error when the server fails halfway: %s',
    async (line) => {
      const fail = () => {
        throw new Error('select secret from /home/me');
      };
      vi.spyOn(RequestsUnderWay.prototype, 'begin').mockImplementation(fail);
      vi.spyOn(RequestsUnderWay.prototype, 'isStopping', 'get').mockImplementation(fail);
      const answer = await send([line, host, close, json, 'Accept: text/html', 'Content-Length: 2'], '{}');
      expectOurs(answer, 500, 'INTERNAL');
      expect(answer.content).not.toMatch(/select|secret|home/);
    },
  );

  it('is answered with one JSON error when it never arrives completely', async () => {
    const server = createListener({ requestTimeout: 100, connectionsCheckingInterval: 50 }, async () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expectOurs(
      await send(['POST / HTTP/1.1', host, 'Content-Length: 10'], '', `http://127.0.0.1:${port}`),
      408,
      invalid,
    );
    server.close();
  });
});

describe('a request that is not refused', () => {
  it('is answered to HTTP/1.0 without a host, and to HEAD without a body', async () => {
    expect(await send(['GET /health/alive HTTP/1.0'])).toMatchObject({
      status: 200,
      content: '{"status":"ok"}',
    });
    expect(await send(['HEAD /health/alive HTTP/1.1', host, close])).toMatchObject({
      status: 200,
      content: '',
    });
  });

  it.each(['[::1]:4000', 'slipway.example:443', '127.0.0.1', 'under_score.example'])(
    'is answered under the host %s',
    async (name) => {
      expect((await send(['GET /health/alive HTTP/1.1', `Host: ${name}`, close])).status).toBe(200);
    },
  );
});

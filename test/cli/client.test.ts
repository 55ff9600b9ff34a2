/** How the command line reads the answers of a server, of a proxy before it, and of none. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../src/cli/client.ts';
import { createTaskDocument } from '../../src/cli/documents.ts';
import type { Connection } from '../../src/cli/settings.ts';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const variables = { input: { key: { project: 'p', domain: 'd', name: 'n', version: 'v' }, flyte: {} } };
const ask = (connection: Partial<Connection> = {}) =>
  createClient({ url, authorization: null, timeoutSeconds: 60, ...connection })(
    createTaskDocument,
    variables,
  );
const failureOf = (connection: Partial<Connection> = {}) => ask(connection).catch((error) => error);
const answering = (status: number, body: string) => {
  answer = (_request, response) => void response.writeHead(status).end(body);
};

describe('an answer', () => {
  it('is the data of an operation, which is sent to /graphql', async () => {
    const requests: unknown[] = [];
    answer = async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method, url: path, headers } = request;
      requests.push([method, path, headers['content-type'], headers.authorization, JSON.parse(body)]);
      response.end('{"data":{"created":null}}');
    };
    expect(await ask({ url: `${url}//`, authorization: 'Bearer x' })).toEqual({ created: null });
    expect(await ask()).toEqual({ created: null });
    const sent = { query: String(createTaskDocument), variables };
    expect(requests).toEqual([
      ['POST', '/graphql', 'application/json', 'Bearer x', sent],
      ['POST', '/graphql', 'application/json', undefined, sent],
    ]);
  });

  it('with an error has the code and the message of the server, also beside data', async () => {
    const error = { message: 'no such thing', extensions: { code: 'NOT_FOUND' } };
    for (const body of [{ errors: [error] }, { errors: [error], data: { created: null } }]) {
      answering(200, JSON.stringify(body));
      expect(await failureOf()).toMatchObject({
        code: 'NOT_FOUND',
        message: 'no such thing',
        hint: undefined,
      });
    }
    answering(403, JSON.stringify({ errors: [error] }));
    expect(await failureOf()).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that asks for a sign-in says how to sign in', async () => {
    answering(401, '');
    expect(await failureOf()).toMatchObject({
      code: 'UNAUTHENTICATED',
      hint: 'sign in with slipway login, or set SLIPWAY_ACCESS_KEY and SLIPWAY_SECRET_KEY, or SLIPWAY_TOKEN',
    });
  });

  it.each([
    [200, 'INTERNAL'],
    [401, 'UNAUTHENTICATED'],
    [402, 'INTERNAL'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [405, 'INTERNAL'],
    [413, 'RESOURCE_EXHAUSTED'],
    [414, 'INTERNAL'],
    [429, 'RESOURCE_EXHAUSTED'],
    [430, 'INTERNAL'],
    [499, 'INTERNAL'],
    [500, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
  ])('without GraphQL and with the status %i is %s', async (status, code) => {
    for (const body of ['<html>', '{}', '{"data":null}']) {
      answering(status, body);
      expect(await failureOf()).toMatchObject({ code, message: `${url} answered HTTP ${status}` });
    }
  });

  it('that leads elsewhere is not followed, so that no secret goes there', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: '/else' }).end();
    expect(await failureOf()).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a server that does not answer', () => {
  it('is UNAVAILABLE if nothing is there, with a hint', async () => {
    expect(await failureOf({ url: 'http://127.0.0.1:1' })).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'http://127.0.0.1:1/graphql does not answer',
      hint: expect.stringContaining('--url'),
    });
  });

  it('is DEADLINE_EXCEEDED after the time limit', async () => {
    answer = () => {};
    expect(await failureOf({ timeoutSeconds: 0.05 })).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: `${url}/graphql did not answer in 0.05 s`,
      hint: undefined,
    });
  });

  it('may take as many milliseconds as the limit says', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    answering(200, '{"data":{"created":null}}');
    await ask({ timeoutSeconds: 90 });
    expect(timeout).toHaveBeenLastCalledWith(90_000);
    timeout.mockRestore();
  });
});

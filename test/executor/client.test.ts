import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/executor/host/api-error.ts';
import { type ApiClient, createClient, payloadOf } from '../../src/executor/host/client.ts';
import { returnLeaseDocument } from '../../src/executor/host/documents.ts';
import { BackOff, retrying } from '../../src/executor/host/retry.ts';
import { stopClocks } from '../support/clock.ts';
import { waitUntil } from './fixture.ts';

let server: Server;
let folder: string;
let client: ApiClient;
let lines: string[];
/** How each call signed in: `KEY:<secret>` to log in, `token-<n>` for everything else. */
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let answerLogin: (request: IncomingMessage, response: ServerResponse) => void;

const variables = { input: { run: 'x', reason: 'none', attempted: false } };
const options = { signal: new AbortController().signal };
const credential = (secretKey: string) =>
  writeFileSync(join(folder, 'credential.json'), JSON.stringify({ accessKey: 'KEY', secretKey }));

function reply(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
const refusal = (code: string) => ({ errors: [{ message: code, extensions: { code } }] });
const fine = { data: { returnLease: { __typename: 'ReturnLeasePayload', returned: true } } };
const token = (number: number) => ({
  data: { login: { __typename: 'LoginPayload', token: `token-${number}` } },
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-client-'));
  lines = [];
  requests = [];
  let tokens = 0;
  answerLogin = (_request, response) => {
    tokens += 1;
    reply(response, 200, token(tokens));
  };
  server = createServer((request, response) => {
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
    requests.push(scheme === 'Basic' ? Buffer.from(value, 'base64').toString() : value);
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => (body.includes('login(') ? answerLogin : answer)(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  client = createClient({
    url: `http://127.0.0.1:${port}/`,
    credentialFile: join(folder, 'credential.json'),
    log,
  });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

describe('the client of the API', () => {
  it('waits for a credential that is not there yet, and reads it again when it is refused', async () => {
    answerLogin = (_request, response) =>
      requests.at(-1) === 'KEY:new'
        ? reply(response, 200, token(1))
        : reply(response, 401, refusal('UNAUTHENTICATED'));
    answer = (_request, response) => reply(response, 200, fine);
    const answered = client.insist(returnLeaseDocument, variables, options);
    await waitUntil(() => lines.length > 0, 'it missed the credential');
    credential('old');
    await waitUntil(() => requests.includes('KEY:old'), 'it was refused');
    credential('new');
    expect((await answered).returnLease).toMatchObject({ returned: true });
    expect(new Set(requests)).toEqual(new Set(['KEY:old', 'KEY:new', 'token-1']));
    expect(lines.join('')).not.toMatch(/old|S0VZ|token-1/);
    expect(lines.at(-1)).toContain('the server answers again');
  });

  it('signs in once for all calls, also when they are made at the same time', async () => {
    credential('secret');
    answer = (_request, response) => reply(response, 200, fine);
    await Promise.all(Array.from({ length: 20 }, () => client.ask(returnLeaseDocument, variables, options)));
    expect(requests.filter((one) => one === 'KEY:secret')).toHaveLength(1);
    expect(requests.filter((one) => one === 'token-1')).toHaveLength(20);
    expect(lines).toEqual([]);
  });

  it('signs in again with the key when its token is refused', async () => {
    credential('secret');
    answer = (_request, response) =>
      requests.at(-1) === 'token-2'
        ? reply(response, 200, fine)
        : reply(response, 401, refusal('UNAUTHENTICATED'));
    await client.ask(returnLeaseDocument, variables, options);
    expect(requests).toEqual(['KEY:secret', 'token-1', 'KEY:secret', 'token-2']);
  });

  it('tries again when its sign-in is refused, and does not report that as the answer of the call', async () => {
    credential('secret');
    let refusals = 2;
    const logIn = answerLogin;
    answerLogin = (request, response) =>
      refusals-- > 0 ? reply(response, 403, refusal('PERMISSION_DENIED')) : logIn(request, response);
    answer = (_request, response) => reply(response, 200, fine);
    const answered = await client.insist(returnLeaseDocument, variables, options);
    expect(answered.returnLease).toMatchObject({ returned: true });
  });

  it('tries again while the server or its database is unreachable, or something else answers', async () => {
    credential('secret');
    const answers = [
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => reply(response, 503, refusal('UNAVAILABLE')),
      (response: ServerResponse) => reply(response, 200, refusal('UNAVAILABLE')),
      (response: ServerResponse) => response.writeHead(502).end('<html>'),
      (response: ServerResponse) => reply(response, 200, fine),
    ];
    answer = (_request, response) => answers.shift()?.(response);
    await client.insist(returnLeaseDocument, variables, options);
    expect(requests.filter((one) => one === 'token-1')).toHaveLength(5);
    // It says so once, and once that the server answers again.
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'the server cannot be reached or answers with an error; trying again',
      'the server answers again',
    ]);
  });

  it('tries again at the time that the server names when it answers RESOURCE_EXHAUSTED', async () => {
    credential('secret');
    const answers = [
      (response: ServerResponse) =>
        reply(response, 429, refusal('RESOURCE_EXHAUSTED'), { 'retry-after': '7' }),
      (response: ServerResponse) => reply(response, 503, refusal('RESOURCE_EXHAUSTED')),
      (response: ServerResponse) => reply(response, 200, refusal('RESOURCE_EXHAUSTED')),
      (response: ServerResponse) => response.writeHead(429, { 'retry-after': '3600' }).end('slow down'),
      (response: ServerResponse) => reply(response, 200, fine),
    ];
    answer = (_request, response) => answers.shift()?.(response);
    const pauses: number[] = [];
    const backOff = new BackOff(async (milliseconds) => pauses.push(milliseconds));
    const ask = () => client.ask(returnLeaseDocument, variables, options);
    const answered = await retrying(options.signal, ask, backOff);
    expect(answered.returnLease).toMatchObject({ returned: true });
    // The time that the server asked for, up to the limit, and the client's own pause in addition.
    expect(pauses.map((milliseconds) => Math.floor(milliseconds / 1000))).toEqual([7, 0, 0, 300]);
  });

  it('treats an error in the result and a request that is too large as final', async () => {
    credential('secret');
    const tooLarge = { __typename: 'ResourceExhaustedError', code: 'RESOURCE_EXHAUSTED', message: 'large' };
    answer = (_request, response) => reply(response, 200, { data: { returnLease: tooLarge } });
    const { returnLease } = await client.insist(returnLeaseDocument, variables, options);
    const refused = (() => {
      try {
        return payloadOf(returnLease, 'ReturnLeasePayload');
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED', mayPass: false });
    answer = (_request, response) => reply(response, 413, refusal('RESOURCE_EXHAUSTED'));
    const asked = client.insist(returnLeaseDocument, variables, options);
    await expect(asked).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', mayPass: false });
    await expect(asked).rejects.toBeInstanceOf(ApiError);
  });

  it('does not repeat a call after a final refusal', async () => {
    credential('secret');
    answer = (_request, response) => reply(response, 200, refusal('PERMISSION_DENIED'));
    await expect(client.insist(returnLeaseDocument, variables, options)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(requests).toEqual(['KEY:secret', 'token-1']);
    expect(lines).toEqual([]);
  });

  it('fails as its sign-in fails, if that may pass', async () => {
    credential('secret');
    answerLogin = (_request, response) =>
      reply(response, 503, refusal('UNAVAILABLE'), { 'retry-after': '7' });
    await expect(client.ask(returnLeaseDocument, variables, options)).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', message: 'UNAVAILABLE', retryAfterMs: 7000 },
    });
  });

  it('says every 30 seconds that the server does not answer', async () => {
    credential('secret');
    stopClocks('Date');
    answer = (_request, response) => reply(response, 503, refusal('UNAVAILABLE'));
    const linesAt: number[] = [];
    for (const milliseconds of [0, 29_999, 30_000, 59_999, 60_000]) {
      vi.setSystemTime(Date.UTC(2026, 0, 1) + milliseconds);
      await expect(client.ask(returnLeaseDocument, variables, options)).rejects.toThrow('UNAVAILABLE');
      linesAt.push(lines.length);
    }
    expect(linesAt).toEqual([1, 1, 2, 2, 3]);
  });

  it('gives up a call that is not answered within 15 seconds', async () => {
    credential('secret');
    answer = () => {};
    stopClocks('setTimeout', 'clearTimeout');
    let failure: unknown = null;
    const asked = client.ask(returnLeaseDocument, variables, options).catch((error) => {
      failure = error;
    });
    await waitUntil(() => requests.includes('token-1'), 'it was called');
    vi.advanceTimersByTime(14_999);
    await new Promise(setImmediate);
    expect(failure).toBeNull();
    vi.advanceTimersByTime(1);
    await asked;
    expect(failure).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('gives up a call that is not answered in the time that the caller allows', async () => {
    credential('secret');
    answer = () => {};
    await expect(
      client.ask(returnLeaseDocument, variables, { ...options, timeoutMs: 50 }),
    ).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('rejects with the reason of its signal', async () => {
    credential('secret');
    const controller = new AbortController();
    answer = () => controller.abort(new Error('enough'));
    const asked = client.insist(returnLeaseDocument, variables, { signal: controller.signal });
    await expect(asked).rejects.toThrow('enough');
  });
});

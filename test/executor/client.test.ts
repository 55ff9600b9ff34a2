import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiClient, createClient } from '../../src/executor/host/client.ts';
import { returnLeaseDocument } from '../../src/executor/host/documents.ts';

let server: Server;
let folder: string;
let client: ApiClient;
let lines: string[];
let requests: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

const variables = { input: { run: 'x', reason: 'none', attempted: false } };
const options = { signal: new AbortController().signal };
const credential = (secretKey: string) =>
  writeFileSync(join(folder, 'credential.json'), JSON.stringify({ accessKey: 'KEY', secretKey }));

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
const refusal = (code: string) => ({ errors: [{ message: code, extensions: { code } }] });
const fine = { data: { returnLease: { __typename: 'ReturnLeasePayload', returned: true } } };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-client-'));
  lines = [];
  requests = [];
  server = createServer((request, response) => {
    const [, encoded = ''] = (request.headers.authorization ?? '').split(' ');
    requests.push(Buffer.from(encoded, 'base64').toString());
    request.resume().on('end', () => answer(request, response));
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
  it('waits for a credential that is yet to come, and reads it anew when it is refused', async () => {
    answer = (_request, response) =>
      requests.at(-1) === 'KEY:new'
        ? reply(response, 200, fine)
        : reply(response, 401, refusal('UNAUTHENTICATED'));
    const answered = client.insist(returnLeaseDocument, variables, options);
    setTimeout(() => credential('old'), 50);
    setTimeout(() => credential('new'), 400);
    expect((await answered).returnLease).toMatchObject({ returned: true });
    expect(new Set(requests)).toEqual(new Set(['KEY:old', 'KEY:new']));
    expect(lines.join('')).not.toMatch(/old|S0VZ/);
    expect(lines.at(-1)).toContain('the server answers again');
  });

  it('goes on while the server or its database is away, or answers with something else', async () => {
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
    expect(requests).toHaveLength(5);
  });

  it('does not repeat what was refused for good', async () => {
    credential('secret');
    answer = (_request, response) => reply(response, 200, refusal('PERMISSION_DENIED'));
    await expect(client.insist(returnLeaseDocument, variables, options)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(requests).toHaveLength(1);
  });

  it('takes no answer in time for none', async () => {
    credential('secret');
    answer = () => {};
    await expect(
      client.ask(returnLeaseDocument, variables, { ...options, timeoutMs: 50 }),
    ).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('ends with the reason of its signal', async () => {
    credential('secret');
    answer = () => {};
    const controller = new AbortController();
    const asked = client.insist(returnLeaseDocument, variables, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(asked).rejects.toThrow('enough');
  });
});

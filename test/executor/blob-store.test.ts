import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBlobStore } from '../../src/executor/host/blob-store.ts';
import type { ApiClient } from '../../src/executor/host/client.ts';
import { createRoot } from './fixture.ts';

const { signal } = new AbortController();
let server: Server;
let url: string;
let requests: string[];
/** One answer for each request. */
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];

beforeEach(async () => {
  [requests, answers] = [[], []];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    requests.push(`${request.method} ${body}`);
    answers.shift()?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

/** The store of a run with one input of 5 bytes. The server gives these answers to `createBlobUpload`. */
function storeOf(...uploads: object[]) {
  const client = { ask: async () => ({ createBlobUpload: uploads.shift() }) } as unknown as ApiClient;
  const inputBlobs = [{ uri: 'slipway://blobs/one', downloadUrl: url, sizeBytes: '5' }];
  return createBlobStore(client, { id: 'run', inputBlobs });
}

describe('fetch', () => {
  it('writes the file, only for its user, and tries again if not all of it came', async () => {
    const file = join(await createRoot(), 'one');
    answers.push(
      (response) => void response.end('1234'),
      status(503),
      (response) => void response.end('12345'),
    );
    await storeOf().fetch('slipway://blobs/one', file, signal);
    expect(await readFile(file, 'utf8')).toBe('12345');
    expect((await stat(file)).mode & 0o7777).toBe(0o600);
    expect(requests).toHaveLength(3);
  });

  it('fails if the URL has expired, and for a file that is not among the inputs', async () => {
    const file = join(await createRoot(), 'one');
    answers.push(status(403));
    const refused = storeOf().fetch('slipway://blobs/one', file, signal);
    await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const unknown = storeOf().fetch('slipway://blobs/two', file, signal);
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(requests).toHaveLength(1);
  });
});

describe('store', () => {
  const uri = 'slipway://blobs/new';
  const payload = (uploadUrl: string | null) => ({ __typename: 'CreateBlobUploadPayload', uri, uploadUrl });
  async function output(): Promise<string> {
    const file = join(await createRoot(), 'output');
    await writeFile(file, 'made');
    return file;
  }

  it('sends the file, with a new URL at each try', async () => {
    answers.push(status(503), status(200));
    expect(await storeOf(payload(url), payload(url)).store(await output(), signal)).toBe(uri);
    expect(requests).toEqual(['PUT made', 'PUT made']);
  });

  it('sends nothing if the server has the file already', async () => {
    expect(await storeOf(payload(null)).store(await output(), signal)).toBe(uri);
    expect(requests).toEqual([]);
  });

  it('fails if the server refuses the file, which is a fault of the command if it is too large', async () => {
    answers.push(status(403));
    const refused = storeOf(payload(url)).store(await output(), signal);
    await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const tooLarge = {
      __typename: 'ResourceExhaustedError',
      code: 'RESOURCE_EXHAUSTED',
      message: 'too large',
    };
    await expect(storeOf(tooLarge).store(await output(), signal)).rejects.toMatchObject({
      kind: 'USER',
      code: 'OutputTooLarge',
      message: 'an output file cannot be uploaded: too large',
    });
  });
});

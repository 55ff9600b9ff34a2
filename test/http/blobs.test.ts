/** Files, uploaded and downloaded with signed links: completely or not at all. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedBlobUrl } from '../../src/blobs/signed-url.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
import { announce } from '../support/upload.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'files');
});
afterAll(() => app.stop());

const idOf = (uri: string) => uri.slice('slipway://blobs/'.length);
const soon = () => new Date(Date.now() + 60_000);
const linkTo = (uri: string) => signedBlobUrl(app.url, 'GET', idOf(uri), soon());
const put = (url: string, body: BodyInit | Readable, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'PUT', body: body as BodyInit, headers, duplex: 'half' } as RequestInit);

async function send(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const { uri, uploadUrl } = await announce(app, 'files', content);
  expect((await put(uploadUrl, content)).status).toBe(201);
  return uri;
}

describe('a file', () => {
  it('is uploaded and downloaded only by the links that the API gives', async () => {
    const content = randomBytes(3_000_000);
    const uri = await send(content);
    const response = await fetch(linkTo(uri));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toBe('attachment');
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    const bare = await fetch(`${app.url}/blobs/${idOf(uri)}`, { headers: { authorization: app.admin } });
    expect(bare.status).toBe(403);
  });

  it('is refused with the same answer for every invalid link', async () => {
    const uri = await send(Buffer.from('private'));
    const good = linkTo(uri);
    const refusals = [
      good.replace(/signature=./, (found) => (found.endsWith('A') ? 'signature=B' : 'signature=A')),
      good.replace(/expires=(\d+)/, (_found, at) => `expires=${Number(at) + 1}`),
      good.replace(/signature=[^&]*/, 'signature='),
      good.replace(/\?.*/, ''),
      good.replace(idOf(uri), newId()),
      good.replace(idOf(uri), 'none'),
      signedBlobUrl(app.url, 'GET', idOf(uri), new Date(Date.now() - 1000)),
      signedBlobUrl(app.url, 'PUT', idOf(uri), soon()),
    ].map(async (url) => {
      const response = await fetch(url);
      return `${response.status} ${await response.text()}`;
    });
    const answers = new Set(await Promise.all(refusals));
    expect([...answers]).toEqual([expect.stringMatching(/^403 .*PERMISSION_DENIED/)]);
  });

  it('is not found when the link is valid but nothing was uploaded', async () => {
    const { uri } = await announce(app, 'files', Buffer.from('never sent'));
    expect((await fetch(linkTo(uri))).status).toBe(404);
    expect((await fetch(signedBlobUrl(app.url, 'GET', newId(), soon()))).status).toBe(404);
  });

  it('is refused when it is not what was announced, and can be uploaded again', async () => {
    const content = Buffer.from('what was announced');
    const { uri, uploadUrl } = await announce(app, 'files', content);
    for (const wrong of ['what was Announced', 'shorter', '']) {
      const response = await put(uploadUrl, wrong);
      expect(response.status).toBe(422);
      expect((await fetch(linkTo(uri))).status).toBe(404);
    }
    expect((await put(uploadUrl, content)).status).toBe(201);
    expect((await put(uploadUrl, content)).status).toBe(200);
    expect(await (await fetch(linkTo(uri))).text()).toBe('what was announced');
  });

  it('is refused when it has the announced SHA-256 and not the announced size', async () => {
    const content = Buffer.from('shorter');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { uploadUrl } = await announce(app, 'files', { sha256, sizeBytes: content.length + 1 });
    expect((await put(uploadUrl, content)).status).toBe(422);
  });

  it.each([
    ['announced', (bytes: Uint8Array<ArrayBuffer>) => put(uploadUrl, bytes)],
    ['in pieces', (bytes: Uint8Array<ArrayBuffer>) => put(uploadUrl, Readable.from([bytes, bytes]))],
  ])('is refused when it is longer than announced: %s', async (_name, sendIt) => {
    ({ uploadUrl } = await announce(app, 'files', Buffer.from('short')));
    const response = await sendIt(randomBytes(300_000));
    expect(response.status).toBe(413);
    expect((await response.json()).errors[0].extensions.code).toBe('INVALID_ARGUMENT');
  });
  let uploadUrl = '';

  it('is uploaded once for the same content in the same project', async () => {
    const content = Buffer.from('the same');
    const uri = await send(content);
    const again = await announce(app, 'files', content);
    expect(again).toEqual({ uri, uploadUrl: '' });
    expect(await db.blobChunk.count({ where: { blobId: idOf(uri) } })).toBe(1);
  });

  it('is stored once when it is uploaded twice at the same time', async () => {
    const content = randomBytes(2_000_000);
    const { uri, uploadUrl } = await announce(app, 'files', content);
    // One of them receives the file. Others that come meanwhile must try again, and may be closed before they have sent all.
    const sent = [1, 2, 3].map(() =>
      put(uploadUrl, content).then(
        ({ status }) => status,
        () => 503,
      ),
    );
    const statuses = await Promise.all(sent);
    const isStored = (status: number) => status === 200 || status === 201;
    expect(statuses.filter((status) => !isStored(status) && status !== 503)).toEqual([]);
    expect(statuses.some(isStored)).toBe(true);
    const got = Buffer.from(await (await fetch(linkTo(uri))).arrayBuffer());
    expect(got.equals(content)).toBe(true);
  });

  it('can be empty', async () => {
    const uri = await send(Buffer.alloc(0));
    expect(await (await fetch(linkTo(uri))).text()).toBe('');
  });

  it('is not held in memory when it has 50 MB', async () => {
    const piece = randomBytes(1 << 20);
    const pieces = 50;
    const hash = createHash('sha256');
    for (let count = 0; count < pieces; count += 1) hash.update(piece);
    const sha256 = hash.digest('hex');
    const { uri, uploadUrl } = await announce(app, 'files', { sha256, sizeBytes: pieces * piece.length });
    const sending = watchMemory();
    const whole = function* () {
      for (let count = 0; count < pieces; count += 1) {
        if (count % LOOK_EVERY === 0) sending.look();
        yield piece;
      }
    };
    expect(await pour(uploadUrl, Readable.from(whole()))).toBe(201);
    expect(sending.median()).toBeLessThan((pieces / 2) * piece.length);

    const fetching = watchMemory();
    const received = createHash('sha256');
    let bytes = 0;
    let fetched = LOOK_EVERY;
    const [response] = (await once(httpRequest(linkTo(uri)).end(), 'response')) as [IncomingMessage];
    for await (const chunk of response) {
      received.update(chunk);
      bytes += chunk.length;
      if (bytes >= fetched * piece.length) {
        fetching.look();
        fetched += LOOK_EVERY;
      }
    }
    expect(received.digest('hex')).toBe(sha256);
    expect(fetching.median()).toBeLessThan((pieces / 2) * piece.length);
  });
});

/**
 * How many pieces come between two measurements of the memory. Each collects all garbage, which takes long in a process
 * that has run many tests.
 */
const LOOK_EVERY = 5;

/** Sends a stream piece by piece, which `fetch` does not do. @returns the status. */
async function pour(url: string, content: Readable): Promise<number | undefined> {
  const request = httpRequest(url, { method: 'PUT' });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  await pipeline(content, request);
  const [response] = await answered;
  response.resume();
  return response.statusCode;
}

/**
 * How much additional memory outside of the heap, where buffers are, is used most of the time, in bytes. Garbage is
 * collected before each measurement, but freed a little later. Single measurements are therefore too high, so we use
 * the median.
 */
function watchMemory() {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  const looks: number[] = [];
  return {
    look: () => void looks.push(held()),
    median() {
      expect(looks.length).toBeGreaterThan(2);
      return (looks.sort((one, other) => one - other)[looks.length >> 1] ?? 0) - before;
    },
  };
}

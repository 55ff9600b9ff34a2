/** Files in S3-compatible storage, uploaded and downloaded as from the database. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deleteRemains } from '../../src/blobs/commands/delete-remains.ts';
import { storeContent } from '../../src/blobs/commands/store-content.ts';
import { deleteObject, openObject } from '../../src/blobs/object-storage.ts';
import { openContent } from '../../src/blobs/open-content.ts';
import { signedBlobUrl } from '../../src/blobs/signed-url.ts';
import { finishBlob, storeChunk } from '../../src/blobs/store/blobs.ts';
import { db } from '../../src/platform/database/client.ts';
import { sweepBlobs } from '../../src/retention/commands/sweep-blobs.ts';
import { type App, startApp } from '../support/app.ts';
import { needs } from '../support/require.ts';
import { S3Server } from '../support/s3.ts';
import { registerProject } from '../support/seed.ts';
import { announce } from '../support/upload.ts';

const BUCKET = 'slipway-files';
/** The configuration is read when the server is imported, so the address must be known before. */
const port = await vi.hoisted(async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  const free = typeof address === 'object' && address !== null ? address.port : 0;
  process.env['BLOB_URL'] = `s3://slipway-files/some/prefix?endpoint=http://127.0.0.1:${free}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'tester';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'tester';
  return free;
});

const MIB = 1024 * 1024;

describe.runIf(needs('s3', 'files in S3-compatible storage'))('a file in a bucket', () => {
  let app: App;
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await S3Server.start(port, BUCKET);
    app = await startApp({ scheduler: false });
    await registerProject(app, 'files');
  });
  afterAll(async () => {
    await app.stop();
    await s3.stop();
  });

  const idOf = (uri: string) => uri.slice('slipway://blobs/'.length);
  const download = (uri: string) =>
    fetch(signedBlobUrl(app.url, 'GET', idOf(uri), new Date(Date.now() + 60_000)));
  const rowOf = (uri: string) => db.blob.findUniqueOrThrow({ where: { id: idOf(uri) } });

  async function send(content: Uint8Array<ArrayBuffer>): Promise<string> {
    const { uri, uploadUrl } = await announce(app, 'files', content);
    expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
    return uri;
  }

  it('is uploaded and downloaded, and the database has only its address', async () => {
    const content = randomBytes(700_000);
    const uri = await send(content);
    const { id, tenantId, location, uploadedAt } = await rowOf(uri);
    const key = `some/prefix/${tenantId}/${id}`;
    expect([location, uploadedAt]).toEqual([`s3://${BUCKET}/${key}`, expect.any(Date)]);
    expect(await s3.objects()).toContainEqual([key, content.length]);
    expect(await db.blobChunk.count()).toBe(0);
    const response = await download(uri);
    expect(response.headers.get('content-length')).toBe(String(content.length));
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
  });

  it('may be empty', async () => {
    const response = await download(await send(Buffer.alloc(0)));
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('is sent in one piece up to 8 MiB, and in parts above', async () => {
    for (const [size, parts] of [
      [8 * MIB, ''],
      [8 * MIB + 1, '-2'],
      [17 * MIB, '-3'],
    ] as const) {
      const content = randomBytes(size);
      const uri = await send(content);
      const { location } = await rowOf(uri);
      const etag = await s3.etag(location?.slice(`s3://${BUCKET}/`.length) ?? '');
      expect(etag).toMatch(new RegExp(`^"[0-9a-f]{32}${parts}"$`));
      const body = Buffer.from(await (await download(uri)).arrayBuffer());
      expect(body.equals(content)).toBe(true);
    }
  });

  it('leaves no parts behind when it cannot be sent completely', async () => {
    const { uri } = await announce(app, 'files', { sha256: 'a'.repeat(64), sizeBytes: 20 * MIB });
    const blob = await rowOf(uri);
    async function* broken() {
      yield randomBytes(9 * MIB);
      throw new Error('the sender is gone');
    }
    await expect(storeContent(blob, broken())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await s3.unfinishedUploads()).toBe(0);
    expect((await rowOf(uri)).uploadedAt).toBeNull();
  });

  it('is stored only if the storage has all of it', async () => {
    const { uri } = await announce(app, 'files', { sha256: 'b'.repeat(64), sizeBytes: 10 });
    async function* short() {
      yield Buffer.from('123456789');
    }
    await expect(storeContent(await rowOf(uri), short())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await rowOf(uri)).uploadedAt).toBeNull();
  });

  it('is stored once when it is sent twice at the same time', async () => {
    const content = randomBytes(MIB);
    const { uri, uploadUrl } = await announce(app, 'files', content);
    const sent = await Promise.all(
      [1, 2].map(() =>
        fetch(uploadUrl, { method: 'PUT', body: content }).then(
          ({ status }) => status,
          () => 'closed',
        ),
      ),
    );
    // A file has one upload at a time. The other one finds it stored, or is refused, perhaps before it has sent all.
    expect(sent).toContain(201);
    for (const status of sent) expect([201, 200, 503, 'closed']).toContain(status);
    const { id } = await rowOf(uri);
    expect((await s3.objects()).filter(([key]) => key.endsWith(id))).toHaveLength(1);
  });

  it('is never complete for its reader if the storage has something else', async () => {
    const content = randomBytes(MIB);
    const uri = await send(content);
    const { location, sha256, sizeBytes } = await rowOf(uri);
    const key = location?.slice(`s3://${BUCKET}/`.length) ?? '';
    for (const other of [randomBytes(MIB), content.subarray(1), Buffer.concat([content, Buffer.from('x')])]) {
      await s3.overwrite(key, other);
      await expect(download(uri).then((response) => response.arrayBuffer())).rejects.toThrow();
      let bytes = 0;
      const reading = async () => {
        const pieces = await openObject({ location: location ?? '', sha256, sizeBytes });
        for await (const piece of pieces) bytes += piece.length;
      };
      await expect(reading()).rejects.toThrow('is not what was stored');
      expect(bytes).toBeLessThan(content.length);
    }
    await s3.overwrite(key, content);
    expect((await download(uri)).status).toBe(200);
  });

  it('is UNAVAILABLE when the storage does not have it, before anything is sent', async () => {
    const uri = await send(randomBytes(100));
    const { location } = await rowOf(uri);
    await deleteObject(location ?? '');
    await deleteObject(location ?? '');
    const response = await download(uri);
    expect(response.status).toBe(503);
    expect((await response.json()).errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  });

  it('stays readable in the database if it was stored before there was a bucket', async () => {
    const content = Buffer.from('earlier');
    const { uri } = await announce(app, 'files', content);
    await storeChunk(idOf(uri), 0, content);
    expect(await finishBlob(idOf(uri), 1, 7n)).toBe(true);
    const pieces: Uint8Array[] = [];
    for await (const piece of await openContent(await rowOf(uri))) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('earlier');
    expect(await (await download(uri)).text()).toBe('earlier');
  });

  it('is deleted from the bucket after its row, also if the scheduler dies in between', async () => {
    const uri = await send(randomBytes(100));
    const id = idOf(uri);
    await db.blob.update({ where: { id }, data: { usedAt: new Date(0) } });
    await sweepBlobs(new Date(1));
    const hasObject = async () => (await s3.objects()).some(([key]) => key.endsWith(id));
    expect([await db.blob.count({ where: { id } }), await hasObject()]).toEqual([0, true]);
    expect(await deleteRemains(100)).toBe(false);
    expect([await db.blobRemains.count(), await hasObject()]).toEqual([0, false]);
  });
});

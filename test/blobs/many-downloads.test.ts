/** Downloads from a bucket that clients read slowly. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openObject } from '../../src/blobs/object-storage.ts';
import { eventually } from '../support/waiting.ts';

/** The configuration is read when the storage is imported, so the address must be known before. */
const port = await vi.hoisted(async () => {
  const net = await import('node:net');
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  const free = typeof address === 'object' && address !== null ? address.port : 0;
  process.env['BLOB_URL'] = `s3://files?endpoint=http://127.0.0.1:${free}`;
  process.env['AWS_ACCESS_KEY_ID'] = 'tester';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'tester';
  return free;
});

/** A bucket whose objects never end. */
const begun: ServerResponse[] = [];
const bucket = createServer((_request, response) => {
  begun.push(response);
  response.writeHead(200, { 'content-length': '1000' }).write('x');
});
beforeAll(async () => {
  bucket.listen(port, '127.0.0.1');
  await once(bucket, 'listening');
});
afterAll(async () => {
  bucket.closeAllConnections();
  await new Promise((resolve) => bucket.close(resolve));
});

describe('downloads that do not end', () => {
  it('do not stop the next one', async () => {
    const object = { location: 's3://files/one', sizeBytes: 1000n, sha256: new Uint8Array(32) };
    const contents = Array.from({ length: 120 }, () => openObject(object));
    await eventually(
      () => begun.length,
      (count) => count === 120,
    );
    for (const response of begun) response.destroy();
    for (const content of await Promise.all(contents))
      await expect(content.next()).rejects.toThrow(/aborted|reset/);
    expect(begun).toHaveLength(120);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { storeContent } from '../../src/blobs/commands/store-content.ts';
import {
  CHUNK_BYTES,
  ensureBlob,
  findBlob,
  finishBlob,
  readContent,
  storeChunk,
} from '../../src/blobs/store/blobs.ts';
import { inUploadSlot } from '../../src/blobs/upload-slots.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { overtaken } from '../support/waiting.ts';

const tenantId = newId();
const projectId = newId();
beforeAll(async () => {
  await db.tenant.create({ data: { id: tenantId, name: 'blobs', nameKey: 'blobs' } });
  await db.project.create({ data: { id: projectId, tenantId, identifier: 'p', name: 'p' } });
});

const announce = (content: Uint8Array, sizeBytes = content.length) =>
  ensureBlob({
    tenantId,
    projectId,
    sha256: new Uint8Array(createHash('sha256').update(content).digest()),
    sizeBytes: BigInt(sizeBytes),
  });

async function* piecesOf(content: Uint8Array, bytes = 100_000) {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

async function contentOf(id: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of readContent(id)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const isWhole = async (id: string) => (await findBlob(id))?.uploadedAt != null;

describe('storeContent', () => {
  it('stores the whole content in chunks of 512 KiB, however it arrives', async () => {
    const chunk = 512 * 1024;
    const content = randomBytes(chunk * 2 + 5);
    const blob = await announce(content);
    await storeContent(blob, piecesOf(content));
    expect(await isWhole(blob.id)).toBe(true);
    expect((await contentOf(blob.id)).equals(content)).toBe(true);
    const chunks = await db.blobChunk.findMany({ where: { blobId: blob.id }, orderBy: { position: 'asc' } });
    expect(chunks.map((one) => one.content.length)).toEqual([chunk, chunk, 5]);
  });

  it('holds no transaction while it waits for content', async () => {
    const content = randomBytes(CHUNK_BYTES + 1);
    const blob = await announce(content);
    async function* slow() {
      for await (const piece of piecesOf(content)) yield piece;
      const { rows } = await watcher.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      );
      expect(rows).toEqual([{ n: 0 }]);
      // The first piece is already visible to others; it does not wait for the last one.
      expect(await db.blobChunk.count({ where: { blobId: blob.id } })).toBe(1);
    }
    const watcher = new pg.Client(process.env['DATABASE_URL']);
    await watcher.connect();
    try {
      await storeContent(blob, slow());
    } finally {
      await watcher.end();
    }
    expect(await isWhole(blob.id)).toBe(true);
  });

  it('stores content once when it is sent twice at the same time', async () => {
    const content = randomBytes(CHUNK_BYTES * 3 + 7);
    const blob = await announce(content);
    await Promise.all([1, 2, 3].map((bytes) => storeContent(blob, piecesOf(content, bytes * 70_001))));
    expect(await isWhole(blob.id)).toBe(true);
    expect((await contentOf(blob.id)).equals(content)).toBe(true);
  });

  it('leaves a blob incomplete when the content stops, and the next upload completes it', async () => {
    const content = randomBytes(CHUNK_BYTES * 2);
    const blob = await announce(content);
    async function* broken() {
      yield content.subarray(0, CHUNK_BYTES + 9);
      throw new Error('gone');
    }
    await expect(storeContent(blob, broken())).rejects.toThrow('gone');
    await expect(storeContent(blob, piecesOf(content.subarray(0, 20)))).rejects.toThrow('incomplete');
    expect(await isWhole(blob.id)).toBe(false);
    await storeContent(blob, piecesOf(content));
    expect(await isWhole(blob.id)).toBe(true);
    expect((await contentOf(blob.id)).equals(content)).toBe(true);
    expect(await db.blobChunk.count({ where: { blobId: blob.id } })).toBe(2);
  });

  it('overwrites the chunks of an earlier upload that had another size', async () => {
    const content = randomBytes(CHUNK_BYTES + 3);
    const blob = await announce(content);
    for (let position = 0; position < 6; position += 1) await storeChunk(blob.id, position, randomBytes(10));
    await storeContent(blob, piecesOf(content));
    expect((await contentOf(blob.id)).equals(content)).toBe(true);
  });

  it('changes nothing in a blob that is complete', async () => {
    const content = randomBytes(50);
    const blob = await announce(content);
    await storeContent(blob, piecesOf(content));
    const uploadedAt = new Date('2026-11-22T10:00:00.000Z');
    await db.blob.update({ where: { id: blob.id }, data: { uploadedAt } });
    await storeChunk(blob.id, 0, randomBytes(50));
    await storeChunk(blob.id, 1, randomBytes(50));
    await storeContent(blob, piecesOf(content));
    expect((await contentOf(blob.id)).equals(content)).toBe(true);
    expect(await findBlob(blob.id)).toMatchObject({ uploadedAt });
  });

  it('stores an empty content', async () => {
    const blob = await announce(new Uint8Array(0));
    await storeContent(blob, piecesOf(new Uint8Array(0)));
    expect(await isWhole(blob.id)).toBe(true);
  });
});

describe('a blob', () => {
  it('is complete with all of its pieces and all of its bytes', async () => {
    const content = randomBytes(20);
    const { id } = await announce(content);
    await storeChunk(id, 0, content);
    expect(await finishBlob(id, 2, 20n)).toBe(false);
    expect(await finishBlob(id, 1, 21n)).toBe(false);
    expect(await isWhole(id)).toBe(false);
    expect(await finishBlob(id, 1, 20n)).toBe(true);
    expect(await isWhole(id)).toBe(true);
  });

  it('keeps the time at which the first of two uploads was complete', async () => {
    const content = randomBytes(20);
    const { id } = await announce(content);
    await storeChunk(id, 0, content);
    const uploadedAt = new Date('2026-11-22T10:00:00.000Z');
    const second = await overtaken(
      () => finishBlob(id, 1, 20n),
      (tx) => tx.blob.update({ where: { id }, data: { uploadedAt } }),
    );
    expect(second).toBe(true);
    expect(await findBlob(id)).toMatchObject({ uploadedAt });
  });

  it('is not written again when it is announced again with the same size', async () => {
    const content = randomBytes(20);
    const { id } = await announce(content);
    const rowVersion = () => db.$queryRaw`select xmin::text from blobs where id = ${id}::uuid`;
    const before = await rowVersion();
    await announce(content);
    expect(await rowVersion()).toEqual(before);
  });
});

describe('the size of a blob', () => {
  it('is the size that was announced last, until the content is complete', async () => {
    const content = randomBytes(42);
    const wrong = await announce(content, 1);
    const right = await announce(content);
    expect(right).toMatchObject({ id: wrong.id, sizeBytes: 42n });
    // A wrong size was announced during the upload. The content was checked with its hash, so the content decides.
    await announce(content, 7);
    await storeContent(right, piecesOf(content));
    expect(await announce(content, 7)).toMatchObject({ id: wrong.id, sizeBytes: 42n });
  });
});

describe('inUploadSlot', () => {
  const tried = (id: string, tenantId: string, userId: string | null = null) =>
    inUploadSlot({ id, tenantId, userId }, async () => 'in');
  const isRefused = { code: 'RESOURCE_EXHAUSTED' };
  /** Uploads that run until they are ended. */
  function hold(count: number, tenantId: string, userId: string | null = null) {
    const ends: (() => void)[] = [];
    const held = Array.from({ length: count }, (_, at) =>
      inUploadSlot(
        { id: `${tenantId} ${at}`, tenantId, userId },
        () => new Promise<void>((end) => ends.push(end)),
      ),
    );
    return { ends, held };
  }

  it('admits eight uploads of a tenant and refuses its next until one is done, but not those of others', async () => {
    const { ends, held } = hold(8, 'one');
    await expect(tried('new', 'one')).rejects.toMatchObject(isRefused);
    await expect(tried('new', 'other')).resolves.toBe('in');
    ends.shift()?.();
    await held[0];
    await expect(tried('new', 'one')).resolves.toBe('in');
    for (const end of ends) end();
    await Promise.all(held);
  });

  it('admits four uploads of a user, so that others of its tenant find a place', async () => {
    const { ends, held } = hold(4, 'one', 'user');
    await expect(tried('new', 'one', 'user')).rejects.toMatchObject(isRefused);
    await expect(tried('new', 'one', 'another')).resolves.toBe('in');
    await expect(tried('new', 'one')).resolves.toBe('in');
    for (const end of ends) end();
    await Promise.all(held);
    await expect(tried('new', 'one', 'user')).resolves.toBe('in');
  });

  it('admits sixteen uploads of all tenants', async () => {
    const all = [hold(8, 'one'), hold(8, 'other')];
    await expect(tried('new', 'third')).rejects.toMatchObject(isRefused);
    for (const { ends } of all) for (const end of ends) end();
    await Promise.all(all.flatMap(({ held }) => held));
    await expect(tried('new', 'third')).resolves.toBe('in');
  });

  it('admits one upload of each file at a time', async () => {
    const { ends, held } = hold(1, 'one');
    await expect(tried('one 0', 'one')).rejects.toMatchObject(isRefused);
    await expect(tried('one 1', 'one')).resolves.toBe('in');
    ends[0]?.();
    await Promise.all(held);
    await expect(tried('one 0', 'one')).resolves.toBe('in');
  });
});

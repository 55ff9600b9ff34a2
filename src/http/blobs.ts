import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { storeContent } from '../blobs/commands/store-content.ts';
import { isSignedBlobUrl } from '../blobs/signed-url.ts';
import { type BlobRow, CHUNK_BYTES, findBlob, readContent } from '../blobs/store.ts';
import { inUploadSlot, UPLOAD_RETRY_SECONDS } from '../blobs/upload-slots.ts';
import { ResourceExhaustedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { answerError, answerJson } from './answer.ts';

/**
 * Files: `PUT` and `GET /blobs/{id}` with the signature of a link that GraphQL gave. The link is the permission; without
 * a good one, every id answers alike.
 */
export async function answerBlob(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const id = url.pathname.slice('/blobs/'.length);
  const action = request.method === 'PUT' ? 'PUT' : request.method === 'GET' ? 'GET' : null;
  if (!action)
    return answerError(response, 405, 'INVALID_ARGUMENT', 'PUT or GET', {
      allow: 'GET, PUT',
    });
  const query = {
    expires: url.searchParams.get('expires'),
    signature: url.searchParams.get('signature'),
  };
  if (!isId(id) || !isSignedBlobUrl(action, id, query, new Date()))
    return answerError(response, 403, 'PERMISSION_DENIED', 'the link is not valid, or not any more');
  const blob = await findBlob(id);
  if (!blob) return answerError(response, 404, 'NOT_FOUND', 'there is no such file');
  if (action === 'GET') return await send(blob, response);
  try {
    await inUploadSlot(() => receive(blob, request, response));
  } catch (error) {
    if (!(error instanceof ResourceExhaustedError)) throw error;
    answerError(response, 503, error.code, error.message, {
      'retry-after': String(UPLOAD_RETRY_SECONDS),
      connection: 'close',
    });
  }
}

/** Takes the content in by way of a temporary file, so that a slow sender holds no connection to the database. */
async function receive(blob: BlobRow, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (blob.uploadedAt) {
    request.resume();
    return answerJson(response, 200, { status: 'there already' });
  }
  const folder = await mkdtemp(join(tmpdir(), 'slipway-upload-'));
  const file = join(folder, randomUUID());
  try {
    const hash = createHash('sha256');
    let size = 0n;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += BigInt(chunk.length);
        hash.update(chunk);
        done(size > blob.sizeBytes ? new TooLong() : null, chunk);
      },
    });
    try {
      await pipeline(request, check, createWriteStream(file, { mode: 0o600 }));
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      return answerError(response, 413, 'INVALID_ARGUMENT', 'longer than was announced', {
        connection: 'close',
      });
    }
    if (size !== blob.sizeBytes || !hash.digest().equals(blob.sha256))
      return answerError(response, 422, 'INVALID_ARGUMENT', 'the content is not what was announced');
    await storeContent(blob, createReadStream(file, { highWaterMark: CHUNK_BYTES }));
    answerJson(response, 201, { status: 'stored' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class TooLong extends Error {}

async function send(blob: BlobRow, response: ServerResponse): Promise<void> {
  if (!blob.uploadedAt) return answerError(response, 404, 'NOT_FOUND', 'there is no such file');
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': String(blob.sizeBytes),
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
    etag: `"${Buffer.from(blob.sha256).toString('hex')}"`,
  });
  await pipeline(Readable.from(readContent(blob.id)), response);
}

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { storeContent } from '../blobs/commands/store-content.ts';
import { openContent } from '../blobs/open-content.ts';
import { isSignedBlobUrl, userOfSignedUrl } from '../blobs/signed-url.ts';
import { type BlobRow, CHUNK_BYTES, findBlob } from '../blobs/store/blobs.ts';
import { inUploadSlot, UPLOAD_RETRY_SECONDS } from '../blobs/upload-slots.ts';
import { ResourceExhaustedError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { answerJson, refusal } from './answer.ts';
import { bodyOf } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { RequestUrl } from './request-url.ts';

/**
 * Files: `GET` and `PUT /blobs/{id}`, with the signed link from GraphQL. The link is the permission. Without a valid
 * link, the answer is the same for all ids.
 */
export async function fetchBlob({ url, response }: Exchange): Promise<void> {
  const { blob } = await linkedBlob('GET', url);
  if (!blob.uploadedAt) throw noFile();
  const content = await openContent(blob);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': String(blob.sizeBytes),
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
    etag: `"${Buffer.from(blob.sha256).toString('hex')}"`,
  });
  await pipeline(Readable.from(content), response);
}

export async function storeBlob({ url, request, response }: Exchange): Promise<void> {
  const { blob, userId } = await linkedBlob('PUT', url);
  if (blob.uploadedAt) {
    request.resume();
    return answerJson(response, 200, { status: 'already stored' });
  }
  try {
    await inUploadSlot({ id: blob.id, tenantId: blob.tenantId, userId }, () => receive(blob, request));
  } catch (error) {
    if (!(error instanceof ResourceExhaustedError)) throw error;
    const headers = { 'retry-after': String(UPLOAD_RETRY_SECONDS), connection: 'close' };
    throw refusal(error.code, error.message, { status: 503, headers });
  }
  answerJson(response, 201, { status: 'stored' });
}

/**
 * The file of a link, and the user who asked for the link, if it says this.
 *
 * @throws GraphQLError if the link is not valid or the file does not exist.
 */
async function linkedBlob(
  action: 'GET' | 'PUT',
  url: RequestUrl,
): Promise<{ blob: BlobRow; userId: string | null }> {
  const id = url.pathname.slice('/blobs/'.length);
  const query = {
    expires: url.searchParams.get('expires'),
    from: url.searchParams.get('from'),
    signature: url.searchParams.get('signature'),
  };
  if (!isId(id) || !isSignedBlobUrl(action, id, query, new Date()))
    throw refusal('PERMISSION_DENIED', 'the link is not valid or has expired');
  const blob = await findBlob(id);
  if (!blob) throw noFile();
  return { blob, userId: userOfSignedUrl(query) };
}

const noFile = () => refusal('NOT_FOUND', 'this file does not exist');

/** How much of an upload must arrive in each period. A slower one would keep its slot from others. */
const PERIOD_MS = 10_000;
const BYTES_IN_PERIOD = 65_536n;

/** @throws GraphQLError if less than this arrived in one of the periods. */
async function atLeastSlowly(
  arrived: () => bigint,
  receiveAll: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const tooSlow = new AbortController();
  let before = 0n;
  const watching = setInterval(() => {
    if (arrived() - before < BYTES_IN_PERIOD) tooSlow.abort();
    before = arrived();
  }, PERIOD_MS);
  try {
    await receiveAll(tooSlow.signal);
  } catch (error) {
    if (!tooSlow.signal.aborted) throw error;
    throw refusal('INVALID_ARGUMENT', 'the upload is too slow: less than 64 KiB arrived in 10 seconds', {
      status: 408,
      headers: { connection: 'close' },
    });
  } finally {
    clearInterval(watching);
  }
}

/** Stores the content in a temporary file first, so that a slow sender does not occupy a connection to the database. */
async function receive(blob: BlobRow, request: IncomingMessage): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-upload-'));
  const file = join(folder, randomUUID());
  try {
    const hash = createHash('sha256');
    let size = 0n;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += BigInt(chunk.length);
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const body = bodyOf(request, Number(blob.sizeBytes), 'INVALID_ARGUMENT');
    await atLeastSlowly(
      () => size,
      (signal) => pipeline(body, check, createWriteStream(file, { mode: 0o600 }), { signal }),
    );
    if (size !== blob.sizeBytes || !hash.digest().equals(blob.sha256))
      throw refusal('INVALID_ARGUMENT', 'the content does not have the announced size and SHA-256', {
        status: 422,
      });
    await storeContent(blob, createReadStream(file, { highWaterMark: CHUNK_BYTES }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

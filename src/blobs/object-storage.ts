import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { BlobBucket } from '../platform/blob-url.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { UnavailableError } from '../platform/errors.ts';
import { inPieces } from './in-pieces.ts';

/**
 * The contents of files in S3-compatible storage. This is the only file that loads the package of Amazon, and only if
 * `BLOB_URL` is set. Credentials come from where that package looks for them: AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY, a profile, a web identity, or the machine.
 */

type Package = typeof import('@aws-sdk/client-s3');

interface Storage extends BlobBucket {
  readonly client: S3Client;
  readonly s3: Package;
}

/** An object is sent in parts of this size, and in one piece if it is not larger. */
export const PART_BYTES = 8 * 1024 * 1024;
const CONNECT_MS = 5_000;
/** How long the storage may say nothing. */
const SILENCE_MS = 60_000;

let opening: Promise<Storage> | null = null;

/** @throws ConfigurationError if `BLOB_URL` is not set, or the package is not installed. */
export function openStorage(): Promise<Storage> {
  opening ??= open(controlPlaneConfig.blobBucket);
  return opening;
}

async function open(bucket: BlobBucket | undefined): Promise<Storage> {
  if (!bucket) throw new ConfigurationError('BLOB_URL is not set, but there are files in a bucket.');
  const s3 = await import('@aws-sdk/client-s3').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? 'BLOB_URL requires the package @aws-sdk/client-s3. Run npm ci without --omit=optional.'
        : `The package @aws-sdk/client-s3 cannot be loaded: ${error.message}`,
    );
  });
  const client = new s3.S3Client({
    region: bucket.region,
    ...(bucket.endpoint ? { endpoint: bucket.endpoint } : {}),
    // Many servers have no domain for each bucket.
    forcePathStyle: true,
    // Not every server knows the newer checksums. We send MD5 sums, and compare SHA-256 when we read.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      ...{ connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, socketTimeout: SILENCE_MS },
      // By default, fifty clients that read slowly would stop the downloads and uploads of all others. The connections
      // to the server itself are limited.
      httpAgent: { maxSockets: Number.POSITIVE_INFINITY },
      httpsAgent: { maxSockets: Number.POSITIVE_INFINITY },
    },
  });
  return { ...bucket, client, s3 };
}

/** What is stored: the SHA-256 and the length of the content were checked already. */
export interface StoredObject {
  readonly id: string;
  readonly tenantId: string;
  readonly sizeBytes: bigint;
}

/**
 * Stores the content of a file as one object, which is visible only when it is complete. Storing it twice gives the same
 * object.
 *
 * @returns where it is. @throws UnavailableError if the storage does not take it.
 */
export async function putObject(blob: StoredObject, content: AsyncIterable<Uint8Array>): Promise<string> {
  const storage = await openStorage();
  const key = `${storage.prefix}${blob.tenantId}/${blob.id}`;
  await asUnavailable(async () => {
    if (blob.sizeBytes <= BigInt(PART_BYTES)) await putWhole(storage, key, content);
    else await putParts(storage, key, content);
    const head = new storage.s3.HeadObjectCommand({ Bucket: storage.bucket, Key: key });
    const { ContentLength } = await storage.client.send(head);
    if (BigInt(ContentLength ?? -1) !== blob.sizeBytes)
      throw new Error(`the object has ${ContentLength} bytes, not ${blob.sizeBytes}`);
  });
  return `s3://${storage.bucket}/${key}`;
}

async function putWhole(
  { client, s3, bucket }: Storage,
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  const body = Buffer.concat(pieces);
  await client.send(
    new s3.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentMD5: md5Of(body) }),
  );
}

/** One part is in memory at a time. */
async function putParts(
  { client, s3, bucket }: Storage,
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const at = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(at));
  try {
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for await (const body of inPieces(content, PART_BYTES)) {
      const PartNumber = parts.length + 1;
      const part = { ...at, UploadId, PartNumber, Body: body, ContentMD5: md5Of(body) };
      const { ETag } = await client.send(new s3.UploadPartCommand(part));
      parts.push({ PartNumber, ETag });
    }
    const whole = { ...at, UploadId, MultipartUpload: { Parts: parts } };
    await client.send(new s3.CompleteMultipartUploadCommand(whole));
  } catch (error) {
    // Otherwise the storage keeps the parts, and bills them. What this cannot remove is for a rule of the bucket.
    await client.send(new s3.AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {});
    throw error;
  }
}

const md5Of = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('base64');

/** What is read, and what its content must be. */
export interface ReadableObject {
  readonly location: string;
  readonly sizeBytes: bigint;
  readonly sha256: Uint8Array;
}

/**
 * Opens an object, so that whoever asks for it learns at once if this is not possible.
 *
 * @returns its content. It throws before its last piece if the content is not what was stored.
 * @throws UnavailableError if the storage does not answer with the object.
 */
export async function openObject(object: ReadableObject): Promise<AsyncGenerator<Uint8Array>> {
  const { client, s3 } = await openStorage();
  const command = new s3.GetObjectCommand(addressOf(object.location));
  const { Body } = await asUnavailable(() => client.send(command));
  return checked(Body as Readable, object);
}

/** The last piece is held back until the whole content was compared: a reader must not take a wrong file for complete. */
async function* checked(
  body: Readable,
  { location, sizeBytes, sha256 }: ReadableObject,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0n;
  let waiting: Uint8Array | null = null;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      hash.update(piece);
      bytes += BigInt(piece.length);
      if (bytes > sizeBytes) break;
      if (waiting) yield waiting;
      waiting = piece;
    }
    if (bytes !== sizeBytes || !hash.digest().equals(sha256))
      throw new Error(`the content of ${location} is not what was stored`);
    if (waiting) yield waiting;
  } finally {
    body.destroy();
  }
}

/** Deletes an object. One that does not exist is deleted, too. @throws UnavailableError if the storage does not do it. */
export async function deleteObject(location: string): Promise<void> {
  const { client, s3 } = await openStorage();
  await asUnavailable(() => client.send(new s3.DeleteObjectCommand(addressOf(location))));
}

function addressOf(location: string): { Bucket: string; Key: string } {
  const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  return { Bucket, Key };
}

/** What the storage says is for the log. The caller can only try again. */
async function asUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UnavailableError('the storage of files is not available at the moment, try again', {
      cause: error,
    });
  }
}

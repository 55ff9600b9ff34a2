import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError, errorOfResponse, unanswered } from './api-error.ts';
import { type ApiClient, payloadOf } from './client.ts';
import { createBlobUploadDocument } from './documents.ts';
import { retrying } from './retry.ts';
import { RunError } from './run-error.ts';
import type { BlobStore } from './runtime.ts';

/** An input file, with a URL that is valid for some minutes after the run was leased. */
export interface SignedFile {
  readonly uri: string;
  readonly downloadUrl: string;
  /** A decimal number as text. */
  readonly sizeBytes: string;
}

/**
 * Transfers files over HTTP: downloads use the URLs that came with the run, uploads the URLs from `createBlobUpload`.
 * Both are repeated while the server is down, until their signal fires. If a URL has expired, the call fails; the next
 * lease of the job has new URLs.
 */
export function createBlobStore(
  client: ApiClient,
  run: { readonly id: string; readonly inputBlobs: readonly SignedFile[] },
): BlobStore {
  const inputs = new Map(run.inputBlobs.map((file) => [file.uri, file]));
  return {
    async fetch(uri, toFile, signal) {
      const file = inputs.get(uri);
      if (!file) throw new ApiError('NOT_FOUND', `${uri} is not among the input files of the run`);
      await retrying(signal, () => download(file, toFile, signal));
    },
    async store(file, signal) {
      const [sha256, { size }] = await Promise.all([hashOf(file, signal), stat(file)]);
      return await retrying(signal, () => upload(client, run.id, { file, sha256, size }, signal));
    },
  };
}

async function download(file: SignedFile, toFile: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(file.downloadUrl, { signal });
    if (!response.ok || !response.body) throw await refusal(response);
    await pipeline(response.body, createWriteStream(toFile, { mode: 0o600 }), { signal });
    const { size } = await stat(toFile);
    if (String(size) !== file.sizeBytes)
      throw new ApiError('UNAVAILABLE', `only ${size} of ${file.sizeBytes} bytes arrived`);
  } catch (error) {
    throw unanswered(error, signal);
  }
}

interface LocalContent {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
}

/** @returns the URI. It asks for a new URL at each try, because the last one may have expired. */
async function upload(
  client: ApiClient,
  runId: string,
  { file, sha256, size }: LocalContent,
  signal: AbortSignal,
): Promise<string> {
  const input = { owner: { run: runId }, sha256, sizeBytes: String(size) };
  const { createBlobUpload } = await client.ask(createBlobUploadDocument, { input }, { signal });
  if (createBlobUpload?.__typename === 'ResourceExhaustedError')
    throw new RunError(
      'USER',
      'OutputTooLarge',
      `an output file cannot be uploaded: ${createBlobUpload.message}`,
    );
  const { uri, uploadUrl } = payloadOf(createBlobUpload, 'CreateBlobUploadPayload');
  if (uploadUrl !== null) await put(uploadUrl, file, size, signal);
  return uri;
}

async function put(uploadUrl: string, file: string, size: number, signal: AbortSignal): Promise<void> {
  const content = createReadStream(file);
  try {
    const request: RequestInit & { duplex: 'half' } = {
      method: 'PUT',
      headers: { 'content-length': String(size), 'content-type': 'application/octet-stream' },
      body: Readable.toWeb(content) as ReadableStream,
      duplex: 'half',
      signal,
    };
    const response = await fetch(uploadUrl, request);
    if (!response.ok) throw await refusal(response);
    await response.text();
  } catch (error) {
    throw unanswered(error, signal);
  } finally {
    content.destroy();
  }
}

async function refusal(response: Response): Promise<ApiError> {
  await response.body?.cancel();
  return errorOfResponse(response);
}

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

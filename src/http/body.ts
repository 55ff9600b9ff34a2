import type { IncomingMessage } from 'node:http';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { findRoundedNumber } from '../platform/exact-json.ts';
import { parseInParts } from '../platform/json-in-parts.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';
import { bytesUnderWay, STRANGER_LIMIT_BYTES } from './bytes-under-way.ts';
import type { Meter } from './rate.ts';
import { LONG_BODY_BYTES, turns } from './turns.ts';

/**
 * The body of a request in pieces, at most `limit` bytes. If a longer body did not announce its length, as much again
 * is read and ignored, because most clients read the answer only after they have sent everything.
 *
 * @throws GraphQLError with this code and HTTP status 413.
 */
export async function* bodyOf(
  request: IncomingMessage,
  limit: number,
  code: ErrorCode = 'RESOURCE_EXHAUSTED',
): AsyncGenerator<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  let size = 0;
  if (announced <= limit)
    // By default, leaving the loop early would close the connection before the answer is sent.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= limit) yield chunk;
      else if (size > 2 * limit) break;
    }
  if (Math.max(announced, size) <= limit) return;
  limitRefusals.inc({ limit: 'body' });
  throw refusal(code, `the body must have at most ${limit} bytes`, {
    status: 413,
    headers: { connection: 'close' },
  });
}

/**
 * The longest body that a caller may send. A caller who is not signed in needs little, and everybody can be one.
 */
export const bodyLimitFor = (caller: Caller | null): number =>
  caller ? serverConfig.bodyLimitBytes : Math.min(serverConfig.bodyLimitBytes, STRANGER_LIMIT_BYTES);

/** Whether a body is long, or does not say its length. */
export const isLongBody = ({ headers }: IncomingMessage): boolean =>
  !(Number(headers['content-length']) <= LONG_BODY_BYTES);

/**
 * The JSON in the body of a request.
 *
 * @param meter  of the caller, whose turn it must be before a long body is parsed.
 * @throws GraphQLError for another content type. A foreign page can send only forms and plain text without the consent
 * of the server.
 */
export async function readJson(
  request: IncomingMessage,
  limit: number,
  meter: Meter | null = null,
): Promise<unknown> {
  if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw refusal('INVALID_ARGUMENT', 'the content type must be application/json', { status: 415 });
  const text = await textOf(request, limit, meter);
  const rounded = findRoundedNumber(text);
  if (rounded !== null)
    throw refusal(
      'INVALID_ARGUMENT',
      `the number ${rounded.slice(0, 40)} would lose digits; send it as text`,
    );
  try {
    return text.length > LONG_BODY_BYTES ? await parsedInTurns(text) : JSON.parse(text);
  } catch {
    throw refusal('INVALID_ARGUMENT', 'the body is not valid JSON');
  }
}

async function parsedInTurns(text: string): Promise<unknown> {
  const parts = parseInParts(text, LONG_BODY_BYTES);
  for (;;) {
    await turns.goOn();
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/**
 * The fields of a form.
 *
 * @throws GraphQLError for another content type, a body that is too long, or one that is not valid UTF-8.
 */
export async function readForm(
  request: IncomingMessage,
  limit: number,
  meter: Meter | null = null,
): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw refusal('INVALID_ARGUMENT', 'the content type must be application/x-www-form-urlencoded', {
      status: 415,
    });
  const text = await textOf(request, limit, meter);
  requireEncodedUtf8(text);
  return new URLSearchParams(text);
}

/**
 * Refuses bytes behind percent signs that are not UTF-8. `URLSearchParams` would replace them without a word.
 *
 * @throws GraphQLError
 */
export function requireEncodedUtf8(text: string): void {
  const byte = (_whole: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16));
  const bytes = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replaceAll(/%([\da-f]{2})/gi, byte);
  decodedUtf8(Buffer.from(bytes, 'latin1'));
}

/** Whether a body is in UTF-8, as far as its headers say. */
export function isInUtf8({ headers }: IncomingMessage): boolean {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '') ?? [];
  return /^(utf-?8|us-ascii)$/i.test(charset);
}

async function textOf(request: IncomingMessage, limit: number, meter: Meter | null): Promise<string> {
  if (!isInUtf8(request)) throw refusal('INVALID_ARGUMENT', 'the charset must be utf-8', { status: 415 });
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding.toLowerCase() !== 'identity')
    throw refusal('INVALID_ARGUMENT', 'the body must not be compressed', {
      status: 415,
      headers: { 'accept-encoding': 'identity' },
    });
  const underWay = limit > STRANGER_LIMIT_BYTES ? bytesUnderWay.signedIn : bytesUnderWay.stranger;
  const chunks: Buffer[] = [];
  let taken = 0;
  const keep = (chunk: Buffer) => {
    underWay.take(chunk.length);
    taken += chunk.length;
    chunks.push(chunk);
  };
  try {
    const announced = Number(request.headers['content-length']);
    if (announced <= limit && !(meter && announced > LONG_BODY_BYTES)) await receiveAll(request, keep);
    else
      for await (const chunk of bodyOf(request, limit)) {
        keep(chunk);
        // No more arrives meanwhile than the stream holds.
        if (meter && taken > LONG_BODY_BYTES) await turns.begin(meter.owner);
      }
    if (meter && taken > LONG_BODY_BYTES) await turns.begin(meter.owner);
    return decodedUtf8(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  } finally {
    underWay.giveBack(taken);
  }
}

/**
 * Receives a body of known length. Node ends it at that length. This is several times cheaper than an iterator, which
 * matters because it happens for almost every request.
 */
function receiveAll(request: IncomingMessage, keep: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      request.off('data', receive);
      reject(error);
    };
    const receive = (chunk: Buffer) => {
      try {
        keep(chunk);
      } catch (error) {
        fail(error);
      }
    };
    let hasEnded = false;
    request.on('data', receive);
    request.once('end', () => {
      hasEnded = true;
      resolve();
    });
    request.once('error', fail);
    // Each request is closed at its end, and an error costs more than the rest of this function.
    request.once('close', () => {
      if (!hasEnded) fail(new Error('the client has closed the connection'));
    });
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws GraphQLError for bytes that are not UTF-8. A decoder that is not fatal would replace them. */
function decodedUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refusal('INVALID_ARGUMENT', 'the request has bytes that are not valid UTF-8');
  }
}

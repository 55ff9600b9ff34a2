import { readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isRecord } from '../../../values/json.ts';

/**
 * Calls to slurmrestd, each sent once. They fail with a SlurmError, which says whether the same call can succeed later.
 */

export interface SlurmAddress {
  /** `http://…`, `https://…`, or `unix:/path/of/the/socket`. */
  readonly url: string;
  readonly user: string;
  /** The token itself, or a file with it that somebody replaces from time to time. */
  readonly token: { readonly text: string } | { readonly file: string };
}

/**
 * AWAY: slurmrestd or slurmctld does not answer, or is busy. UNAUTHENTICATED: the token is missing, wrong or has
 * expired. UNKNOWN_JOB: Slurm does not have the job, perhaps not any more. REFUSED: it will never accept this call.
 */
export type SlurmFault = 'AWAY' | 'UNAUTHENTICATED' | 'UNKNOWN_JOB' | 'REFUSED';

export class SlurmError extends Error {
  override name = this.constructor.name;
  readonly fault: SlurmFault;

  constructor(fault: SlurmFault, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fault = fault;
  }
}

/** Whether the same call can succeed later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof SlurmError && (error.fault === 'AWAY' || error.fault === 'UNAUTHENTICATED');

export type Method = 'GET' | 'POST' | 'DELETE';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 20_000;
/** A description of the whole API, or a list of many nodes, has some megabytes. */
const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const MESSAGE_LIMIT = 500;

/** ESLURM_INVALID_JOB_ID, and what it is called where a job belongs to an array. */
const UNKNOWN_JOB_NUMBERS = [2017];
/** ESLURM_ALREADY_DONE, ESLURM_TRANSITION_STATE_NO_UPDATE: there is nothing to do any more. */
const DONE_NUMBERS = [2021, 2020];
/** From here to the end are the errors of slurmctld about a call. Below are errors of the network. */
const [FIRST_REFUSAL, LAST_REFUSAL] = [2000, 3999];
/** ESLURM_AUTH_CRED_INVALID, ESLURM_AUTH_BADARG and their neighbours. */
const AUTH_NUMBERS = [6001, 6002, 6003, 6004, 6005, 6006, 1007];

export class SlurmClient {
  readonly #address: SlurmAddress;
  #token: { readonly readAt: string; readonly text: string } | null = null;

  constructor(address: SlurmAddress) {
    this.#address = address;
  }

  /** The user of Slurm who calls. */
  get user(): string {
    return this.#address.user;
  }

  /** The JSON object that slurmrestd answers. @throws SlurmError; the reason of the signal if it fires. */
  async ask(
    method: Method,
    path: string,
    { body, signal }: { readonly body?: object; readonly signal?: AbortSignal } = {},
  ): Promise<Record<string, unknown>> {
    return readAnswer(await this.#send(method, path, body, signal));
  }

  async #send(method: Method, path: string, body: object | undefined, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    const { url, user } = this.#address;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      accept: 'application/json',
      'x-slurm-user-name': user,
      'x-slurm-user-token': this.#readToken(),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    };
    const isSocket = url.startsWith('unix:');
    const base = isSocket ? 'http://localhost' : url.replace(/\/+$/, '');
    const target = new URL(`${base}${path}`);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const place = isSocket ? { socketPath: url.slice('unix:'.length) } : {};
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    return await new Promise<Answer>((resolve, reject) => {
      const fail = (error: unknown) => {
        stopListening();
        reject(signal?.aborted ? signal.reason : asAway(error, limit.aborted));
      };
      const request = send(target, { method, headers, ...place }, (response) => {
        const pieces: Buffer[] = [];
        let size = 0;
        response.on('data', (piece: Buffer) => {
          size += piece.length;
          if (size > BODY_LIMIT_BYTES) request.destroy(new Error('the answer is too large'));
          else pieces.push(piece);
        });
        response.on('error', fail);
        response.on('end', () => {
          stopListening();
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') });
        });
      });
      const stop = () => request.destroy(new Error('stopped'));
      const stopListening = () => {
        signal?.removeEventListener('abort', stop);
        limit.removeEventListener('abort', stop);
      };
      signal?.addEventListener('abort', stop);
      limit.addEventListener('abort', stop);
      request.on('error', fail);
      request.end(text);
    });
  }

  /** The file is read again when it has changed. */
  #readToken(): string {
    const { token } = this.#address;
    if ('text' in token) return token.text;
    try {
      const { mtimeMs, size, ino } = statSync(token.file);
      const readAt = `${mtimeMs} ${size} ${ino}`;
      if (this.#token?.readAt !== readAt) this.#token = { readAt, text: readTokenFile(token.file) };
      return this.#token.text;
    } catch (cause) {
      if (cause instanceof SlurmError) throw cause;
      throw new SlurmError('UNAUTHENTICATED', `cannot read the token in ${token.file}`, { cause });
    }
  }
}

/** Also the output of `scontrol token`, which begins with `SLURM_JWT=`. */
export function readTokenFile(file: string): string {
  const text = readFileSync(file, 'utf8')
    .trim()
    .replace(/^SLURM_JWT=/, '');
  if (!/^[\w.~+/=-]+$/.test(text)) throw new SlurmError('UNAUTHENTICATED', `${file} does not have a token`);
  return text;
}

/** @throws SlurmError for everything but a success. */
export function readAnswer({ status, body }: Answer): Record<string, unknown> {
  const answer = parse(body);
  const errors = isRecord(answer) && Array.isArray(answer['errors']) ? answer['errors'].filter(isRecord) : [];
  if (isRecord(answer) && status < 300 && errors.every(isHarmless)) return answer;
  const numbers = errors.map((error) => Number(error['error_number'] ?? error['error_code'] ?? 0));
  const told = errors.map((error) => String(error['description'] ?? error['error'] ?? '')).filter(Boolean);
  const message = (told.join('; ') || (isRecord(answer) ? '' : body) || `HTTP ${status}`)
    .replace(/\s+/g, ' ')
    .slice(0, MESSAGE_LIMIT);
  throw new SlurmError(faultOf(status, numbers, message), message);
}

const isHarmless = (error: Record<string, unknown>) => Number(error['error_number'] ?? 0) === 0;

function faultOf(status: number, numbers: readonly number[], message: string): SlurmFault {
  if (numbers.some((number) => UNKNOWN_JOB_NUMBERS.includes(number) || DONE_NUMBERS.includes(number)))
    return 'UNKNOWN_JOB';
  const isAuth =
    numbers.some((number) => AUTH_NUMBERS.includes(number)) || /authentication fail/i.test(message);
  if (status === 401 || status === 403 || isAuth) return 'UNAUTHENTICATED';
  if (numbers.some((number) => number >= FIRST_REFUSAL && number <= LAST_REFUSAL)) return 'REFUSED';
  return status >= 400 && status < 500 && ![404, 408, 429].includes(status) ? 'REFUSED' : 'AWAY';
}

function asAway(error: unknown, isTimeout: boolean): SlurmError {
  const why = isTimeout ? 'no answer in time' : error instanceof Error ? error.message : String(error);
  return new SlurmError('AWAY', `slurmrestd does not answer: ${why}`, { cause: error });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

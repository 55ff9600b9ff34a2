import { readFile } from 'node:fs/promises';
import type { TypedDocumentString } from '../../generated/executor/graphql.ts';
import type { ErrorCode } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { ApiError, codeOfStatus, mayPass, unanswered } from './api-error.ts';
import { retrying } from './retry.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  /** For one try; 15 s unless told. */
  readonly timeoutMs?: number;
}

/** The server's public GraphQL API, as far as an executor goes. */
export interface ApiClient {
  /** Asks once. @throws ApiError; the signal's reason when that fires. */
  ask<R, V>(document: TypedDocumentString<R, V>, variables: V, options: CallOptions): Promise<R>;
  /** Asks until it is answered, however long the server is away. @throws ApiError for a refusal that stays. */
  insist<R, V>(document: TypedDocumentString<R, V>, variables: V, options: CallOptions): Promise<R>;
}

export interface ClientOptions {
  /** Of the server, without `/graphql`. */
  readonly url: string;
  /** JSON: `accessKey`, `secretKey`. May come later, and may change. */
  readonly credentialFile: string;
  readonly log: Log;
}

const TIMEOUT_MS = 15_000;
const REMIND_MS = 30_000;

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: ErrorCode };
  }[];
}

export function createClient({ url, credentialFile, log }: ClientOptions): ApiClient {
  const endpoint = `${url.replace(/\/+$/, '')}/graphql`;
  const state = new ServerState(log.child({ url }));
  let authorization: string | null = null;

  async function ask<R, V>(
    document: TypedDocumentString<R, V>,
    variables: V,
    options: CallOptions,
  ): Promise<R> {
    try {
      authorization ??= await readAuthorization(credentialFile);
      const answer = await post(endpoint, authorization, { query: String(document), variables }, options);
      state.answered();
      return answer as R;
    } catch (error) {
      const failure = unanswered(error, options.signal);
      // The server may be writing another credential at this moment: read again before the next try.
      if (failure instanceof ApiError && failure.code === 'UNAUTHENTICATED') authorization = null;
      if (failure instanceof ApiError && mayPass(failure)) state.failed(failure);
      throw failure;
    }
  }

  return {
    ask,
    insist: (document, variables, options) =>
      retrying(options.signal, () => ask(document, variables, options)),
  };
}

/** @throws ApiError UNAUTHENTICATED when there is no credential yet. */
async function readAuthorization(file: string): Promise<string> {
  try {
    const { accessKey, secretKey } = JSON.parse(await readFile(file, 'utf8'));
    return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString('base64')}`;
  } catch (cause) {
    throw new ApiError('UNAUTHENTICATED', `no credential can be read from ${file}`, { cause });
  }
}

async function post(
  endpoint: string,
  authorization: string,
  body: object,
  { signal, timeoutMs = TIMEOUT_MS }: CallOptions,
): Promise<unknown> {
  return await withTimeout(signal, timeoutMs, async (either) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: either,
    });
    const answer = parseAnswer(await response.text());
    const [error] = answer?.errors ?? [];
    if (error) throw new ApiError(error.extensions?.code ?? codeOfStatus(response.status), error.message);
    if (!answer?.data) throw new ApiError(codeOfStatus(response.status), `HTTP ${response.status}`);
    return answer.data;
  });
}

function parseAnswer(text: string): Answer | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Like AbortSignal.any with a timeout, which on Node 20 holds on to a signal that outlives many calls. */
async function withTimeout<T>(
  signal: AbortSignal,
  timeoutMs: number,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const pass = () => controller.abort(signal.reason);
  signal.addEventListener('abort', pass);
  const timer = setTimeout(
    () => controller.abort(new DOMException('no answer in time', 'TimeoutError')),
    timeoutMs,
  );
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', pass);
  }
}

/** Says once that calls fail, now and then again, and once that they no longer do. */
class ServerState {
  readonly #log: Log;
  #saidAt = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  answered(): void {
    if (this.#saidAt > 0) this.#log.info('the server answers again');
    this.#saidAt = 0;
  }

  failed({ code, message }: ApiError): void {
    if (Date.now() - this.#saidAt < REMIND_MS) return;
    this.#saidAt = Date.now();
    this.#log.warn({ code, reason: message }, 'the server does not answer as it should');
  }
}

/** The payload of a mutation's result. @throws ApiError with the code of the error that stands there instead. */
export function payloadOf<R extends { readonly __typename: string }, N extends R['__typename']>(
  result: R | null,
  name: N,
): Extract<R, { readonly __typename: N }> {
  if (result?.__typename === name) return result as Extract<R, { readonly __typename: N }>;
  const { code = 'INTERNAL', message = 'no result' } = (result ?? {}) as {
    code?: ErrorCode;
    message?: string;
  };
  throw new ApiError(code, message);
}

import { setMaxListeners } from 'node:events';
import type { TypedDocumentString } from '../../generated/executor/graphql.ts';
import type { ErrorCode } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { ApiError, errorOfResponse, unanswered } from './api-error.ts';
import { loginDocument } from './documents.ts';
import { retrying } from './retry.ts';
import { SignIn } from './sign-in.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  /** The time limit of one try; 15 s by default. */
  readonly timeoutMs?: number;
}

/** The part of the server's public GraphQL API that an executor uses. */
export interface ApiClient {
  /** Sends the call once. @throws ApiError; the reason of the signal if it fires. */
  ask<R, V>(document: TypedDocumentString<R, V>, variables: V, options: CallOptions): Promise<R>;
  /** Repeats the call until it is answered, however long the server is down. @throws ApiError for a final refusal. */
  insist<R, V>(document: TypedDocumentString<R, V>, variables: V, options: CallOptions): Promise<R>;
}

export interface ClientOptions {
  /** The URL of the server, without `/graphql`. */
  readonly url: string;
  /** A JSON file with `accessKey` and `secretKey`. It may be created later, and it may change. */
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

  async function call<R, V>(
    document: TypedDocumentString<R, V>,
    variables: V,
    authorization: string,
    signal: AbortSignal,
  ): Promise<R> {
    const answer = await post(endpoint, authorization, { query: String(document), variables }, signal);
    return answer as R;
  }

  const signIn = new SignIn(credentialFile, (authorization, expiresIn) =>
    withTimeout(never, TIMEOUT_MS, async (signal) => {
      const { login } = await call(loginDocument, { input: { expiresIn } }, authorization, signal);
      return payloadOf(login, 'LoginPayload').token;
    }).catch((error) => {
      const failure = unanswered(error, never);
      if (!(failure instanceof ApiError) || failure.mayPass) throw failure;
      // A refused sign-in does not mean that the waiting call is refused, so this error is never final.
      throw new ApiError('UNAUTHENTICATED', `the sign-in was refused: ${failure.message}`, {
        cause: failure,
      });
    }),
  );

  async function ask<R, V>(
    document: TypedDocumentString<R, V>,
    variables: V,
    { signal, timeoutMs = TIMEOUT_MS }: CallOptions,
  ): Promise<R> {
    try {
      const answer = await withTimeout(signal, timeoutMs, async (either) => {
        const authorization = await beforeAbort(signIn.authorization(), either);
        try {
          return await call(document, variables, authorization, either);
        } catch (error) {
          if (!isUnauthenticated(error)) throw error;
          // The token has expired, or its access key was replaced.
          signIn.refused(authorization);
          return await call(document, variables, await beforeAbort(signIn.authorization(), either), either);
        }
      });
      state.answered();
      return answer;
    } catch (error) {
      const failure = unanswered(error, signal);
      if (failure instanceof ApiError && failure.mayPass) state.failed(failure);
      throw failure;
    }
  }

  return {
    ask,
    insist: (document, variables, options) =>
      retrying(options.signal, () => ask(document, variables, options)),
  };
}

const never = new AbortController().signal;

const isUnauthenticated = (error: unknown) => error instanceof ApiError && error.code === 'UNAUTHENTICATED';

async function post(
  endpoint: string,
  authorization: string,
  body: object,
  signal: AbortSignal,
): Promise<unknown> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal,
  });
  const answer = parseAnswer(await response.text());
  const [error] = answer?.errors ?? [];
  if (error) throw errorOfResponse(response, { code: error.extensions?.code, message: error.message });
  if (!answer?.data) throw errorOfResponse(response);
  return answer.data;
}

function parseAnswer(text: string): Answer | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Like AbortSignal.any with a timeout. On Node 20, AbortSignal.any keeps a reference for each call to a signal that
 * lives for many calls.
 */
async function withTimeout<T>(
  signal: AbortSignal,
  timeoutMs: number,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // All calls of all runs listen to this signal.
  setMaxListeners(0, signal);
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

/** Waits for work that others wait for too, but only until the signal fires. */
function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Logs when calls begin to fail, from time to time while they fail, and when they succeed again. */
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
    this.#log.warn(
      { code, reason: message },
      'the server cannot be reached or answers with an error; trying again',
    );
  }
}

/** The payload of a mutation's result. @throws ApiError, final, with the code of the error in its place. */
export function payloadOf<R extends { readonly __typename: string }, N extends R['__typename']>(
  result: R | null,
  name: N,
): Extract<R, { readonly __typename: N }> {
  if (result?.__typename === name) return result as Extract<R, { readonly __typename: N }>;
  const { code = 'INTERNAL', message = 'no result' } = (result ?? {}) as {
    code?: ErrorCode;
    message?: string;
  };
  throw new ApiError(code, message, { isFinal: true });
}

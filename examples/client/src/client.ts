import { setTimeout as sleep } from 'node:timers/promises';
import type { TypedDocumentString } from './generated/graphql.ts';

type Document<Data, Variables> = TypedDocumentString<Data, Variables>;

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** The server has refused the request or has failed. `code` is a value of the enum `ErrorCode`. */
export class SlipwayError extends Error {
  readonly code: string;

  constructor(message: string, code = 'INTERNAL') {
    super(message);
    this.code = code;
  }
}

/** Whether the same request may succeed later, because the server restarts or the connection was lost. */
const mayPass = (error: unknown) => !(error instanceof SlipwayError) || error.code === 'UNAVAILABLE';

const MAX_PAUSE_MS = 5_000;

/** A client of a Slipway server that needs only `fetch`. */
export class SlipwayClient {
  readonly #url: string;
  readonly #authorization: string;

  /** @param authorization  such as `Bearer …`, or `Basic …` to sign in. */
  constructor(url: string, authorization: string) {
    this.#url = url;
    this.#authorization = authorization;
  }

  /** Runs a query or a mutation. @throws SlipwayError */
  async ask<Data, Variables>(document: Document<Data, Variables>, variables: Variables): Promise<Data> {
    const response = await this.#post(document, variables, 'application/json');
    return dataOf((await response.json()) as Answer<Data>);
  }

  /**
   * Follows a subscription until the server completes it. If the connection breaks, it continues after the last event,
   * so it misses no event and gets none twice.
   *
   * @param idOf  the id of an event, which the subscription accepts as `after`.
   * @throws SlipwayError if the server refuses.
   */
  async *watch<Data, Variables extends { readonly after?: unknown }>(
    document: Document<Data, Variables>,
    variables: Variables,
    idOf: (data: Data) => string,
  ): AsyncGenerator<Data> {
    let after = variables.after;
    for (let pause = 100; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        for await (const data of this.#events(document, { ...variables, after })) {
          after = idOf(data);
          pause = 100;
          yield data;
        }
        return;
      } catch (error) {
        if (!mayPass(error)) throw error;
        await sleep(pause);
      }
    }
  }

  /** Server-Sent Events from one connection. @throws Error if it ends before the server completes the stream. */
  async *#events<Data, Variables>(
    document: Document<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data> {
    const response = await this.#post(document, variables, 'text/event-stream');
    if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
      return yield dataOf((await response.json()) as Answer<Data>);
    let text = '';
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const blocks = (text + piece).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event] = /^event: (.*)$/m.exec(block) ?? [];
        const [, data] = /^data: (.*)$/m.exec(block) ?? [];
        if (event === 'complete') return;
        if (event === 'next' && data) yield dataOf(JSON.parse(data) as Answer<Data>);
      }
    }
    throw new Error('the connection ended too early');
  }

  #post(document: { toString(): string }, variables: unknown, accept: string): Promise<Response> {
    return fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: this.#authorization },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
  }
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  const [error] = errors ?? [];
  if (error) throw new SlipwayError(error.message, error.extensions?.code);
  if (!data) throw new SlipwayError('the server gave no data');
  return data;
}

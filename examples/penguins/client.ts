/**
 * A GraphQL client for Slipway that needs only fetch: queries, mutations, files, and subscriptions over Server-Sent
 * Events that continue after a lost connection. Copy it, or use any other client.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly path?: readonly string[] | null;
}

/** The server has refused the request; `code` is one of gRPC's codes, such as NOT_FOUND. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: string;

  constructor({ code, message }: Problem, problems: readonly Problem[] = []) {
    const details = problems.map((one) => `\n  ${one.code} at ${one.path?.join('.')}: ${one.message}`);
    super(`${code}: ${message}${details.join('')}`);
    this.code = code;
  }
}

/** The errors that every mutation can answer instead of its payload. Spread it as `...Refused`, beside `__typename`. */
const REFUSED = /* GraphQL */ `
  fragment Refused on Error {
    code
    message
    path
    ... on InvalidArgumentError { problems { code message path } }
  }
`;

const LOGIN = /* GraphQL */ `
  mutation { result: login { ... on LoginPayload { token } ...Refused } }
`;

const CREATE_BLOB_UPLOAD = /* GraphQL */ `
  mutation ($input: CreateBlobUploadInput!) {
    result: createBlobUpload(input: $input) { ... on CreateBlobUploadPayload { uri uploadUrl } ...Refused }
  }
`;

interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export class SlipwayClient {
  readonly url: string;
  readonly #authorization: string;
  readonly #signal: AbortSignal | null;

  /**
   * @param url  the address of the server, without a path.
   * @param signal  ends all requests and subscriptions.
   */
  constructor(url: string, authorization: string, signal: AbortSignal | null = null) {
    this.url = url;
    this.#authorization = authorization;
    this.#signal = signal;
  }

  /** Exchanges a password for a token, which the server can check faster. */
  static async signIn(
    url: string,
    username: string,
    password: string,
    signal: AbortSignal | null = null,
  ): Promise<SlipwayClient> {
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const { token } = await new SlipwayClient(url, basic, signal).change<{ token: string }>(LOGIN);
    return new SlipwayClient(url, `Bearer ${token}`, signal);
  }

  /** @throws Refusal */
  async ask<T>(document: string, variables: object = {}): Promise<T> {
    const response = await this.#post(document, variables, 'application/json');
    return dataOf((await response.json()) as Answer<T>);
  }

  /**
   * Runs one mutation. Its document must name the mutation `result` and spread `...Refused`.
   *
   * @throws Refusal if the answer is not the payload.
   */
  async change<T extends object>(document: string, input?: object): Promise<T> {
    type Refused = Problem & { readonly problems?: readonly Problem[] };
    const { result } = await this.ask<{ result: T | Refused }>(document + REFUSED, input && { input });
    if ('code' in result && 'message' in result) throw new Refusal(result, result.problems);
    return result as T;
  }

  /**
   * Stores a file in a project. The same content is one file and is sent only once. @returns the value for the file.
   */
  async upload(project: string, content: Uint8Array): Promise<string> {
    const { uri, uploadUrl } = await this.change<{ uri: string; uploadUrl: string | null }>(
      CREATE_BLOB_UPLOAD,
      {
        owner: { project },
        sha256: createHash('sha256').update(content).digest('hex'),
        sizeBytes: String(content.byteLength),
      },
    );
    if (uploadUrl) {
      const response = await fetch(uploadUrl, { method: 'PUT', body: new Uint8Array(content) });
      if (!response.ok)
        throw new Error(`the upload failed with status ${response.status}: ${await response.text()}`);
    }
    return uri;
  }

  /**
   * Watches one subscription. Its document must have the variable `$after: ID` and name its field `event`. If the
   * connection is lost, it subscribes again after the last event, so it misses no event and gets none twice.
   *
   * @param hasEnded  asked when the server completes the stream, because a server also does this when it is replaced.
   */
  async *watch<T extends { readonly id: string }>(
    document: string,
    variables: object,
    hasEnded: () => Promise<boolean>,
  ): AsyncGenerator<T> {
    let after: string | null = null;
    for (let failures = 0; ; failures += 1) {
      try {
        const response = await this.#post(document, { ...variables, after }, 'text/event-stream');
        for await (const { event, data } of serverSentEvents(response)) {
          if (event === 'complete' && (await hasEnded())) return;
          if (event !== 'next') continue;
          const answer = dataOf(JSON.parse(data) as Answer<{ event: T }>);
          after = answer.event.id;
          failures = 0;
          yield answer.event;
        }
      } catch (error) {
        const isFinal = error instanceof Refusal && error.code !== 'UNAVAILABLE';
        if (isFinal || failures >= 20 || this.#signal?.aborted) throw error;
      }
      await sleep(Math.min(100 * 2 ** failures, 3_000));
    }
  }

  async #post(query: string, variables: object, accept: string): Promise<Response> {
    return await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { authorization: this.#authorization, 'content-type': 'application/json', accept },
      body: JSON.stringify({ query, variables }),
      signal: this.#signal,
    });
  }
}

function dataOf<T>({ data, errors }: Answer<T>): T {
  const [error] = errors ?? [];
  if (error) throw new Refusal({ code: error.extensions?.code ?? 'UNKNOWN', message: error.message });
  if (!data) throw new Error('the answer has no data');
  return data;
}

/** Reads a stream of events. An event is a block of `name: value` lines that ends with an empty line. */
async function* serverSentEvents(response: Response): AsyncGenerator<{ event: string; data: string }> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/event-stream')) dataOf((await response.json()) as Answer<never>);
  let text = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split(/\r?\n\r?\n/);
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const valuesNamed = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
      const [event] = valuesNamed('event');
      if (event) yield { event, data: valuesNamed('data').join('\n') };
    }
  }
}

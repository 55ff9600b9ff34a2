import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError } from 'graphql';
import { shownError } from '../graphql/errors.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { challengesAfter } from '../sign-in/authenticate.ts';

type Headers = Record<string, string | string[]>;

/** The HTTP status of each code, if the refusal does not bring its own status. Source: `google/rpc/code.proto`. */
const statusOf: Readonly<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** A refusal of a whole request. It has the form of GraphQL's errors, so that every client can read it. */
export function refusal(
  code: ErrorCode,
  message: string,
  { status = statusOf[code], headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, headers } } });
}

/** A refusal as it is sent, with its status and headers. */
interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: object;
}

/**
 * What the caller is told about an error. An error that is not a refusal is logged, and the caller gets INTERNAL
 * without details.
 */
export function failureOf(error: unknown): Failure {
  const shown = shownError(error);
  const { http, ...extensions } = shown.extensions as {
    code: ErrorCode;
    http?: { status?: number; headers?: Headers };
  };
  const { code } = extensions;
  if (code === 'INTERNAL') log.error({ err: error }, 'request failed');
  return {
    code,
    message: shown.message,
    status: http?.status ?? statusOf[code],
    headers: http?.headers ?? headersOf(code, error),
    body: { errors: [{ message: shown.message, extensions }] },
  };
}

/** Says how to sign in, or when to try again. */
function headersOf(code: ErrorCode, error: unknown): Headers {
  if (code === 'UNAUTHENTICATED') return { 'www-authenticate': challengesAfter(error) };
  if (code !== 'UNAVAILABLE' && code !== 'RESOURCE_EXHAUSTED') return {};
  const { retryAfterSeconds = 1 } = error as { readonly retryAfterSeconds?: number };
  return { 'retry-after': String(retryAfterSeconds) };
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Headers = {},
): void {
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(body);
  response.writeHead(status, { ...jsonHeaders(text), ...headers });
  response.end(text);
}

export function answerFailure(response: ServerResponse, error: unknown): void {
  const { status, headers, body } = failureOf(error);
  answerJson(response, status, body, headers);
}

/**
 * Sends a refusal where Node has no response: for requests that are not valid HTTP, and for requests that ask for
 * another protocol.
 */
export function refuseSocket(socket: Duplex, error: unknown): void {
  const { status, headers, body } = failureOf(error);
  const text = JSON.stringify(body);
  const lines = Object.entries({ ...jsonHeaders(text), ...headers, connection: 'close' }).flatMap(
    ([name, value]) => [value].flat().map((one) => `${name}: ${one}`),
  );
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${text}`);
}

const jsonHeaders = (text: string) => ({
  'content-type': 'application/json; charset=utf-8',
  'content-length': Buffer.byteLength(text),
  'cache-control': 'no-store',
});

/** The same refusal without its HTTP status, for WebSockets. */
export function withoutStatus(error: GraphQLError): GraphQLError {
  const { http: _http, ...extensions } = error.extensions;
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions,
  });
}

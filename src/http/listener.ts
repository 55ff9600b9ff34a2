import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { limitRefusals } from '../platform/metrics.ts';
import { answerFailure, refusal, refuseSocket } from './answer.ts';
import { NewConnections } from './new-connections.ts';

/** Errors that Node finds before there is a request. All other codes mean that the HTTP cannot be read. */
const clientFaults: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long to arrive'],
};

/** How many requests one connection may send before the first of them is answered. */
const MAX_PIPELINED = 100;
/** How long an answer that is being sent may stay unread. */
const UNREAD_MS = 60_000;

/** An HTTP server that sends only our own answers, even where Node would answer by itself. */
export function createListener(
  { unreadMs = UNREAD_MS, ...options }: ServerOptions & { readonly unreadMs?: number },
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Server {
  /** The last response of each connection. While it is being sent, nothing else may be written to the connection. */
  const last = new WeakMap<Duplex, ServerResponse>();
  /** The response of each connection that is being worked on. */
  const current = new WeakMap<Duplex, ServerResponse>();
  const connectionTurns = new ConnectionTurns();
  const server = createServer({ ...options, requireHostHeader: false }, (request, response) => {
    last.set(request.socket, response);
    connectionTurns.begin(request.socket, response, () => void answerNow(request, response));
  });
  const answerNow = async (request: IncomingMessage, response: ServerResponse) => {
    current.set(request.socket, response);
    try {
      requireSingleHeaders(request);
      await answer(request, response);
    } catch (error) {
      answerFailure(response, error);
    }
  };
  new NewConnections().watch(server);
  server.timeout = unreadMs;
  server.on('timeout', (socket) => {
    // Work may take long. Only a client that does not read is cut off.
    if (current.get(socket)?.headersSent !== false) socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const response = last.get(socket);
    const isBusy = response?.headersSent && !response.writableEnded;
    if (isBusy || !socket.writable) return void socket.destroy();
    const [status, message] = clientFaults[error.code ?? ''] ?? [400, 'this is not valid HTTP'];
    refuseSocket(socket, refusal('INVALID_ARGUMENT', message, { status }));
  });
  server.on('checkExpectation', (_request, response: ServerResponse) =>
    answerFailure(response, refusal('INVALID_ARGUMENT', 'Expect must be 100-continue', { status: 417 })),
  );
  return server;
}

/**
 * The requests of one connection begin one after the other, each when the answer before it was read. Otherwise, a client
 * that sends many requests and reads no answer could fill the memory of the server. Those that wait cost as little as
 * possible: many arrive in one piece, and nobody else is answered before Node has read all of that piece.
 */
class ConnectionTurns {
  /** What waits, for each connection whose request is being answered. */
  readonly #lines = new WeakMap<Duplex, (() => void)[]>();

  /** Begins now or later, or closes the connection if too many requests wait. */
  begin(socket: Duplex, response: ServerResponse, begin: () => void): void {
    const line = this.#lines.get(socket);
    if (!line) {
      this.#lines.set(socket, []);
      this.#begin(socket, response, begin);
    } else if (line.length + 1 >= MAX_PIPELINED) {
      limitRefusals.inc({ limit: 'pipelined' });
      socket.destroy();
    } else line.push(() => this.#begin(socket, response, begin));
  }

  #begin(socket: Duplex, response: ServerResponse, begin: () => void): void {
    response.once('close', () => {
      const next = this.#lines.get(socket)?.shift();
      if (!next) this.#lines.delete(socket);
      else if (!socket.destroyed) next();
    });
    begin();
  }
}

/**
 * Exactly one `Host` with one authority, which only HTTP/1.0 may leave out, and at most one `Authorization`. Node would
 * take the first of several, and a proxy before us may have checked the last one. Source: RFC 9112 §3.2, RFC 9110 §5.3.
 */
function requireSingleHeaders({ headers: { host }, rawHeaders, httpVersion }: IncomingMessage): void {
  const countOf = (header: string) =>
    rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === header).length;
  if (countOf('authorization') > 1)
    throw refusal('INVALID_ARGUMENT', 'a request must have at most one Authorization header');
  const isLeftOut = host === undefined && httpVersion === '1.0';
  const isGood =
    host !== undefined && /^[\w.~%!$&'()*+,;=:[\]-]*$/.test(host) && URL.canParse(`http://${host || 'none'}`);
  if (countOf('host') > 1 || !(isLeftOut || isGood))
    throw refusal(
      'INVALID_ARGUMENT',
      'a request must have exactly one Host header, with one host and its port',
    );
}

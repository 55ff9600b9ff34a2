import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import {
  CloseCode,
  handleProtocols,
  makeServer,
  type ServerOptions,
  type SubscribeMessage,
} from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { log } from '../platform/log.ts';
import { authenticate } from '../sign-in/authenticate.ts';
import { impersonationHeaders } from '../sign-in/impersonation.ts';
import { isAllowedOrigin } from '../sign-in/origins.ts';
import { refusal, refuseSocket, withoutStatus } from './answer.ts';
import { prepareParsed } from './ask.ts';
import { clientAddress } from './client-address.ts';
import type { EdgeContext, GraphQLServer } from './graphql.ts';
import { measureSignIn } from './metrics.ts';
import type { OperationResult, PreparedOperation } from './prepare.ts';
import { Meter } from './rate.ts';
import { type RequestsUnderWay, ServerStopping } from './requests.ts';
import { SocketConnection } from './socket-connection.ts';
import { trustedDocuments } from './trusted-documents.ts';
import { unreadAnswers } from './unread-answers.ts';

/**
 * What a connection knows: how its caller signs in, and its running operations by their messages, because a client may
 * use an id again before the earlier operation has ended.
 */
interface Connection {
  readonly connection: SocketConnection;
  readonly request: IncomingMessage;
  readonly operations: Map<object, Running>;
  headers?: IncomingHttpHeaders;
}

interface Running {
  readonly controller: AbortController;
  /** Resolves when its last answer is sent. */
  readonly sent: Promise<void>;
  end(): void;
}

type Options = ServerOptions<Record<string, unknown>, Connection>;

/** "Try again later"; clients of graphql-ws do this. */
const TRY_AGAIN_LATER = 1013;
const GOING_AWAY = 1001;

export interface Sockets {
  /** Tells every client that the server is stopping. Resolves when all connections are closed. */
  close(): Promise<void>;
  /** Closes all connections at once. */
  terminate(): void;
}

/**
 * GraphQL over WebSocket (`graphql-transport-ws`) on the same HTTP server. Browsers cannot send headers here, so the
 * caller signs in with the connection parameters, `{ authorization: "Bearer …" }`, or with the session cookie; the
 * parameters can also name a user to act as. The sign-in is checked again for each operation, as for each request.
 */
export function serveWebSocket(
  server: Server,
  graphql: GraphQLServer,
  requests: RequestsUnderWay,
  publicUrl: () => string,
): Sockets {
  const maxPayload = serverConfig.bodyLimitBytes;
  const sockets = new WebSocketServer({ noServer: true, maxPayload, handleProtocols });
  sockets.on('wsClientError', (_error, socket) => {
    refuseSocket(socket, refusal('INVALID_ARGUMENT', 'this is not a valid WebSocket handshake'));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const refused = upgradeFault(request, requests, publicUrl());
    if (refused) return refuseSocket(socket, refused);
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });
  const onConnect: Options['onConnect'] = async ({ connectionParams, extra }) => {
    const { connection } = extra;
    const headers = headersOf(connectionParams ?? {});
    if (typeof headers === 'string') {
      connection.socket.close(CloseCode.BadRequest, `the connection parameter ${headers} must be a text`);
      return false;
    }
    extra.headers = headers;
    const caller = await callerOf(extra, publicUrl());
    if (caller instanceof GraphQLError) {
      // The client learns nothing else than the reason of the closing.
      if (caller.extensions['tokenError']) connection.socket.close(CloseCode.Forbidden, caller.message);
      else if (!refusals.has(String(caller.extensions['code'])))
        connection.socket.close(TRY_AGAIN_LATER, caller.message);
      return false;
    }
    if (caller) connection.signIn(new Meter(caller, clientAddress(extra.request)));
    return true;
  };

  const onSubscribe: Options['onSubscribe'] = async ({ extra }, _id, payload) => {
    const { connection } = extra;
    const { isLong } = connection;
    return await connection.prepare(() => prepared(extra, payload, isLong));
  };

  /** What GraphQL executes for a message, or why it is refused. */
  async function prepared(
    extra: Connection,
    payload: SubscribeMessage['payload'],
    isLong: boolean,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const caller = await callerOf(extra, publicUrl());
    if (caller instanceof GraphQLError) return [caller];
    const running = begin(requests);
    extra.operations.set(payload, running);
    const meter = new Meter(caller, clientAddress(extra.request));
    const { signal } = running.controller;
    const edge = { caller, signal, publicUrl: publicUrl(), meter, isOverHttp: false, isLong };
    const operation = await prepareMessage(graphql, payload, edge);
    // If the operation never began, the library does not report its completion.
    if (isRefused(operation)) {
      endOperation(extra, payload);
      return operation;
    }
    const { args, run } = operation;
    const inTurn = async () => {
      try {
        const tracked = () => requests.track(Promise.resolve(run()));
        return await extra.connection.inTurn(tracked, running.sent);
      } catch (error) {
        endOperation(extra, payload);
        throw error;
      }
    };
    const rootValue: MessageArgs['rootValue'] = { run, inTurn };
    return { ...args, rootValue };
  }

  function endOperation({ operations }: Connection, payload: object): void {
    const running = operations.get(payload);
    operations.delete(payload);
    if (!running) return;
    running.end();
    requests.end(running.controller);
  }

  const protocol = makeServer<Record<string, unknown>, Connection>({
    onConnect,
    onSubscribe,
    onComplete: ({ extra }, _id, payload) => endOperation(extra, payload),
    onClose({ extra }) {
      for (const payload of [...extra.operations.keys()]) endOperation(extra, payload);
    },
    execute: (args) => (args as MessageArgs).rootValue.inTurn(),
    subscribe: (args) => (args as MessageArgs).rootValue.run(),
  });
  sockets.on('connection', (socket, request) => {
    const connection = new SocketConnection(socket, new Meter(null, clientAddress(request)));
    connection.open(protocol, { connection, request, operations: new Map() }, request.socket);
  });
  return {
    async close() {
      for (const socket of sockets.clients)
        socket.close(
          GOING_AWAY,
          'the server is stopping; connect again and continue after the last event id',
        );
      await new Promise((resolve) => sockets.close(resolve));
    },
    terminate() {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

/**
 * Why a WebSocket cannot be opened; null if it can. Browsers do not ask the server before they open one, so the origin
 * of the page is checked here.
 */
function upgradeFault(request: IncomingMessage, requests: RequestsUnderWay, publicUrl: string): Error | null {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (requests.isStopping) return new ServerStopping();
  if (request.url?.split('?', 1)[0] !== '/graphql')
    return refusal('NOT_FOUND', 'there is no WebSocket at this address; use /graphql');
  // As over HTTP: the browser has compared the page's address with our address as the browser knows it.
  const isOurs = !origin || site === 'same-origin' || isAllowedOrigin(origin, publicUrl);
  return isOurs
    ? null
    : refusal('PERMISSION_DENIED', 'only pages of this server and of CORS_ORIGINS can open a WebSocket');
}

const refusals: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT']);

const parameterNames: readonly string[] = ['authorization', 'x-slipway-worker', ...impersonationHeaders];

/**
 * The connection parameters that replace headers, in upper or lower case; or the name of one that is not a text. A
 * client that wants to sign in must not become a stranger.
 */
function headersOf(parameters: Record<string, unknown>): IncomingHttpHeaders | string {
  const given = Object.entries(parameters).filter(
    ([name, value]) => parameterNames.includes(name.toLowerCase()) && value !== null && value !== undefined,
  );
  const wrong = given.find(([, value]) => typeof value !== 'string');
  return wrong?.[0] ?? Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

function begin(requests: RequestsUnderWay): Running {
  let end = () => {};
  const sent = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { controller: requests.open(), sent, end };
}

const isRefused = (
  prepared: PreparedOperation | readonly GraphQLError[],
): prepared is readonly GraphQLError[] => Array.isArray(prepared);

/** The caller, or an error if it cannot be determined. */
async function callerOf(
  { headers: given = {}, request }: Connection,
  publicUrl: string,
): Promise<Caller | null | GraphQLError> {
  const { cookie, origin, 'sec-fetch-site': site } = request.headers;
  // The parameters take precedence over the cookie, which browsers send automatically.
  const headers = given.authorization ? given : { ...given, cookie, origin, 'sec-fetch-site': site };
  try {
    const signIn = { headers, address: clientAddress(request), publicUrl, connection: request.socket };
    return await measureSignIn(headers, authenticate(signIn));
  } catch (error) {
    const shown = shownError(error);
    if (shown.extensions['code'] === 'INTERNAL')
      log.error({ err: error }, 'signing in over WebSocket failed');
    return shown;
  }
}

/** What GraphQL executes for a message. */
interface MessageArgs extends ExecutionArgs {
  readonly rootValue: Pick<PreparedOperation, 'run'> & { inTurn(): Promise<OperationResult> };
}

/** Parses and validates the operation of a message. If it is refused, this is the answer. */
async function prepareMessage(
  graphql: GraphQLServer,
  payload: SubscribeMessage['payload'],
  edge: EdgeContext,
): Promise<PreparedOperation | readonly GraphQLError[]> {
  try {
    unreadAnswers.requireRoom(edge.meter.payer);
    const query = trustedDocuments().textOf(payload);
    const prepared = await prepareParsed(graphql, { ...payload, query }, edge);
    return 'errors' in prepared ? prepared.errors : prepared;
  } catch (error) {
    return [withoutStatus(shownError(error))];
  }
}

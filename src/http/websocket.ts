import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { ServerOptions, SubscribeMessage } from 'graphql-ws';
import { type Extra as SocketExtra, useServer } from 'graphql-ws/use/ws';
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
import type { PreparedOperation } from './prepare.ts';
import { Meter } from './rate.ts';
import { type RequestsUnderWay, ServerStopping } from './requests.ts';
import { trustedDocuments } from './trusted-documents.ts';

/**
 * What a connection knows: how its caller signs in, and its running operations by their messages, because a client may
 * use an id again before the earlier operation has ended.
 */
interface Connection extends SocketExtra, Record<PropertyKey, unknown> {
  headers?: IncomingHttpHeaders;
  operations?: Map<object, AbortController>;
}

type Options = ServerOptions<Record<string, unknown>, Connection>;

/** "Try again later"; clients of graphql-ws do this. */
const TRY_AGAIN_LATER = 1013;
const GOING_AWAY = 1001;
/** With which the library closes a connection that is refused. */
const FORBIDDEN = 4403;

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
  const sockets = new WebSocketServer({ noServer: true, maxPayload: serverConfig.bodyLimitBytes });
  sockets.on('wsClientError', (_error, socket) => {
    refuseSocket(socket, refusal('INVALID_ARGUMENT', 'this is not a valid WebSocket handshake'));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const refused = upgradeFault(request, requests, publicUrl());
    if (refused) return refuseSocket(socket, refused);
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });
  // A frame that is too long or broken closes its connection. The library has already told the client why.
  sockets.on('connection', (socket) => socket.on('error', () => {}));

  const onConnect: Options['onConnect'] = async ({ connectionParams, extra }) => {
    extra.headers = headersOf(connectionParams ?? {});
    const caller = await callerOf(extra, publicUrl());
    if (!(caller instanceof GraphQLError)) return true;
    // The client learns nothing else than the reason of the closing.
    if (caller.extensions['tokenError']) extra.socket.close(FORBIDDEN, caller.message);
    else if (!refusals.has(String(caller.extensions['code'])))
      extra.socket.close(TRY_AGAIN_LATER, caller.message);
    return false;
  };

  const onSubscribe: Options['onSubscribe'] = async ({ extra }, _id, payload) => {
    const caller = await callerOf(extra, publicUrl());
    if (caller instanceof GraphQLError) return [caller];
    extra.operations ??= new Map();
    const controller = requests.open();
    extra.operations.set(payload, controller);
    const meter = new Meter(caller, clientAddress(extra.request));
    const { signal } = controller;
    const edge = { caller, signal, publicUrl: publicUrl(), meter, isOverHttp: false };
    const prepared = await prepareMessage(graphql, payload, edge);
    // If the operation never began, the library does not report its completion.
    if (Array.isArray(prepared)) endOperation(extra, payload);
    return prepared;
  };

  function endOperation({ operations }: Connection, payload: object): void {
    const controller = operations?.get(payload);
    operations?.delete(payload);
    if (controller) requests.end(controller);
  }

  const served = useServer<Record<string, unknown>, Connection>(
    {
      onConnect,
      onSubscribe,
      onComplete: ({ extra }, _id, payload) => endOperation(extra, payload),
      onDisconnect({ extra }) {
        for (const controller of extra.operations?.values() ?? []) requests.end(controller);
      },
      execute: (args) => (args as MessageArgs).rootValue.run(),
      subscribe: (args) => (args as MessageArgs).rootValue.run(),
    },
    sockets,
  );
  return {
    async close() {
      for (const socket of sockets.clients)
        socket.close(
          GOING_AWAY,
          'the server is stopping; connect again and continue after the last event id',
        );
      await served.dispose();
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

/** The connection parameters that replace headers, in upper or lower case. */
function headersOf(parameters: Record<string, unknown>): IncomingHttpHeaders {
  const given = Object.entries(parameters).flatMap(([name, value]) => {
    const header = name.toLowerCase();
    return parameterNames.includes(header) && typeof value === 'string' ? [[header, value]] : [];
  });
  return Object.fromEntries(given);
}

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
  readonly rootValue: PreparedOperation;
}

/** Parses and validates the operation of a message. If it is refused, this is the answer. */
async function prepareMessage(
  graphql: GraphQLServer,
  payload: SubscribeMessage['payload'],
  edge: EdgeContext,
): Promise<MessageArgs | readonly GraphQLError[]> {
  try {
    const query = trustedDocuments().textOf(payload);
    const prepared = await prepareParsed(graphql, { ...payload, query }, edge);
    return 'errors' in prepared ? prepared.errors : { ...prepared.args, rootValue: prepared };
  } catch (error) {
    return [withoutStatus(shownError(error))];
  }
}

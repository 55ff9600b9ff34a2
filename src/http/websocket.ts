import type { Server } from 'node:http';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { SubscribeMessage } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Caller } from '../platform/caller.ts';
import { config } from '../platform/config.ts';
import { DomainError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { authenticate } from './authenticate.ts';
import type { EdgeContext, GraphQLServer } from './graphql.ts';
import type { RequestsUnderWay } from './requests.ts';

interface Extra extends Record<PropertyKey, unknown> {
  caller?: Caller | null;
}

/**
 * GraphQL over WebSocket (`graphql-transport-ws`) beside the same HTTP server. Who calls is told in the connection's
 * parameters, `{ authorization: "Bearer …" }`: browsers send no header there.
 */
export function serveWebSocket(
  server: Server,
  graphql: GraphQLServer,
  requests: RequestsUnderWay,
  publicUrl: () => string,
): { close(): Promise<void> } {
  const sockets = new WebSocketServer({
    server,
    path: '/graphql',
    maxPayload: config.bodyLimitBytes,
    verifyClient: ({ origin }: { origin?: string }) => isAllowedOrigin(origin, publicUrl()),
  });
  const operations = new Map<string, AbortController>();
  const disposable = useServer<Record<string, unknown>, Extra>(
    {
      async onConnect({ connectionParams, extra }) {
        const authorization = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
        try {
          extra.caller = await authenticate(typeof authorization === 'string' ? { authorization } : {}, log);
          return true;
        } catch (error) {
          if (error instanceof DomainError && error.code === 'UNAUTHENTICATED') return false;
          throw error;
        }
      },
      async onSubscribe(socket, id, payload) {
        if (requests.count >= config.subscriptionLimit)
          return [
            new GraphQLError('too many subscriptions', {
              extensions: { code: 'RESOURCE_EXHAUSTED' },
            }),
          ];
        const controller = requests.open();
        operations.set(operationKey(socket, id), controller);
        return await prepare(graphql, payload, {
          caller: socket.extra.caller ?? null,
          signal: controller.signal,
          publicUrl: publicUrl(),
        });
      },
      onComplete(socket, id) {
        const key = operationKey(socket, id);
        const controller = operations.get(key);
        operations.delete(key);
        if (controller) requests.end(controller);
      },
      execute: (args) => (args as EnvelopedArgs).rootValue.execute(args),
      subscribe: (args) => (args as EnvelopedArgs).rootValue.subscribe(args),
    },
    sockets,
  );
  const socketIds = new WeakMap<object, number>();
  let lastSocketId = 0;
  function operationKey(socket: { extra: object }, id: string): string {
    const known = socketIds.get(socket.extra) ?? ++lastSocketId;
    socketIds.set(socket.extra, known);
    return `${known}:${id}`;
  }
  return {
    async close() {
      for (const socket of sockets.clients)
        socket.close(1001, 'the server is stopping; go on from the last id');
      await disposable.dispose();
    },
  };
}

type Enveloped = ReturnType<GraphQLServer['getEnveloped']>;
type EnvelopedArgs = ExecutionArgs & {
  rootValue: Pick<Enveloped, 'execute' | 'subscribe'>;
};

/** Parses and validates with the same plugins as over HTTP; what they refuse is answered. */
async function prepare(graphql: GraphQLServer, payload: SubscribeMessage['payload'], edge: EdgeContext) {
  const { schema, execute, subscribe, contextFactory, parse, validate } = graphql.getEnveloped({
    ...edge,
    params: payload,
  } as never);
  try {
    const document = parse(payload.query);
    const errors = validate(schema, document);
    if (errors.length > 0) return errors as GraphQLError[];
    return {
      schema,
      operationName: payload.operationName,
      document,
      variableValues: payload.variables,
      contextValue: await contextFactory(),
      rootValue: { execute, subscribe },
    } as never;
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

/** Browsers send an Origin and do not ask first: so only our own pages and the listed ones may open a socket. */
function isAllowedOrigin(origin: string | undefined, publicUrl: string): boolean {
  return !origin || config.corsOrigins.includes(origin) || origin === new URL(publicUrl).origin;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { flushDenials } from '../authorization/audit.ts';
import { accessFeed } from '../authorization/feed.ts';
import { sweepAccessChanges } from '../authorization/store/changes.ts';
import { baseConfig } from '../platform/config/base.ts';
import { serverConfig } from '../platform/config/server.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import {
  DomainError,
  InvalidArgumentError,
  PermissionDeniedError,
  ResourceExhaustedError,
  UnavailableError,
} from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { TooManyAttemptsError } from '../sign-in/attempts.ts';
import { authenticate, challengesAfter, prepareSignIn } from '../sign-in/authenticate.ts';
import { flushKeyUses } from '../sign-in/key-uses.ts';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import { MAX_HEADER_BYTES } from '../sign-in/methods/negotiate.ts';
import { sweepRevokedSessions } from '../sign-in/store/tokens.ts';
import { answerError } from './answer.ts';
import { answerBlob } from './blobs.ts';
import { clientAddress } from './client-address.ts';
import { answerOrigin } from './cors.ts';
import { answerGraphiQL, wantsGraphiQL } from './graphiql/answer.ts';
import { createGraphQLServer } from './graphql.ts';
import { answerAlive, answerReady } from './health.ts';
import { measureRequest, measureSignIn } from './metrics.ts';
import { Meter } from './rate.ts';
import { RequestsUnderWay, ServerStopping } from './requests.ts';
import { answerSession } from './session.ts';
import { serveWebSocket } from './websocket.ts';

export interface RunningServer {
  readonly url: string;
  /** Ends as a load balancer expects: not ready, waiting requests answered, those under way finished, then closed. */
  stop(): Promise<void>;
}

/** The edge: every route of the server, and who asks. @throws ConfigurationError */
export async function startServer({ host, port }: { host: string; port: number }): Promise<RunningServer> {
  await prepareSignIn();
  const stopFeed = await accessFeed.start();
  const graphql = createGraphQLServer();
  const requests = new RequestsUnderWay();
  const limits = {
    requestTimeout: 120_000,
    headersTimeout: 20_000,
    ...(serverConfig.kerberos ? { maxHeaderSize: MAX_HEADER_BYTES } : {}),
  };
  const server = createServer(limits, (request, response) => {
    measureRequest(request, response);
    answer(request, response).catch((error) => answerFailure(error, response));
  });
  const publicUrl = () => serverConfig.publicUrl?.replace(/\/+$/, '') ?? addressOf(server, host);
  const sockets = serveWebSocket(server, graphql, requests, publicUrl);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const base = 'http://slipway.invalid';
    if (!URL.canParse(target, base))
      return answerError(response, 400, 'INVALID_ARGUMENT', 'the address is not valid');
    const url = new URL(target, base);
    if (url.pathname === '/health/alive') return answerAlive(response);
    if (url.pathname === '/health/ready') return await answerReady(response, requests.isStopping);
    if (answerOrigin(request, response)) return;
    if (requests.isStopping) throw new ServerStopping();
    if (url.pathname.startsWith('/blobs/')) return await answerBlob(request, response, url);
    if (url.pathname === '/session')
      return await answerSession(request, response, signInOf(request, response));
    if (url.pathname === '/') {
      response.writeHead(302, { location: '/graphql' }).end();
      return;
    }
    if (url.pathname !== '/graphql') return answerError(response, 404, 'NOT_FOUND', 'there is nothing here');
    if (wantsGraphiQL(request)) return answerGraphiQL(request, response);
    const signIn = signInOf(request, response);
    const caller = await measureSignIn(request.headers, authenticate(signIn, log));
    const signal = requests.begin(response);
    await graphql(request, response, {
      caller,
      signal,
      publicUrl: publicUrl(),
      meter: new Meter(caller, signIn.address),
    });
  }

  function signInOf(request: IncomingMessage, response: ServerResponse): SignInRequest {
    return {
      headers: request.headers,
      address: clientAddress(request),
      publicUrl: publicUrl(),
      connection: request.socket,
      setHeader: (name, value) => response.setHeader(name, value),
    };
  }

  const sweeping = setInterval(sweep, SWEEP_EVERY_MS).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: addressOf(server, host),
    async stop() {
      // Sockets first: their clients read the reason of the closing, not the end of each operation.
      const socketsClosed = sockets.close();
      requests.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const deadline = setTimeout(() => {
        sockets.terminate();
        server.closeAllConnections();
      }, baseConfig.drainSeconds * 1000);
      // A connection that is kept alive becomes idle when its last answer is out.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      await Promise.all([socketsClosed, closed]);
      clearTimeout(deadline);
      clearInterval(idle);
      clearInterval(sweeping);
      await stopFeed();
      await Promise.all([flushDenials(), flushKeyUses()]);
    },
  };
}

const SWEEP_EVERY_MS = 10 * 60_000;

/** Drops what only mattered for a while. Each server does it; of two at once, one finds nothing. */
function sweep(): void {
  Promise.all([sweepAccessChanges(), sweepRevokedSessions()]).catch((error) =>
    log.warn({ err: error }, 'sweeping failed'),
  );
}

function addressOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function answerFailure(error: unknown, response: ServerResponse): void {
  if (error instanceof DomainError && error.code === 'UNAUTHENTICATED') {
    answerError(response, 401, error.code, error.message, {
      'www-authenticate': challengesAfter(error),
    });
  } else if (error instanceof InvalidArgumentError) {
    answerError(response, 400, error.code, error.message);
  } else if (error instanceof PermissionDeniedError) {
    answerError(response, 403, error.code, error.message);
  } else if (error instanceof TooManyAttemptsError) {
    answerError(response, 429, error.code, error.message, {
      'retry-after': String(error.retryAfterSeconds),
    });
  } else if (error instanceof UnavailableError) {
    answerError(response, 503, error.code, error.message, { 'retry-after': '1' });
  } else if (error instanceof ServerStopping) {
    answerError(response, 503, 'UNAVAILABLE', error.message, { 'retry-after': '1', connection: 'close' });
  } else if (error instanceof ResourceExhaustedError) {
    answerError(response, 503, error.code, error.message, { 'retry-after': '1' });
  } else if (isDatabaseLost(error)) {
    answerError(response, 503, 'UNAVAILABLE', 'the database does not answer, try again', {
      'retry-after': '1',
    });
  } else {
    log.error({ err: error }, 'request failed');
    answerError(response, 500, 'INTERNAL', 'something went wrong');
  }
}

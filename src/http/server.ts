import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { flushDenials } from '../authorization/audit.ts';
import { accessFeed } from '../authorization/feed.ts';
import { sweepAccessChanges } from '../authorization/store/changes.ts';
import { openStorage } from '../blobs/object-storage.ts';
import { baseConfig } from '../platform/config/base.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { serverConfig } from '../platform/config/server.ts';
import { listen } from '../platform/listen.ts';
import { log } from '../platform/log.ts';
import { prepareSignIn } from '../sign-in/authenticate.ts';
import { flushKeyUses } from '../sign-in/key-uses.ts';
import type { SignInRequest } from '../sign-in/methods/method.ts';
import { MAX_HEADER_BYTES } from '../sign-in/methods/negotiate.ts';
import { sweepRevokedSessions } from '../sign-in/store/tokens.ts';
import { sweepUsedProofs } from '../sign-in/store/used-proofs.ts';
import { refusal } from './answer.ts';
import { requireEncodedUtf8 } from './body.ts';
import { clientAddress } from './client-address.ts';
import { answerOrigin } from './cors.ts';
import { createGraphQLServer } from './graphql.ts';
import { startHydraAdmin } from './hydra-admin.ts';
import { createListener } from './listener.ts';
import { measureRequest } from './metrics.ts';
import { type RequestUrl, requestUrl } from './request-url.ts';
import { RequestsUnderWay, ServerStopping } from './requests.ts';
import { routeOf } from './routes.ts';
import { serveWebSocket } from './websocket.ts';

export interface RunningServer {
  readonly url: string;
  /**
   * Stops as a load balancer expects: the server says that it is not ready, answers waiting requests, finishes running
   * ones, and closes.
   */
  stop(): Promise<void>;
}

/** Starts the HTTP server. @throws ConfigurationError */
export async function startServer({ host, port }: { host: string; port: number }): Promise<RunningServer> {
  await prepareSignIn();
  // A missing package must stop the start, and not the first upload.
  if (controlPlaneConfig.blobBucket) await openStorage();
  const stopFeed = await accessFeed.start();
  const graphql = createGraphQLServer();
  const requests = new RequestsUnderWay();
  const limits = {
    requestTimeout: 120_000,
    headersTimeout: 20_000,
    keepAliveTimeout: serverConfig.keepAliveSeconds * 1000,
    ...(serverConfig.kerberos ? { maxHeaderSize: MAX_HEADER_BYTES } : {}),
  };
  const server = createListener(limits, answer);
  server.maxConnections = serverConfig.connectionLimit;
  let address = '';
  const publicUrl = () => serverConfig.publicUrl?.replace(/\/+$/, '') ?? address;
  const sockets = serveWebSocket(server, graphql, requests, publicUrl);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = requestUrl(request);
    const route = url ? routeOf(url.pathname) : undefined;
    measureRequest(response, route?.label ?? 'other');
    if (!url) throw refusal('INVALID_ARGUMENT', 'the address is not valid');
    if (url.search !== '') requireEncodedUtf8(url.search);
    if (!route?.isForOperators) {
      if (!route?.hasOwnOrigins && answerOrigin(request, response)) return;
      if (requests.isStopping) {
        response.setHeader('connection', 'close');
        throw new ServerStopping();
      }
    }
    if (!route) throw refusal('NOT_FOUND', 'this address does not exist');
    const handler = route.answers[request.method === 'HEAD' ? 'GET' : (request.method ?? '')];
    if (!handler) throw notAllowed(Object.keys(route.answers));
    const signIn = signInOf(request, response, url);
    await requests.track(handler({ request, response, url, signIn, graphql, requests }));
  }

  function signInOf(request: IncomingMessage, response: ServerResponse, url: RequestUrl): SignInRequest {
    return {
      headers: request.headers,
      address: clientAddress(request),
      publicUrl: publicUrl(),
      connection: request.socket,
      target: { method: request.method ?? '', url: `${publicUrl()}${url.pathname}` },
      setHeader: (name, value) => response.setHeader(name, value),
    };
  }

  const sweeping = setInterval(sweep, SWEEP_EVERY_MS).unref();
  await listen(server, { host, port });
  address = addressOf(server, host);
  const { hydraAdmin } = serverConfig;
  const admin = hydraAdmin && (await startHydraAdmin(hydraAdmin, { graphql, requests, publicUrl }));
  const servers = [server, ...(admin ? [admin] : [])];
  return {
    url: address,
    async stop() {
      // Sockets first, so that their clients get the reason of the closing and not the end of each operation.
      const socketsClosed = sockets.close();
      requests.stop();
      const closed = servers.map((one) => new Promise<void>((resolve) => one.close(() => resolve())));
      let giveUp = () => {};
      const isLate = new Promise<void>((resolve) => {
        giveUp = resolve;
      });
      const deadline = setTimeout(() => {
        sockets.terminate();
        for (const one of servers) one.closeAllConnections();
        giveUp();
      }, baseConfig.drainSeconds * 1000);
      // A connection that is kept alive becomes idle after its last answer.
      const closeIdle = () => servers.forEach((one) => void one.closeIdleConnections());
      const idle = setInterval(closeIdle, 50);
      await Promise.all([socketsClosed, ...closed]);
      // A client may have gone before its request was answered.
      await Promise.race([requests.settled(), isLate]);
      clearTimeout(deadline);
      clearInterval(idle);
      clearInterval(sweeping);
      await stopFeed();
      await Promise.all([flushDenials(), flushKeyUses()]);
    },
  };
}

const SWEEP_EVERY_MS = 10 * 60_000;

/** Deletes rows that are no longer needed. Every server does this; if two do it at once, one of them finds nothing. */
function sweep(): void {
  Promise.all([sweepAccessChanges(), sweepRevokedSessions(), sweepUsedProofs()]).catch((error) =>
    log.warn({ err: error }, 'cleaning up failed'),
  );
}

function addressOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function notAllowed(methods: readonly string[]): Error {
  return refusal('INVALID_ARGUMENT', `this address accepts only ${methods.join(' and ')}`, {
    status: 405,
    headers: { allow: methods.join(', ') },
  });
}

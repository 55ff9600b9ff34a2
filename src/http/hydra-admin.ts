import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { doors } from '../doors/doors.ts';
import { findNamedUser } from '../identity/store/named-users.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { listen } from '../platform/listen.ts';
import { listenOnSocket } from '../platform/listen-on-socket.ts';
import { log } from '../platform/log.ts';
import { nameKey } from '../platform/text.ts';
import { findCallerOfUser } from '../sign-in/caller-of-user.ts';
import { refusal } from './answer.ts';
import { answerAs } from './doors.ts';
import type { Handler } from './exchange.ts';
import type { GraphQLServer } from './graphql.ts';
import { answerAlive, answerReady } from './health.ts';
import { createListener } from './listener.ts';
import { measureRequest } from './metrics.ts';
import { type RequestUrl, requestUrl } from './request-url.ts';
import { type RequestsUnderWay, ServerStopping } from './requests.ts';

/**
 * ORY Hydra's administration API at an address of its own. Hydra has no sign-in there, so some of its clients cannot
 * sign in. Here, every request acts as one service account. The operating system decides who can connect: processes of
 * this machine, or, on a Unix socket, of this user.
 */

type Settings = NonNullable<typeof serverConfig.hydraAdmin>;

interface Parts {
  readonly graphql: GraphQLServer;
  readonly requests: RequestsUnderWay;
  /** The URL of the server for its callers. */
  publicUrl(): string;
}

/** @throws ConfigurationError if the server cannot listen there. */
export async function startHydraAdmin(settings: Settings, parts: Parts): Promise<Server> {
  const server = createListener(
    { keepAliveTimeout: serverConfig.keepAliveSeconds * 1000 },
    (request, response) => answer(settings, parts, request, response),
  );
  const { address } = settings;
  if ('path' in address) await listenOnSocket(server, address.path, 'HYDRA_ADMIN_LISTEN');
  else await listen(server, address, { host: 'HYDRA_ADMIN_LISTEN', port: 'HYDRA_ADMIN_LISTEN' });
  log.warn(
    { address: server.address(), username: settings.username, tenant: settings.tenant },
    'everybody who can connect to HYDRA_ADMIN_LISTEN acts as HYDRA_ADMIN_USER',
  );
  return server;
}

const health: Readonly<Record<string, Handler>> = {
  '/health/alive': answerAlive,
  '/health/ready': answerReady,
};

async function answer(
  settings: Settings,
  { graphql, requests, publicUrl }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  measureRequest(response, 'doors');
  requireLocalName(request);
  const url = requestUrl(request);
  if (!url) throw refusal('INVALID_ARGUMENT', 'the address is not valid');
  const address = request.socket.remoteAddress ?? null;
  const connection = request.socket;
  const signIn = { headers: request.headers, address, publicUrl: publicUrl(), connection };
  const exchange = { request, response, url: withAdmin(url), signIn, graphql, requests };
  const answerHealth = request.method === 'GET' ? health[url.pathname] : undefined;
  if (answerHealth) return await answerHealth(exchange);
  if (requests.isStopping) throw new ServerStopping();
  if (doors.hydra.methodsAt(exchange.url.pathname).length === 0)
    throw refusal('NOT_FOUND', 'this address does not exist');
  await answerAs(doors.hydra, exchange, () => callerOf(settings, address));
}

/** A page whose name leads to this machine would be of the same origin. */
function requireLocalName({ headers: { host = 'localhost' } }: IncomingMessage): void {
  if (!/^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(host))
    throw refusal('PERMISSION_DENIED', 'the Host of a request must be localhost or a loopback address');
}

/** Version 1 of Hydra has this address for administrators. On the main port, clients ask there as themselves. */
function withAdmin(url: RequestUrl): RequestUrl {
  if (url.pathname !== '/oauth2/introspect') return url;
  const { pathname, search, searchParams } = url;
  return { pathname: `/admin${pathname}`, search, searchParams };
}

/**
 * The service account, as it is now, for what the door asks and for nothing else.
 *
 * @throws UnauthenticatedError if it does not exist or is disabled.
 */
async function callerOf({ username, tenant }: Settings, address: string | null): Promise<Caller> {
  const user = await findNamedUser(tenant, nameKey(username));
  const caller = user?.isServiceAccount ? await findCallerOfUser(user.userId) : null;
  if (!caller)
    throw new UnauthenticatedError('HYDRA_ADMIN_USER is not the name of an active service account');
  return { ...caller, method: 'LOCAL', scopes: doors.hydra.scopes, address };
}

import { CALLBACK_PATH } from '../identity-providers/callback-path.ts';
import { answerOperations } from './answer-operations.ts';
import { fetchBlob, storeBlob } from './blobs.ts';
import { answerRegistered, answerRegistration } from './client-registration.ts';
import { answerThroughDoor, doorAt } from './doors.ts';
import type { Handler } from './exchange.ts';
import { answerGraphiQL } from './graphiql/answer.ts';
import { answerAlive, answerReady } from './health.ts';
import { answerFlyteClient, answerProtocol, redirectForm } from './oauth.ts';
import { answerConsentForm, answerConsentPage, CONSENT_PATH } from './pages/consent.ts';
import { answerDeviceForm, answerDevicePage, DEVICE_PATH } from './pages/device.ts';
import { answerCallback, answerLinkForm, LINK_PATH } from './pages/identity-provider.ts';
import { answerLoginForm, answerLoginPage } from './pages/login.ts';
import { LOGIN_PATH } from './pages/login-form.ts';
import { answerLogoutForm, answerLogoutPage, LOGOUT_PAGE_PATH } from './pages/logout.ts';
import { beginSession, endSession } from './session.ts';
import { answerUserInfo } from './user-info.ts';

export interface Route {
  /** This path, or, if it ends with a slash, all paths below it. */
  readonly path: string;
  /** The name in the metrics. A URL is never a label. */
  readonly label: 'health' | 'graphql' | 'blobs' | 'session' | 'oauth' | 'doors' | 'other';
  /** The handlers by method. HEAD is answered as GET. */
  readonly answers: Readonly<Record<string, Handler>>;
  /** True: also answered while the server stops, and not for pages of other origins. */
  readonly isForOperators?: true;
  /** True: decides itself which pages of other origins may read its answers. */
  readonly hasOwnOrigins?: true;
}

const protocol = (path: string, ...methods: readonly string[]): Route => ({
  path,
  label: 'oauth',
  answers: Object.fromEntries(methods.map((method) => [method, answerProtocol])),
  hasOwnOrigins: true,
});

/** A page with a form. No page of another origin may read it. */
const builtInPage = (path: string, GET: Handler, POST: Handler): Route => ({
  path,
  label: 'oauth',
  answers: { GET, POST },
  hasOwnOrigins: true,
});

/** All routes of the server. */
const routes: readonly Route[] = [
  { path: '/health/alive', label: 'health', answers: { GET: answerAlive }, isForOperators: true },
  { path: '/health/ready', label: 'health', answers: { GET: answerReady }, isForOperators: true },
  { path: '/graphql', label: 'graphql', answers: { GET: answerGraphiQL, POST: answerOperations } },
  { path: '/session', label: 'session', answers: { POST: beginSession, DELETE: endSession } },
  { path: '/blobs/', label: 'blobs', answers: { GET: fetchBlob, PUT: storeBlob } },
  protocol('/.well-known/openid-configuration', 'GET', 'OPTIONS'),
  protocol('/.well-known/oauth-authorization-server', 'GET', 'OPTIONS'),
  protocol('/.well-known/jwks.json', 'GET', 'OPTIONS'),
  {
    path: '/oauth2/auth',
    label: 'oauth',
    answers: { GET: answerProtocol, POST: redirectForm },
    hasOwnOrigins: true,
  },
  protocol('/oauth2/auth/', 'GET'),
  protocol('/oauth2/par', 'POST', 'OPTIONS'),
  protocol('/oauth2/token', 'POST', 'OPTIONS'),
  protocol('/oauth2/sessions/logout', 'GET', 'POST'),
  protocol('/oauth2/sessions/logout/success', 'GET'),
  protocol('/oauth2/device/auth', 'POST', 'OPTIONS'),
  protocol('/oauth2/device/verify', 'GET'),
  protocol('/oauth2/device/verify/', 'GET'),
  protocol('/oauth2/revoke', 'POST', 'OPTIONS'),
  protocol('/oauth2/introspect', 'POST', 'OPTIONS'),
  { path: '/oauth2/register', label: 'oauth', answers: { POST: answerRegistration } },
  {
    path: '/oauth2/register/',
    label: 'oauth',
    answers: { GET: answerRegistered, PUT: answerRegistered, DELETE: answerRegistered },
  },
  builtInPage(LOGIN_PATH, answerLoginPage, answerLoginForm),
  { path: CALLBACK_PATH, label: 'oauth', answers: { GET: answerCallback }, hasOwnOrigins: true },
  { path: LINK_PATH, label: 'oauth', answers: { POST: answerLinkForm }, hasOwnOrigins: true },
  builtInPage(CONSENT_PATH, answerConsentPage, answerConsentForm),
  builtInPage(DEVICE_PATH, answerDevicePage, answerDeviceForm),
  builtInPage(LOGOUT_PAGE_PATH, answerLogoutPage, answerLogoutForm),
  { path: '/config/v1/flyte_client', label: 'oauth', answers: { GET: answerFlyteClient } },
  {
    path: '/userinfo',
    label: 'oauth',
    answers: { GET: answerUserInfo, POST: answerUserInfo, OPTIONS: answerUserInfo },
    hasOwnOrigins: true,
  },
  { path: '/', label: 'other', answers: { GET: toGraphiQL } },
];

export function routeOf(path: string): Route | undefined {
  // The addresses of doors are among those below `/oauth2/auth/`, and more exact.
  return exactRoutes.get(path) ?? doorRouteAt(path) ?? folders.find((route) => path.startsWith(route.path));
}

const exactRoutes = new Map(routes.map((route) => [route.path, route]));
const folders = routes.filter(({ path }) => path !== '/' && path.endsWith('/'));

function doorRouteAt(path: string): Route | undefined {
  const door = doorAt(path);
  if (!door) return undefined;
  const handler: Handler = (exchange) => answerThroughDoor(door, exchange);
  const answers = Object.fromEntries(methods.map((method) => [method, handler]));
  return { path, label: 'doors', answers, hasOwnOrigins: true };
}

/** A door says itself which of these a path has. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

async function toGraphiQL({ response }: Parameters<Handler>[0]): Promise<void> {
  response.writeHead(302, { location: '/graphql' }).end();
}

import { type Door, type DoorAnswer, type DoorCall, DoorError, foundOf } from '../door.ts';
import {
  acceptConsentRequest,
  acceptDeviceRequest,
  acceptLoginRequest,
  acceptLogoutRequest,
  getConsentRequest,
  getLoginRequest,
  getLogoutRequest,
  rejectConsentRequest,
  rejectLoginRequest,
  rejectLogoutRequest,
} from './challenges.ts';
import {
  createClient,
  deleteClient,
  deleteRotatedSecrets,
  getClient,
  listClients,
  patchClient,
  rotateSecret,
  setLifespans,
  updateClient,
} from './clients.ts';
import { versionDocument } from './documents.ts';
import { createKey, deleteKey, deleteKeySet, getKey, getKeySet, updateKey, updateKeySet } from './keys.ts';
import { refuse } from './refusals.ts';
import { listConsentSessions, revokeConsentSessions, revokeLoginSessions } from './sessions.ts';
import { deleteTokens, flushTokens, introspectToken } from './tokens.ts';
import { deleteTrustedIssuer, getTrustedIssuer, listTrustedIssuers, trustIssuer } from './trust.ts';

/** Answers a call. The parts are those of the path that stand for `{}` in its pattern. */
type Handler = (call: DoorCall, parts: readonly string[]) => Promise<DoorAnswer>;

/**
 * ORY Hydra's administration API. Version 2 has its addresses below `/admin`, version 1 had them without it; both are
 * answered. Source: Hydra v1.11.10 and v26.2.0, `spec/api.json`.
 */
const routes: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/clients': { GET: listClients, POST: createClient },
  '/clients/{}': { GET: getClient, PUT: updateClient, PATCH: patchClient, DELETE: deleteClient },
  '/clients/{}/lifespans': { PUT: setLifespans },
  '/clients/{}/secrets/rotate': { POST: rotateSecret, DELETE: deleteRotatedSecrets },
  '/keys/{}': { GET: getKeySet, POST: createKey, PUT: updateKeySet, DELETE: deleteKeySet },
  '/keys/{}/{}': { GET: getKey, PUT: updateKey, DELETE: deleteKey },
  '/oauth2/auth/requests/login': { GET: getLoginRequest },
  '/oauth2/auth/requests/login/accept': { PUT: acceptLoginRequest },
  '/oauth2/auth/requests/login/reject': { PUT: rejectLoginRequest },
  '/oauth2/auth/requests/consent': { GET: getConsentRequest },
  '/oauth2/auth/requests/consent/accept': { PUT: acceptConsentRequest },
  '/oauth2/auth/requests/consent/reject': { PUT: rejectConsentRequest },
  '/oauth2/auth/requests/logout': { GET: getLogoutRequest },
  '/oauth2/auth/requests/logout/accept': { PUT: acceptLogoutRequest },
  '/oauth2/auth/requests/logout/reject': { PUT: rejectLogoutRequest },
  '/oauth2/auth/requests/device/accept': { PUT: acceptDeviceRequest },
  '/oauth2/auth/sessions/consent': { GET: listConsentSessions, DELETE: revokeConsentSessions },
  '/oauth2/auth/sessions/login': { DELETE: revokeLoginSessions },
  '/oauth2/tokens': { DELETE: deleteTokens },
  '/oauth2/flush': { POST: flushTokens },
  // Without `/admin`, clients ask here as themselves: RFC 7662.
  '/admin/oauth2/introspect': { POST: introspectToken },
  '/trust/grants/jwt-bearer/issuers': { GET: listTrustedIssuers, POST: trustIssuer },
  '/trust/grants/jwt-bearer/issuers/{}': { GET: getTrustedIssuer, DELETE: deleteTrustedIssuer },
  '/version': { GET: getVersion },
};

const patterns = Object.entries(routes).map(([pattern, handlers]) => ({
  parts: pattern.slice(1).split('/'),
  handlers,
}));

interface Match {
  readonly handlers: Readonly<Record<string, Handler>>;
  /** The parts that stand for `{}`, still percent-encoded. */
  readonly parts: readonly string[];
}

function match(path: string): Match | null {
  return matchExactly(path) ?? matchExactly(path.replace(/^\/admin(?=\/)/, ''));
}

function matchExactly(path: string): Match | null {
  const given = path.slice(1).split('/');
  const route = patterns.find(
    ({ parts }) =>
      parts.length === given.length &&
      parts.every((part, index) => (part === '{}' ? given[index] !== '' : part === given[index])),
  );
  return (
    (route && {
      handlers: route.handlers,
      parts: given.filter((_part, index) => route.parts[index] === '{}'),
    }) ??
    null
  );
}

/** Of the operations that the routes ask. */
const scopes = [
  'login-app',
  ...['oauth2Client:*', 'oauth2Token:*', 'consentSession:*', 'jsonWebKey:read', 'jsonWebKey:administer'],
];

export const hydra: Door = {
  scopes,
  methodsAt: (path) => Object.keys(match(path)?.handlers ?? {}),
  async answer(call) {
    const { handlers = {}, parts = [] } = match(call.path) ?? {};
    const handler = handlers[call.method];
    if (handler) return await handler(call, parts.map(decoded));
    const allow = Object.keys(handlers);
    throw new DoorError('INVALID_ARGUMENT', `this address accepts only ${allow.join(' and ')}`, {
      ...{ status: 405, allow },
    });
  },
  refuse,
};

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new DoorError('INVALID_ARGUMENT', 'the address is not valid');
  }
}

async function getVersion({ ask }: DoorCall): Promise<DoorAnswer> {
  const { version } = await ask(versionDocument, {});
  return { status: 200, body: foundOf(version) };
}

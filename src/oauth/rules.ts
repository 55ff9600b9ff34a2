import type { Permission } from '../authorization/domain/permissions.ts';
import { callerOf } from '../graphql/context.ts';
import {
  anyone,
  can,
  type FieldArguments,
  type Lookup,
  type ObjectName,
  type RootRules,
  type Rule,
  ruleBy,
} from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { ClientBy } from './store/clients.ts';
import type { JwtGrantIssuerBy } from './store/jwt-grant-issuers.ts';

const clientAt = (byOf: (args: FieldArguments) => ClientBy): Lookup => ({
  kind: 'oauth2 client',
  key: (args) => addressText(byOf(args)),
  lookUp: (args, { loaders }) => loaders.oauth2Client.load(byOf(args)),
});

const clientOfInput = clientAt((args) => (args['input'] as { by: ClientBy }).by);

const trustedIssuerOf: Lookup = {
  kind: 'jwt grant issuer',
  key: (args) => (args['by'] as JwtGrantIssuerBy).id,
  lookUp: (args, { loaders }) => loaders.jwtGrantIssuer.load(args['by'] as JwtGrantIssuerBy),
};

const issuerOfInput: ObjectName = {
  kind: 'jwt grant issuer',
  key: (args) => {
    const { issuer, by } = args['input'] as { issuer?: string; by?: JwtGrantIssuerBy };
    return (issuer ?? by?.id ?? '').slice(0, 255);
  },
};

const newClient: ObjectName = {
  kind: 'oauth2 client',
  key: (args) => (args['input'] as { clientId?: string | null }).clientId || 'new client',
};

const challengeOfInput: ObjectName = {
  kind: 'challenge',
  key: (args) => (args['input'] as { challenge: string }).challenge.slice(0, 100),
};

/** A person may ask about herself; an administrator about everybody of the tenant. */
const aboutSubject = (
  own: Permission,
  kind: 'consent session' | 'login session',
  inputOf: (args: FieldArguments) => Readonly<Record<string, unknown>>,
): Rule => {
  const name: ObjectName = {
    kind,
    key: (args) => {
      const { subject, consentRequestId, sessionId } = inputOf(args);
      return String(subject ?? consentRequestId ?? sessionId ?? kind).slice(0, 255);
    },
  };
  return ruleBy(async (args, context) => {
    const isOwn = inputOf(args)['subject'] === callerOf(context).userId;
    return can(isOwn ? own : 'consentSession:administer', name);
  });
};
const input = (args: FieldArguments) => args['input'] as Readonly<Record<string, unknown>>;

export const oauthRules: RootRules = {
  Query: {
    oauth2Metadata: anyone,
    publicClientConfig: anyone,
    oauth2Client: can(
      'oauth2Client:read',
      clientAt((args) => args['by'] as ClientBy),
    ),
    oauth2Clients: can('oauth2Client:list'),
    jwtGrantIssuer: can('oauth2Client:read', trustedIssuerOf),
    jwtGrantIssuers: can('oauth2Client:list'),
    consentSessions: aboutSubject('consentSession:read', 'consent session', (args) => args),
    introspectOAuth2Token: can('oauth2Token:introspect'),
    userInfo: can('viewer:read'),
    logoutRequest: can('loginRequest:answer'),
    deviceRequest: can('loginRequest:answer'),
    loginRequest: can('loginRequest:answer'),
    consentRequest: can('loginRequest:answer'),
  },
  Mutation: {
    acceptLogoutRequest: can('loginRequest:answer', challengeOfInput),
    rejectLogoutRequest: can('loginRequest:answer', challengeOfInput),
    acceptDeviceRequest: can('loginRequest:answer', challengeOfInput),
    acceptLoginRequest: can('loginRequest:answer', challengeOfInput),
    rejectLoginRequest: can('loginRequest:answer', challengeOfInput),
    acceptConsentRequest: can('loginRequest:answer', challengeOfInput),
    rejectConsentRequest: can('loginRequest:answer', challengeOfInput),
    flushInactiveOAuth2Tokens: can('oauth2Token:administer'),
    deleteOAuth2Tokens: can('oauth2Token:administer', clientOfInput),
    revokeConsentSessions: aboutSubject('consentSession:revoke', 'consent session', input),
    revokeAuthenticationSession: aboutSubject('consentSession:revoke', 'login session', input),
    createOAuth2Client: can('oauth2Client:administer', newClient),
    updateOAuth2Client: can('oauth2Client:administer', clientOfInput),
    patchOAuth2Client: can('oauth2Client:administer', clientOfInput),
    setOAuth2ClientLifespans: can('oauth2Client:administer', clientOfInput),
    rotateOAuth2ClientSecret: can('oauth2Client:administer', clientOfInput),
    deleteRotatedOAuth2ClientSecrets: can('oauth2Client:administer', clientOfInput),
    deleteOAuth2Client: can('oauth2Client:administer', clientOfInput),
    trustJwtGrantIssuer: can('oauth2Client:administer', issuerOfInput),
    deleteJwtGrantIssuer: can('oauth2Client:administer', issuerOfInput),
  },
};

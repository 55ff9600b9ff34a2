import type { JWK } from 'jose';
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { SigningKeys } from '../../key-sets/signing-keys.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { log } from '../../platform/log.ts';
import { signaturesOfAll } from '../../platform/secrets.ts';
import { proofAlgorithms } from '../../sign-in/proofs/check-proof.ts';
import { VERIFY_PATH } from '../device-request.ts';
import { DEVICE_CODE, JWT_BEARER, type LifespanName, signingAlgorithms } from '../domain/client-settings.ts';
import { subjectTypes } from '../domain/sectors.ts';
import { LOGOUT_PATH } from '../logout-request.ts';
import { textsFor } from '../pages/languages.ts';
import { renderProblemPage } from '../pages/message-pages.ts';
import { pageHeaders } from '../pages/page.ts';
import { findConsent } from '../store/consents.ts';
import { completeJwt, overrideAccessTokens, ownClaims } from './access-tokens.ts';
import { adapterFor } from './adapter.ts';
import { adaptBodies } from './bodies.ts';
import { type SlipwayClient, slipwayOf } from './client-model.ts';
import { isSecretOf } from './client-secret.ts';
import { addDevicePage, deviceFlow } from './device.ts';
import { dPoP, shareNonces } from './dpop-nonces.ts';
import { interactionUrl, loadExistingGrant, policy } from './interactions.ts';
import { answerIntrospection } from './introspection.ts';
import { addJwtBearer } from './jwt-bearer.ts';
import { addLogoutPage, logout } from './logout.ts';
import { overrideModels } from './model-overrides.ts';
import { mayRead } from './origins.ts';
import { nameRefusals, requireForgeryProtection, requireOwnToken } from './refusals.ts';
import { detectReplays, requireShortAssertion } from './replays.ts';
import { settleAudience } from './requested-audience.ts';
import { requireVerifier } from './require-verifier.ts';
import { limitResources, ResourceProvider } from './resource-provider.ts';
import { RESOURCE } from './resources.ts';
import {
  issuesRefreshToken,
  keepOfflineAccess,
  protocolScopes,
  requireAllowedScopes,
  resourceServerInfo,
} from './scopes.ts';
import { addTokenExchange } from './token-exchange.ts';

const { oauth } = serverConfig;

/** The paths of Hydra's public endpoints, where they are not those of the engine. */
const routes = {
  authorization: '/oauth2/auth',
  pushed_authorization_request: '/oauth2/par',
  token: '/oauth2/token',
  device_authorization: '/oauth2/device/auth',
  code_verification: VERIFY_PATH,
  end_session: LOGOUT_PATH,
  revocation: '/oauth2/revoke',
  introspection: '/oauth2/introspect',
  jwks: '/.well-known/jwks.json',
};

/** Tokens of a grant are valid for as long as the client says, or else the server. */
const lifespan =
  (token: 'AccessToken' | 'IdToken' | 'RefreshToken', byDefault: number) =>
  (ctx: KoaContextWithOIDC | undefined, _token: unknown, client: unknown): number => {
    const grant = ctx?.oidc.params?.['grant_type'];
    const by =
      grant === 'refresh_token'
        ? 'refreshToken'
        : grant === 'authorization_code'
          ? 'authorizationCode'
          : grant === DEVICE_CODE
            ? 'deviceCode'
            : grant === JWT_BEARER
              ? 'jwtBearer'
              : 'implicit';
    const lifespans = (client as { slipway?: SlipwayClient } | undefined)?.slipway?.settings.lifespans;
    return lifespans?.[`${by}${token}` as LifespanName] ?? byDefault;
  };

/** A grant must outlive every refresh token that it can get: an expired grant ends its tokens. */
const grantSeconds = 2 * 315_360_000;

/** The engine refuses private addresses by its dispatcher. */
const fetchFromClient = (
  url: string | URL,
  { dispatcher, ...options }: RequestInit & { dispatcher?: unknown },
) => fetch(url, { ...options, ...(oauth.privateAddresses ? {} : { dispatcher }) } as RequestInit);

function configuration(issuer: string, keys: SigningKeys): Configuration {
  const jwks = keys.all.flatMap(({ privateJwk }) => privateJwk ?? []);
  return {
    adapter: adapterFor(issuer),
    jwks: { keys: jwks as JWK[] } as NonNullable<Configuration['jwks']>,
    routes,
    scopes: protocolScopes,
    // What the engine is told of a client says nothing about pairwise subjects: see ../pairwise-subjects.ts.
    subjectTypes: [...subjectTypes],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time', 'sid'] },
    conformIdTokenClaims: false,
    fetch: fetchFromClient as NonNullable<Configuration['fetch']>,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientDefaults: { id_token_signed_response_alg: keys.current.alg as 'RS256' },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256'],
      clientAuthSigningAlgValues: signingAlgorithms,
      requestObjectSigningAlgValues: signingAlgorithms,
      dPoPSigningAlgValues: [...proofAlgorithms],
    },
    assertJwtClientAuthClaimsAndHeader: requireShortAssertion,
    extraClientMetadata: { properties: ['slipway'], validator: () => {} },
    responseTypes: [
      'code',
      'id_token',
      'code id_token',
      'code token',
      'id_token token',
      'code id_token token',
    ],
    cookies: {
      keys: signaturesOfAll('oauth-cookies', 'keys'),
      long: { signed: true },
      short: { signed: true },
    },
    findAccount: async (_ctx, accountId) => ({
      accountId,
      claims: async () => ({ sub: accountId }),
    }),
    interactions: { policy: policy(), url: interactionUrl },
    loadExistingGrant,
    formats: { customizers: { jwt: completeJwt as never } },
    extraTokenClaims: ownClaims as never,
    issueRefreshToken: issuesRefreshToken as NonNullable<Configuration['issueRefreshToken']>,
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    extraParams: {
      /** This runs after all other checks of a request. */
      audience: async (ctx: KoaContextWithOIDC, _value: string | undefined, client: never) => {
        keepOfflineAccess(ctx, client);
        requireAllowedScopes(ctx, client);
        await settleAudience(ctx, client);
        requireForgeryProtection(ctx);
      },
    } as unknown as NonNullable<Configuration['extraParams']>,
    clientBasedCORS: (_ctx, origin, client) => mayRead(origin, client, issuer),
    ttl: {
      AccessToken: lifespan('AccessToken', oauth.accessTokenSeconds),
      AuthorizationCode: oauth.codeSeconds,
      ClientCredentials: (_ctx, _token, client) =>
        slipwayOf(client).settings.lifespans.clientCredentialsAccessToken ?? oauth.accessTokenSeconds,
      DeviceCode: oauth.deviceCodeSeconds,
      Grant: grantSeconds,
      IdToken: lifespan('IdToken', oauth.idTokenSeconds),
      Interaction: oauth.challengeSeconds,
      RefreshToken: lifespan('RefreshToken', oauth.refreshTokenSeconds),
      Session: (_ctx, session) => {
        const { rememberedUntil } = session as unknown as { readonly rememberedUntil?: number };
        const left = (rememberedUntil ?? Number.POSITIVE_INFINITY) - Math.floor(Date.now() / 1000);
        return Math.max(1, Math.min(left, oauth.sessionSeconds));
      },
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow,
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      dPoP,
      userinfo: { enabled: false },
      rpInitiatedLogout: logout,
      backchannelLogout: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: requireOwnToken,
      },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) =>
          client.tokenEndpointAuthMethod !== 'none' && token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => RESOURCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: resourceServerInfo,
      },
    },
    renderError: (ctx, out) => {
      if (oauth.errorUrl) {
        const url = new URL(oauth.errorUrl);
        for (const [name, value] of Object.entries(out)) url.searchParams.set(name, String(value));
        ctx.redirect(url.href);
        return;
      }
      const texts = textsFor(undefined, ctx.get('accept-language'));
      ctx.set(pageHeaders);
      ctx.body = renderProblemPage(texts, {
        error: out.error,
        description: out.error_description ?? null,
      });
    },
  };
}

/**
 * The protocol engine with all that we have changed. It is made anew when the keys change; everything else is in the
 * database.
 */
export function makeProvider(issuer: string, keys: SigningKeys): Provider {
  const settings = configuration(issuer, keys);
  settings.discovery = {
    userinfo_endpoint: `${issuer}/userinfo`,
    userinfo_signing_alg_values_supported: ['RS256'],
    ...(oauth.registration.isOn ? { registration_endpoint: `${issuer}/oauth2/register` } : {}),
  };
  const provider = new ResourceProvider(issuer, settings);
  // Behind a proxy that ends TLS, the scheme comes from X-Forwarded-Proto, which src/http/oauth.ts sets by itself.
  provider.proxy = issuer.startsWith('https:');
  provider.on('server_error', (_ctx, error) => log.error({ err: error }, 'oauth request failed'));
  provider.use((ctx, next) => {
    requireVerifier(provider, ctx as KoaContextWithOIDC);
    return next();
  });
  shareNonces(provider);
  detectReplays(provider);
  nameRefusals(provider);
  overrideModels(provider, {
    isSecret: isSecretOf,
    sessionSeconds: oauth.sessionSeconds,
    idTokenClaims: async (grantId) => (await findConsent(grantId))?.session.idToken ?? {},
  });
  overrideAccessTokens(provider);
  limitResources(provider);
  adaptBodies(provider);
  addJwtBearer(provider);
  addTokenExchange(provider);
  answerIntrospection(provider);
  addDevicePage(provider);
  addLogoutPage(provider);
  return provider;
}

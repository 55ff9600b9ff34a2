import { LRUCache } from 'lru-cache';
import * as client from 'openid-client';
import { serverConfig } from '../platform/config/server.ts';
import { UnavailableError } from '../platform/errors.ts';
import { guardedFetch } from '../platform/guarded-fetch.ts';
import { log } from '../platform/log.ts';
import { clientSecretOf, type ProviderRow } from './store/identity-providers.ts';

/** This server as a client of an identity provider: the code flow with PKCE. All requests to providers are in here. */

/** How long we use what a provider says about itself before we ask again. */
const FRESH_MS = 600_000;
const CLOCK_TOLERANCE_SECONDS = 30;

const configurations = new LRUCache<string, Promise<client.Configuration>>({ max: 200, ttl: FRESH_MS });

const fetchGuarded: client.CustomFetch = (url, { method, headers, body }) =>
  guardedFetch(url, { method, headers, body }, serverConfig.oauth.privateAddresses);

/** @throws UnavailableError if the provider does not answer, or not as an issuer does. */
async function configurationOf(provider: ProviderRow): Promise<client.Configuration> {
  const key = `${provider.id} ${provider.updatedAt.getTime()}`;
  const known = configurations.get(key);
  const asked = known ?? discover(provider);
  if (!known) configurations.set(key, asked);
  try {
    return await asked;
  } catch (error) {
    configurations.delete(key);
    throw unavailable(provider, error);
  }
}

function discover(provider: ProviderRow): Promise<client.Configuration> {
  const secret = clientSecretOf(provider);
  const issuer = new URL(provider.issuer);
  return client.discovery(
    issuer,
    provider.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    secret === null ? client.None() : withSecret(secret),
    {
      [client.customFetch]: fetchGuarded,
      execute: [
        // The library trusts ID tokens that come over TLS. We also check who has signed them.
        client.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
      ],
    },
  );
}

/** As the provider wants it. Source: RFC 6749 §2.3.1. */
const withSecret =
  (secret: string): client.ClientAuth =>
  (metadata, ...request) => {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const isBasic = methods.includes('client_secret_basic');
    return (isBasic ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret))(
      metadata,
      ...request,
    );
  };

function unavailable({ id, issuer }: ProviderRow, cause: unknown): UnavailableError {
  log.warn({ err: cause, identityProviderId: id, issuer }, 'an identity provider does not answer');
  return new UnavailableError('the identity provider does not answer, try again', { cause });
}

/** What is only known to this server and to the browser. */
export interface Proof {
  readonly nonce: string;
  readonly codeVerifier: string;
}

export const newProof = (): Proof => ({
  nonce: client.randomNonce(),
  codeVerifier: client.randomPKCECodeVerifier(),
});

/**
 * Where a browser signs in at the provider.
 *
 * @param request.isAnew  whether the person must sign in there although she has a session.
 * @throws UnavailableError
 */
export async function signInUrl(
  provider: ProviderRow,
  proof: Proof,
  request: { readonly redirectUri: string; readonly state: string; readonly isAnew: boolean },
): Promise<string> {
  const configuration = await configurationOf(provider);
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: request.redirectUri,
    scope: provider.scopes.join(' '),
    state: request.state,
    ...(request.isAnew ? { prompt: 'login' } : {}),
    nonce: proof.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(proof.codeVerifier),
    code_challenge_method: 'S256',
  });
  if (!/^https?:$/.test(url.protocol)) throw unavailable(provider, new Error('no web address'));
  return url.href;
}

/**
 * The claims of the person who comes back from the provider: those of the ID token, and what only the provider's
 * userinfo endpoint says.
 *
 * @param answer  the address to which the browser has come back, with the state that we have sent.
 * @returns null if the answer is not a valid answer to this request of this provider. Source: OpenID Connect Core
 * §3.1.3.7, RFC 9207.
 * @throws UnavailableError
 */
export async function claimsOf(
  provider: ProviderRow,
  { nonce, codeVerifier }: Proof,
  { answer, state }: { readonly answer: URL; readonly state: string },
): Promise<Readonly<Record<string, unknown>> | null> {
  const configuration = await configurationOf(provider);
  try {
    const tokens = await client.authorizationCodeGrant(configuration, answer, {
      pkceCodeVerifier: codeVerifier,
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) return null;
    const more = configuration.serverMetadata().userinfo_endpoint
      ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
      : {};
    return { ...more, ...claims };
  } catch (error) {
    const { id, issuer } = provider;
    log.info({ err: error, identityProviderId: id, issuer }, 'answer of an identity provider refused');
    return null;
  }
}

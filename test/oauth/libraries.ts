/**
 * Two independent client libraries, driven in the same way: openid-client, and oauth4webapi, which leaves each step to
 * its user. All tokens that they get are verified: see verified-tokens.ts.
 */
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { PATIENCE_SECONDS, redirect } from './stage.ts';
import { verifyIdToken, verifyingFetch } from './verified-tokens.ts';

type Parameters = Readonly<Record<string, string>>;
type KeyPair = client.CryptoKeyPair;

export interface Tokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly scope?: string | undefined;
  readonly refresh_token?: string | undefined;
  readonly id_token?: string | undefined;
}

export interface DeviceCode {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete?: string | undefined;
}

/** How a client shows who it is. */
export type Authentication =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: string }
  | { readonly method: 'private_key_jwt'; readonly key: CryptoKey; readonly alg: string }
  | { readonly method: 'none' };

export interface Request {
  /** Where the browser is sent. */
  readonly url: string;
  /** Checks the answer that the browser brings back, and redeems its code. */
  redeem(answer: string): Promise<Tokens>;
}

export interface Connection {
  readonly clientId: string;
  /** A request for a code with PKCE, state and nonce. */
  request(
    scope: string,
    how?: { readonly isPushed?: boolean; readonly isHybrid?: boolean },
  ): Promise<Request>;
  refresh(token: string): Promise<Tokens>;
  clientCredentials(scope: string): Promise<Tokens>;
  beginDevice(scope: string): Promise<DeviceCode>;
  pollDevice(code: DeviceCode): Promise<Tokens>;
  /** Where the browser is sent to sign out. */
  logoutUrl(parameters: Parameters): string;
  introspect(token: string): Promise<{ readonly active: boolean }>;
  revoke(token: string): Promise<void>;
  userInfo(token: string, subject: string): Promise<{ readonly sub: string }>;
}

interface Opening {
  /** The address of the server. */
  readonly issuer: string;
  readonly clientId: string;
  readonly authentication: Authentication;
  /** The key that its tokens are bound to. */
  readonly bindTo?: KeyPair;
  readonly onVerified?: (kind: string) => void;
}

export interface Library {
  readonly name: string;
  connect(opening: Opening): Promise<Connection>;
  /** Registers a new client, and connects as that. */
  register(issuer: string, metadata: object): Promise<Connection>;
}

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
/** The libraries name a curve as RFC 9864 does, and the key of a test may be registered under the older name. */
const naming = (alg: string) => ({
  [oauth.modifyAssertion]: (header: Record<string, unknown>) => void Object.assign(header, { alg }),
});

async function pkce() {
  const verifier = oauth.generateRandomCodeVerifier();
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  return { verifier, parameters: { code_challenge: challenge, code_challenge_method: 'S256' } };
}

/** The ID token that comes with the browser in the hybrid flow. */
async function verifyFragment(answer: string, { issuer, clientId }: Opening): Promise<void> {
  const told = new URLSearchParams(new URL(answer).hash.slice(1));
  await verifyIdToken(told.get('id_token') ?? '', { issuer, clientId, code: told.get('code') ?? '' });
}

class OpenIdClient implements Connection {
  readonly clientId: string;
  readonly #opening: Opening;
  readonly #config: client.Configuration;
  readonly #options: client.DPoPOptions;

  constructor(opening: Opening, config: client.Configuration) {
    this.clientId = opening.clientId;
    this.#opening = opening;
    this.#config = config;
    this.#config[client.customFetch] = verifyingFetch(opening, opening.onVerified);
    const { bindTo } = opening;
    this.#options = bindTo ? { DPoP: client.getDPoPHandle(config, bindTo) } : {};
  }

  async request(scope: string, { isPushed = false, isHybrid = false } = {}): Promise<Request> {
    const { verifier, parameters } = await pkce();
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
    const asked = {
      ...{ redirect_uri: redirect, scope, state: expectedState, nonce: expectedNonce, ...parameters },
      ...(isHybrid ? { response_type: 'code id_token' } : {}),
    };
    if (isHybrid) client.useCodeIdTokenResponseType(this.#config);
    const url = isPushed
      ? await client.buildAuthorizationUrlWithPAR(this.#config, asked, this.#options)
      : client.buildAuthorizationUrl(this.#config, asked);
    const checks = { pkceCodeVerifier: verifier, expectedState, expectedNonce };
    const redeem = async (answer: string) => {
      if (isHybrid) await verifyFragment(answer, this.#opening);
      return await client.authorizationCodeGrant(this.#config, new URL(answer), checks, {}, this.#options);
    };
    return { url: url.href, redeem };
  }

  refresh = (token: string) => client.refreshTokenGrant(this.#config, token, {}, this.#options);
  clientCredentials = (scope: string) =>
    client.clientCredentialsGrant(this.#config, { scope }, this.#options);
  beginDevice = (scope: string) => client.initiateDeviceAuthorization(this.#config, { scope });
  pollDevice = ({ device_code }: DeviceCode) =>
    client.genericGrantRequest(this.#config, DEVICE_CODE, { device_code }, this.#options);
  logoutUrl = (parameters: Parameters) => client.buildEndSessionUrl(this.#config, { ...parameters }).href;
  introspect = (token: string) => client.tokenIntrospection(this.#config, token);
  revoke = (token: string) => client.tokenRevocation(this.#config, token);
  userInfo = (token: string, subject: string) =>
    client.fetchUserInfo(this.#config, token, subject, this.#options);
}

function openIdClientAuthentication(authentication: Authentication): client.ClientAuth {
  const { method } = authentication;
  if (method === 'none') return client.None();
  if (method === 'private_key_jwt')
    return client.PrivateKeyJwt({ key: authentication.key, kid: 'one' }, naming(authentication.alg));
  const by = method === 'client_secret_basic' ? client.ClientSecretBasic : client.ClientSecretPost;
  return by(authentication.secret);
}

const insecureDiscovery = { execute: [client.allowInsecureRequests], timeout: PATIENCE_SECONDS };

class OAuth4WebApi implements Connection {
  readonly clientId: string;
  readonly #opening: Opening;
  readonly #server: oauth.AuthorizationServer;
  readonly #client: oauth.Client;
  readonly #authentication: oauth.ClientAuth;
  readonly #options: {
    readonly [oauth.allowInsecureRequests]: true;
    readonly [oauth.customFetch]: (url: string, init: object) => Promise<Response>;
    readonly DPoP?: oauth.DPoPHandle;
  };

  constructor(opening: Opening, server: oauth.AuthorizationServer) {
    this.clientId = opening.clientId;
    this.#opening = opening;
    this.#server = server;
    this.#client = { client_id: opening.clientId };
    this.#authentication = oauth4WebApiAuthentication(opening.authentication);
    const { bindTo } = opening;
    this.#options = {
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: verifyingFetch(opening, opening.onVerified),
      ...(bindTo ? { DPoP: oauth.DPoP(this.#client, bindTo) } : {}),
    };
  }

  async request(scope: string, { isPushed = false, isHybrid = false } = {}): Promise<Request> {
    const { verifier, parameters } = await pkce();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const asked = {
      ...{ client_id: this.clientId, redirect_uri: redirect, scope, state, nonce, ...parameters },
      response_type: isHybrid ? 'code id_token' : 'code',
    };
    const url = new URL(this.#server.authorization_endpoint ?? '');
    const sent = isPushed ? await this.#withNonce(() => this.#push(asked)) : asked;
    url.search = new URLSearchParams(sent).toString();
    const expected = { state, nonce, verifier, isHybrid };
    return { url: url.href, redeem: (answer) => this.#withNonce(() => this.#redeem(answer, expected)) };
  }

  /** Sends a request again whose proof needs a nonce of the server. The first answer has brought it. */
  async #withNonce<T>(send: () => Promise<T>): Promise<T> {
    return await send().catch((error) => {
      if (oauth.isDPoPNonceError(error)) return send();
      throw error;
    });
  }

  async #push(asked: Record<string, string>): Promise<Record<string, string>> {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.pushedAuthorizationRequest(
      ...by,
      this.#authentication,
      asked,
      this.#options,
    );
    const { request_uri } = await oauth.processPushedAuthorizationResponse(...by, response);
    return { client_id: this.clientId, request_uri };
  }

  async #redeem(
    answer: string,
    expected: {
      readonly state: string;
      readonly nonce: string;
      readonly verifier: string;
      readonly isHybrid: boolean;
    },
  ): Promise<Tokens> {
    const { state, nonce, verifier, isHybrid } = expected;
    const by = [this.#server, this.#client] as const;
    const url = new URL(answer);
    if (isHybrid) await verifyFragment(answer, this.#opening);
    const parameters = isHybrid
      ? await oauth.validateCodeIdTokenResponse(...by, url, nonce, state, undefined, this.#options)
      : oauth.validateAuthResponse(...by, url, state);
    const response = await oauth.authorizationCodeGrantRequest(
      ...by,
      this.#authentication,
      parameters,
      redirect,
      verifier,
      this.#options,
    );
    const checks = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(...by, response, checks);
    // It verifies the signature with the published keys, too.
    await oauth.validateApplicationLevelSignature(this.#server, response, this.#options);
    return tokens;
  }

  refresh = (token: string) => this.#withNonce(() => this.#refresh(token));
  clientCredentials = (scope: string) => this.#withNonce(() => this.#clientCredentials(scope));
  pollDevice = (code: DeviceCode) => this.#withNonce(() => this.#pollDevice(code));
  userInfo = (token: string, subject: string) => this.#withNonce(() => this.#userInfo(token, subject));

  async #refresh(token: string): Promise<Tokens> {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.refreshTokenGrantRequest(...by, this.#authentication, token, this.#options);
    return await oauth.processRefreshTokenResponse(...by, response);
  }

  async #clientCredentials(scope: string): Promise<Tokens> {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.clientCredentialsGrantRequest(
      ...by,
      this.#authentication,
      { scope },
      this.#options,
    );
    return await oauth.processClientCredentialsResponse(...by, response);
  }

  async beginDevice(scope: string): Promise<DeviceCode> {
    const by = [this.#server, this.#client] as const;
    const { DPoP: _none, ...options } = this.#options;
    const response = await oauth.deviceAuthorizationRequest(...by, this.#authentication, { scope }, options);
    return await oauth.processDeviceAuthorizationResponse(...by, response);
  }

  async #pollDevice({ device_code: code }: DeviceCode): Promise<Tokens> {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.deviceCodeGrantRequest(...by, this.#authentication, code, this.#options);
    return await oauth.processDeviceCodeResponse(...by, response);
  }

  logoutUrl(parameters: Parameters): string {
    const url = new URL(this.#server.end_session_endpoint ?? '');
    url.search = new URLSearchParams({ client_id: this.clientId, ...parameters }).toString();
    return url.href;
  }

  async introspect(token: string) {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.introspectionRequest(...by, this.#authentication, token, this.#options);
    return await oauth.processIntrospectionResponse(...by, response);
  }

  async revoke(token: string): Promise<void> {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.revocationRequest(...by, this.#authentication, token, this.#options);
    await oauth.processRevocationResponse(response);
  }

  async #userInfo(token: string, subject: string) {
    const by = [this.#server, this.#client] as const;
    const response = await oauth.userInfoRequest(...by, token, this.#options);
    return await oauth.processUserInfoResponse(...by, subject, response);
  }
}

function oauth4WebApiAuthentication(authentication: Authentication): oauth.ClientAuth {
  const { method } = authentication;
  if (method === 'none') return oauth.None();
  if (method === 'private_key_jwt')
    return oauth.PrivateKeyJwt({ key: authentication.key, kid: 'one' }, naming(authentication.alg));
  const by = method === 'client_secret_basic' ? oauth.ClientSecretBasic : oauth.ClientSecretPost;
  return by(authentication.secret);
}

async function serverAt(issuer: string): Promise<oauth.AuthorizationServer> {
  const options = { algorithm: 'oauth2', [oauth.allowInsecureRequests]: true } as const;
  const response = await oauth.discoveryRequest(new URL(issuer), options);
  return await oauth.processDiscoveryResponse(new URL(issuer), response);
}

export const libraries: readonly Library[] = [
  {
    name: 'openid-client',
    async connect(opening) {
      const { issuer, clientId, authentication } = opening;
      const by = openIdClientAuthentication(authentication);
      const config = await client.discovery(new URL(issuer), clientId, {}, by, insecureDiscovery);
      return new OpenIdClient(opening, config);
    },
    async register(issuer, metadata) {
      const config = await client.dynamicClientRegistration(
        new URL(issuer),
        metadata,
        undefined,
        insecureDiscovery,
      );
      const { client_id: clientId, client_secret: secret } = config.clientMetadata();
      const authentication = { method: 'client_secret_basic', secret: String(secret) } as const;
      return new OpenIdClient({ issuer, clientId, authentication }, config);
    },
  },
  {
    name: 'oauth4webapi',
    async connect(opening) {
      return new OAuth4WebApi(opening, await serverAt(opening.issuer));
    },
    async register(issuer, metadata) {
      const server = await serverAt(issuer);
      const options = { [oauth.allowInsecureRequests]: true } as const;
      const response = await oauth.dynamicClientRegistrationRequest(server, metadata, options);
      const made = await oauth.processDynamicClientRegistrationResponse(response);
      const authentication = { method: 'client_secret_basic', secret: String(made.client_secret) } as const;
      return new OAuth4WebApi({ issuer, clientId: made.client_id, authentication }, server);
    },
  },
];

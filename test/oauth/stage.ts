/**
 * What the tests of OAuth share: a server, a login app, and two clients, as openid-client drives them. A test file sets
 * OAUTH_LOGIN_URL and OAUTH_CONSENT_URL before it imports anything, as browser.ts has them.
 */
import * as client from 'openid-client';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newCaller } from '../support/users.ts';
import { type Actors, Browser, signIn } from './browser.ts';
import { verifyingFetch } from './verified-tokens.ts';

export const redirect = 'https://app.example/callback';
export const scopes = ['openid', 'offline', 'read.runs'];
export const scope = scopes.join(' ');
export const consent = { grantScopes: scopes };
/** The settings of the client `web`. */
export const webSettings = {
  redirectUris: [redirect],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  scope: 'openid offline offline_access read.* write',
};

/** A request of a client, and what the client checks in the answer. */
export interface AuthorizationRequest {
  readonly url: string;
  readonly checks: {
    readonly pkceCodeVerifier: string;
    readonly expectedState: string;
    readonly expectedNonce?: string;
  };
}

export class Stage {
  readonly app: LocalApp;
  /** Authorization of the login app. */
  readonly loginApp: string;
  /** A client with a secret. */
  readonly web: client.Configuration;
  readonly webSecret: string;
  /** A public client. */
  readonly native: client.Configuration;

  static async start(): Promise<Stage> {
    const app = await startApp({ scheduler: false });
    const loginApp = await newCaller({ role: 'SYSTEM', scopes: ['login-app'] });
    const { config: web, secret: webSecret } = await addClient(app, 'web', webSettings);
    const grantTypes = webSettings.grantTypes.filter((grant) => grant !== 'client_credentials');
    const publicSettings = { ...webSettings, grantTypes, tokenEndpointAuthMethod: 'none' };
    const { config: native } = await addClient(app, 'native', publicSettings);
    return new Stage({ app, loginApp, web, webSecret, native });
  }

  constructor(parts: Pick<Stage, 'app' | 'loginApp' | 'web' | 'webSecret' | 'native'>) {
    this.app = parts.app;
    this.loginApp = parts.loginApp;
    this.web = parts.web;
    this.webSecret = parts.webSecret;
    this.native = parts.native;
  }

  stop = (): Promise<void> => this.app.stop();

  actors = (browser = new Browser()): Actors => ({ app: this.app, browser, loginApp: this.loginApp });

  /** Makes a client. */
  addClient = async (
    clientId: string,
    settings: object,
    authorization?: string,
  ): Promise<client.Configuration> => (await addClient(this.app, clientId, settings, authorization)).config;

  /** A request for a code, with PKCE. */
  async request(
    asked: string,
    more: Record<string, string> = {},
    by = this.web,
  ): Promise<AuthorizationRequest> {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const [expectedState, nonce] = [client.randomState(), client.randomNonce()];
    const isOpenId = asked.split(' ').includes('openid');
    const url = client.buildAuthorizationUrl(by, {
      ...{ redirect_uri: redirect, scope: asked, state: expectedState },
      ...{
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      },
      ...(isOpenId ? { nonce } : {}),
      ...more,
    });
    return {
      url: url.href,
      checks: { pkceCodeVerifier, expectedState, ...(isOpenId ? { expectedNonce: nonce } : {}) },
    };
  }

  /** Signs alice in at the client `web`, with all of `scopes`. @returns the tokens. */
  async tokens(who = this.actors(), more: { login?: object; consent?: object } = {}) {
    const { url, checks } = await this.request(scope);
    const answer = await signIn(who, url, { consent, ...more });
    return await client.authorizationCodeGrant(this.web, new URL(answer), checks);
  }

  /** As the login app asks. */
  loginRequest = async (challenge: string, authorization = this.loginApp): Promise<Answer> =>
    await this.app.ask(
      `query ($challenge: String!) { loginRequest(challenge: $challenge) {
         skip subject requestedScopes requestUrl sessionId client { clientId } oidcContext { loginHint acrValues }
       } }`,
      { challenge },
      authorization,
    );

  /** As the consent app asks. */
  consentRequest = async (challenge: string): Promise<Answer> =>
    (
      await this.app.ask(
        `query ($challenge: String!) { consentRequest(challenge: $challenge) {
           skip subject requestedScopes context acr amr client { clientId }
         } }`,
        { challenge },
        this.loginApp,
      )
    ).data.consentRequest;
}

/** What openid-client waits for an answer. On a busy machine, the first one takes long: it loads the engine. */
export const PATIENCE_SECONDS = 150;

/**
 * The client of the test, as the discovery document of the server says. All tokens that it gets are verified.
 *
 * @param secret  none for a public client.
 */
export async function discover(
  app: Pick<LocalApp, 'url'>,
  clientId: string,
  secret?: string,
  authentication = secret === undefined ? client.None() : undefined,
): Promise<client.Configuration> {
  const options = { execute: [client.allowInsecureRequests], timeout: PATIENCE_SECONDS };
  const config = await client.discovery(new URL(app.url), clientId, secret, authentication, options);
  config[client.customFetch] = verifyingFetch({ issuer: app.url, clientId });
  return config;
}

async function addClient(app: LocalApp, clientId: string, settings: object, authorization?: string) {
  const input = { clientId, client: settings };
  const made = await mutate(app, 'createOAuth2Client', input, 'clientSecret', authorization);
  const secret: string | null = made.clientSecret;
  return { config: await discover(app, clientId, secret ?? undefined), secret: secret ?? '' };
}

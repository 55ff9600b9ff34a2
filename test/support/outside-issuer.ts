/** An identity provider on a port of its own: a real one, which can be told to lie. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';

type Claims = Record<string, unknown>;

interface IdTokenModel {
  issue(...rest: unknown[]): Promise<string>;
}

export const CLIENT_ID = 'slipway';
export const CLIENT_SECRET = 'the secret of slipway at the provider';

export class OutsideIssuer {
  readonly url: string;
  readonly #close: () => void;
  readonly #privateKey: CryptoKey;
  readonly #privateJwk: JWK;
  readonly #redirectUris: string[] = [];
  #provider: Provider | null = null;
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  /** Who signs in there, without a question. Null: the person cancels. */
  person: Claims | null = { sub: 'ada-1' };
  /** Changes the claims of ID tokens before they are signed. */
  lie: (claims: Claims) => Claims = (claims) => claims;
  /** Changes ID tokens after they were signed. */
  forge: (token: string) => string | Promise<string> = (token) => token;
  /** Answers in place of the issuer, when it is set. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;

  static async start(): Promise<OutsideIssuer> {
    const server = createServer((request, response) => void issuer.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    const jwk = { ...(await exportJWK(privateKey)), kid: 'key', alg: 'RS256', use: 'sig' };
    const issuer = new OutsideIssuer(`http://127.0.0.1:${port}`, { privateKey, jwk, close });
    return issuer;
  }

  private constructor(
    url: string,
    parts: { readonly privateKey: CryptoKey; readonly jwk: JWK; readonly close: () => void },
  ) {
    this.url = url;
    this.#close = parts.close;
    this.#privateKey = parts.privateKey;
    this.#privateJwk = parts.jwk;
  }

  close = (): void => this.#close();

  /** Tells it one more redirect URI of its only client. */
  register(redirectUri: string): void {
    this.#redirectUris.push(redirectUri);
    const provider = new Provider(this.url, {
      clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: this.#redirectUris }],
      jwks: { keys: [this.#privateJwk] } as never,
      claims: { openid: ['sub', 'name', 'preferred_username', 'email', 'email_verified', 'groups'] },
      scopes: ['openid', 'profile', 'email'],
      conformIdTokenClaims: false,
      ttl: { AccessToken: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      features: { devInteractions: { enabled: false } },
      cookies: {
        keys: ['a key of the issuer'],
        // Browsers of tests keep the cookies of all servers together.
        names: { session: '_idp_session', interaction: '_idp_interaction', resume: '_idp_resume' },
      },
      interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
      findAccount: (_ctx, accountId) => ({
        accountId,
        claims: () => ({ ...this.person, sub: accountId }),
      }),
      loadExistingGrant: async ({ oidc }) => {
        const { accountId } = oidc.session ?? {};
        const grant = new oidc.provider.Grant({ accountId, clientId: CLIENT_ID });
        grant.addOIDCScope('openid profile email');
        await grant.save();
        return grant;
      },
    });
    const { prototype } = provider.IdToken as unknown as { prototype: IdTokenModel };
    const { issue } = prototype;
    const issuer = this;
    prototype.issue = async function (...rest) {
      const claims = issuer.lie(decodeJwt(await issue.call(this, ...rest)));
      const said = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
      const signed = new SignJWT(said).setProtectedHeader({ alg: 'RS256', kid: 'key' });
      return await issuer.forge(await signed.sign(issuer.#privateKey));
    };
    this.#provider = provider;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname;
    this.asked.push(path);
    if (this.instead) return this.instead(request, response);
    if (!this.#provider) return void response.writeHead(503).end();
    if (!path.startsWith('/sign-in/')) return void this.#provider.callback()(request, response);
    const result = this.person
      ? { login: { accountId: String(this.person['sub']), remember: false } }
      : { error: 'access_denied', error_description: 'the person has cancelled' };
    await this.#provider.interactionFinished(request, response, result);
  }
}

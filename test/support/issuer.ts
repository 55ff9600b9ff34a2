/** An OpenID issuer on a port of its own: its keys over real HTTP, and tokens of every kind. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export class Issuer {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  /** Answers in place of the issuer, when it is set. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  readonly #close: () => void;
  #keys: SigningKey[] = [];
  #made = 0;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<Issuer> {
    const server = createServer((request, response) => issuer.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const issuer: Issuer = new Issuer(`http://127.0.0.1:${port}`, () => {
      server.closeAllConnections();
      server.close();
    });
    await issuer.rotate();
    return issuer;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push(request.url ?? '');
    if (this.instead) {
      this.instead(request, response);
      return;
    }
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: this.url, jwks_uri: `${this.url}/keys` },
      '/keys': { keys: this.#keys.map(({ publicJwk }) => publicJwk) },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }

  /** Publishes a new key, which signs from now on; the ones before are taken back, unless they are to stay. */
  async rotate({ keep = false, alg = 'ES256' } = {}): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.#made += 1;
    const publicJwk = { ...(await exportJWK(publicKey)), kid: `key-${this.#made}`, alg, use: 'sig' };
    this.#keys = [{ privateKey, publicJwk }, ...(keep ? this.#keys : [])];
  }

  get key(): SigningKey {
    const [newest] = this.#keys;
    if (!newest) throw new Error('there is no key');
    return newest;
  }

  /** A token for an hour; claims of undefined are left out. */
  async token(
    claims: JWTPayload,
    { header = {}, key = this.key }: { header?: Record<string, unknown>; key?: SigningKey } = {},
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.url, aud: 'slipway-test', iat: now, exp: now + 3600, ...claims };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return await new SignJWT(given)
      .setProtectedHeader({ alg: key.publicJwk.alg ?? '', kid: key.publicJwk.kid ?? '', ...header })
      .sign(key.privateKey);
  }

  close(): void {
    this.#close();
  }
}

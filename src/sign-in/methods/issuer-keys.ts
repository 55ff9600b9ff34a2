import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { UnavailableError } from '../../platform/errors.ts';
import { log } from '../../platform/log.ts';
import { isSafeUrl } from '../../platform/safe-url.ts';
import type { IssuerSettings } from './issuers-file.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;
/** How long keys are used before we look for new ones. */
const FRESH_MS = 600_000;
/**
 * After a fetch, an unknown key causes no other fetch for so long. So tokens with invented keys cannot overload the
 * issuer.
 */
const COOLDOWN_MS = 30_000;
/** If an issuer does not answer, we wait for so long before we ask again. */
const RETRY_MS = 10_000;

/** The form of a key set without which jose does not accept it. */
const keySet = z.looseObject({ keys: z.array(z.looseObject({})) });

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The public keys of one outside issuer. They are fetched when they are first needed, again when a token names an
 * unknown key, and every ten minutes, so that a withdrawn key stops working. If the issuer does not answer, we continue
 * to use the old keys.
 */
export class IssuerKeys {
  readonly #settings: Pick<IssuerSettings, 'issuer' | 'jwksUri'>;
  readonly #onChange: () => void;
  #remote: Promise<RemoteKeys> | null = null;
  /** The set, as it was last fetched. */
  #known: string | null = null;
  #fetchedAt = 0;
  #failedAt = 0;

  /** @param onChange  called when the set has changed, also when it is first known. */
  constructor(settings: Pick<IssuerSettings, 'issuer' | 'jwksUri'>, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  /** Finds the key of a token, for jose. @throws UnavailableError if no key fits and the issuer does not answer. */
  readonly find: JWTVerifyGetKey = async (header, token) => (await this.#keys())(header, token);

  /**
   * Fetches the keys if there are none yet or if they are old. Never fails: if the issuer does not answer, the old keys
   * stay.
   */
  async refresh(): Promise<void> {
    if (Date.now() - this.#fetchedAt < FRESH_MS) return;
    // A failure is logged where it happens.
    await this.#keys()
      .then((keys) => keys.reload())
      .catch(() => {});
  }

  #keys(): Promise<RemoteKeys> {
    this.#remote ??= this.#locate().catch((error) => {
      this.#remote = null;
      throw error;
    });
    return this.#remote;
  }

  async #locate(): Promise<RemoteKeys> {
    const jwksUri = this.#settings.jwksUri ?? (await this.#discover());
    return createRemoteJWKSet(new URL(jwksUri), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      // We use our own `refresh`, because jose would drop the keys when the issuer is down for a moment.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: this.#fetchKeys,
    });
  }

  /** Source: OpenID Connect Discovery 1.0, §4. §4.3 requires that the document names this issuer. */
  async #discover(): Promise<string> {
    const { issuer } = this.#settings;
    const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const options = { headers: new Headers({ accept: 'application/json' }), method: 'GET' as const };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await this.#fetched(url, { ...options, redirect: 'manual', signal }, (document) => {
      const { issuer: named, jwks_uri: uri } = document as { issuer?: unknown; jwks_uri?: unknown };
      if (named !== issuer) throw new Error('the discovery document names another issuer');
      if (typeof uri !== 'string' || !isSafeUrl(uri))
        throw new Error('the discovery document has no jwks_uri with https');
      return uri;
    });
  }

  readonly #fetchKeys: FetchImplementation = async (url, options) => {
    const set = await this.#fetched(url, options, (document) => {
      keySet.parse(document);
      return JSON.stringify(document);
    });
    this.#fetchedAt = Date.now();
    if (this.#known !== set) this.#onChange();
    this.#known = set;
    return new Response(set, { status: 200 });
  };

  /** Fetches a document of the issuer and passes it to `read`. @throws UnavailableError */
  async #fetched<T>(
    url: string,
    options: Parameters<FetchImplementation>[1],
    read: (document: object) => T,
  ): Promise<T> {
    const unavailable = (cause?: unknown) =>
      new UnavailableError('the issuer of the token does not answer, try again', { cause });
    if (Date.now() - this.#failedAt < RETRY_MS) throw unavailable();
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) throw new Error(`the issuer answered with status ${response.status}`);
      return read(z.looseObject({}).parse(JSON.parse(await readBounded(response))));
    } catch (error) {
      this.#failedAt = Date.now();
      log.warn({ err: error, issuer: this.#settings.issuer, url }, 'cannot read the keys of an issuer');
      throw unavailable(error);
    }
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // The error ends the loop, which closes the connection.
    if (size > MAX_BYTES) throw new Error(`the answer is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

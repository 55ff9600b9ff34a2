import { readFile } from 'node:fs/promises';
import { formatDuration } from '../../platform/duration.ts';
import { ApiError } from './api-error.ts';

/** Tokens are renewed after half of this time. */
const TOKEN_MS = 3_600_000;

/**
 * Signs in with the executor's access key once, and then with tokens; each token is used to get the next one. With a
 * token, the server need not record the use of the key for each call.
 */
export class SignIn {
  readonly #credentialFile: string;
  /** Asks for a token, with this header. */
  readonly #login: (authorization: string, lifeMs: string) => Promise<string>;
  #session: { readonly authorization: string; readonly renewAt: number } | null = null;
  #renewal: Promise<string> | null = null;

  constructor(credentialFile: string, login: (authorization: string, life: string) => Promise<string>) {
    this.#credentialFile = credentialFile;
    this.#login = login;
  }

  /** The header for the next call. @throws ApiError UNAUTHENTICATED if there is no credential. */
  async authorization(): Promise<string> {
    if (this.#session && performance.now() < this.#session.renewAt) return this.#session.authorization;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return await this.#renewal;
  }

  /** Must be called if the server does not accept this header any more. */
  refused(authorization: string): void {
    if (this.#session?.authorization === authorization) this.#session = null;
  }

  async #renew(): Promise<string> {
    const known = this.#session;
    try {
      return await this.#begin(known?.authorization ?? (await this.#readKey()));
    } catch (error) {
      // A token cannot be renewed endlessly, and it ends with its access key. Then the access key in the file is used.
      if (!known || !(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED') throw error;
      this.refused(known.authorization);
      return await this.#begin(await this.#readKey());
    }
  }

  async #begin(by: string): Promise<string> {
    const sentAt = performance.now();
    const authorization = `Bearer ${await this.#login(by, formatDuration(TOKEN_MS))}`;
    this.#session = { authorization, renewAt: sentAt + TOKEN_MS / 2 };
    return authorization;
  }

  /** The file is read each time, because the server may still be writing it, and somebody may change it. */
  async #readKey(): Promise<string> {
    try {
      const { accessKey, secretKey } = JSON.parse(await readFile(this.#credentialFile, 'utf8'));
      return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString('base64')}`;
    } catch (cause) {
      throw new ApiError('UNAUTHENTICATED', `cannot read a credential from ${this.#credentialFile}`, {
        cause,
      });
    }
  }
}

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { CliError } from './cli-error.ts';

/** What `slipway login` has stored for one server. */
export interface StoredSignIn {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

const storedFile = z.record(
  z.string(),
  z.object({ accessToken: z.string(), refreshToken: z.string().nullable(), expiresAt: z.number() }),
);

/**
 * The sign-ins of `slipway login`, by the address of the server, in a file that only its user can read.
 *
 * A refresh token works once: if two commands used the same one, the server would take it for stolen and end the
 * sign-in. So changes are made under a lock, which is a folder beside the file.
 */
export class Credentials {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws CliError INVALID_ARGUMENT for a file that is not valid. */
  find(url: string): StoredSignIn | null {
    return this.#read()[serverOf(url)] ?? null;
  }

  /**
   * Changes what is stored for a server, with nobody else at it.
   *
   * @param change  gets what is stored now; null removes it.
   * @throws CliError ABORTED if another command holds the lock for too long.
   */
  async change(
    url: string,
    change: (stored: StoredSignIn | null) => Promise<StoredSignIn | null>,
  ): Promise<StoredSignIn | null> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const lock = `${this.#path}.lock`;
    await takeLock(lock);
    try {
      const changed = await change(this.find(url));
      const { [serverOf(url)]: _before, ...others } = this.#read();
      this.#write(changed ? { ...others, [serverOf(url)]: changed } : others);
      return changed;
    } finally {
      rmSync(lock, { recursive: true });
    }
  }

  #read(): Readonly<Record<string, StoredSignIn>> {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return {};
    }
    try {
      return storedFile.parse(JSON.parse(text));
    } catch (cause) {
      const hint = 'delete it, and sign in again with slipway login';
      throw new CliError('INVALID_ARGUMENT', `${this.#path} is not valid`, { cause, hint });
    }
  }

  /** Replaces the file as a whole, so that nobody reads half of it. */
  #write(all: Readonly<Record<string, StoredSignIn>>): void {
    const next = `${this.#path}.new`;
    writeFileSync(next, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
    renameSync(next, this.#path);
  }
}

const serverOf = (url: string) => url.replace(/\/+$/, '');

const LOOK_EVERY_MS = 100;
const MAX_LOOKS = 300;

async function takeLock(lock: string): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    try {
      mkdirSync(lock);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await pause(LOOK_EVERY_MS);
    }
  }
  throw new CliError('ABORTED', `another command holds ${lock}`, {
    hint: 'if no other command is running, delete this folder',
  });
}

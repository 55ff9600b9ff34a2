import { notifications } from '../platform/database/notify.ts';
import { log } from '../platform/log.ts';
import { type AccessChange, beforeAnsweringChanges, readAccessNews } from './store/changes.ts';

/**
 * The feed of `access_changes`. It tells a process which cached sign-ins and rights are no longer true. It reads the
 * table on NOTIFY and otherwise every 400 ms, with one statement, so a lost notification costs less than a second. The
 * caches may be used only while the feed is fresh: for one second from the start of the last successful read. After
 * that, the database must be asked until the feed answers again.
 */

const LOOK_EVERY_MS = 400;
const FRESH_MS = 1000;
/**
 * If the feed gets no answer for so long, it tells its listeners that anything may have changed, and repeats this at
 * the same interval.
 */
const SILENCE_MS = 3000;

/** One change, or the message that anything may have changed. */
export type AccessEvent = AccessChange | 'ANYTHING';

export class AccessFeed {
  readonly #listeners = new Set<(event: AccessEvent) => void>();
  #users = 0;
  #stops: (() => void)[] = [];
  /** The number of the last change that listeners were told about; null before the first read. */
  #version: bigint | null = null;
  /** When the last successful read began. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #silentSince = 0;
  #looking: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** Starts to read, or continues for one more user of the feed. @returns a function that stops it. */
  async start(): Promise<() => Promise<void>> {
    this.#users += 1;
    if (this.#users === 1) this.#begin();
    await this.catchUp();
    let isStopped = false;
    return async () => {
      if (isStopped) return;
      isStopped = true;
      this.#users -= 1;
      if (this.#users === 0) await this.#end();
    };
  }

  /** Calls `listener` for each change; call the result to stop this. Listeners must be quick and must not throw. */
  on(listener: (event: AccessEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether cached values may still be used, unless a change concerned them. */
  get isFresh(): boolean {
    return performance.now() - this.#lookedAt < FRESH_MS;
  }

  /**
   * Reads the feed. Resolves when the listeners know all changes that were committed before the call, or after a
   * second, when no cached value is used any more. Never rejects.
   */
  async catchUp(): Promise<void> {
    if (this.#users === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FRESH_MS);
    });
    await Promise.race([this.#lookAgain(), late]);
    clearTimeout(timer);
  }

  #begin(): void {
    this.#version = null;
    this.#silentSince = performance.now();
    const timer = setInterval(() => this.#tick(), LOOK_EVERY_MS);
    const wake = () => void this.#lookAgain();
    this.#stops = [
      () => clearInterval(timer),
      notifications.on('access', null, wake),
      notifications.onMissed(wake),
    ];
  }

  async #end(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    await this.#looking;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    this.#tell('ANYTHING');
  }

  #tick(): void {
    if (!this.#looking) void this.#lookAgain();
    const now = performance.now();
    if (now - Math.max(this.#lookedAt, this.#silentSince) < SILENCE_MS) return;
    this.#silentSince = now;
    this.#tell('ANYTHING');
  }

  /** Begins a read after this call. A read that is already running may have missed a change of the caller. */
  #lookAgain(): Promise<void> {
    if (!this.#looking) return this.#look();
    this.#next ??= this.#looking.then(() => {
      this.#next = null;
      return this.#users > 0 ? this.#look() : undefined;
    });
    return this.#next;
  }

  #look(): Promise<void> {
    this.#looking = this.#readNews().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #readNews(): Promise<void> {
    const beganAt = performance.now();
    try {
      const { clock, changes } = await readAccessNews(this.#version ?? 0n);
      const isFirst = this.#version === null;
      this.#version = clock;
      if (isFirst || !changes) this.#tell('ANYTHING');
      else for (const change of changes) this.#tell(change);
      this.#lookedAt = beganAt;
    } catch (error) {
      // From now on the caches are not used: the database is asked until the feed answers.
      this.#lookedAt = Number.NEGATIVE_INFINITY;
      log.warn({ err: error }, 'the feed of access changes does not answer');
    }
  }

  #tell(event: AccessEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** The feed of this process. Processes that serve requests start it. */
export const accessFeed = new AccessFeed();
beforeAnsweringChanges(() => accessFeed.catchUp());

import { notifications } from '../platform/database/notify.ts';
import { log } from '../platform/log.ts';
import { type AccessChange, beforeAnsweringChanges, readAccessNews } from './store/changes.ts';

/**
 * The feed of `access_changes`: how a process learns that what it remembers of sign-ins and rights is not so any more.
 * It looks when told to (NOTIFY) and otherwise every 400 ms, one statement each time, so that lost news costs less than
 * a second. What is remembered may be used while the feed is fresh, that is for one second from the start of a look that
 * succeeded; afterwards the database must be asked, until the feed answers again.
 */

const LOOK_EVERY_MS = 400;
const FRESH_MS = 1000;
/** After so long without an answer, whoever only listens is told that anything may have changed, and again as often. */
const SILENCE_MS = 3000;

/** A change, or that any may have happened. */
export type AccessEvent = AccessChange | 'ANYTHING';

export class AccessFeed {
  readonly #listeners = new Set<(event: AccessEvent) => void>();
  #users = 0;
  #stops: (() => void)[] = [];
  /** The number of the last change that was told; null before the first look. */
  #version: bigint | null = null;
  /** When the last successful look began. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #silentSince = 0;
  #looking: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** Begins to look, or goes on for one more user. @returns what ends that. */
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

  /** Calls back on each change; the result ends that. Listeners must be quick and must not throw. */
  on(listener: (event: AccessEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether what was remembered, and not told of since, may still be used. */
  get isFresh(): boolean {
    return performance.now() - this.#lookedAt < FRESH_MS;
  }

  /**
   * Looks, and resolves when all that was committed before the call is told; at the latest after a second, when nothing
   * remembered is used any more in any case. Never rejects.
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

  /** A look that begins after this call: one under way may have read before what the caller means was committed. */
  #lookAgain(): Promise<void> {
    if (!this.#looking) return this.#look();
    this.#next ??= this.#looking.then(() => {
      this.#next = null;
      return this.#looking ?? (this.#users > 0 ? this.#look() : undefined);
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
      // Nothing is known from here on: the database is asked until the feed answers.
      this.#lookedAt = Number.NEGATIVE_INFINITY;
      log.warn({ err: error }, 'the feed of access changes does not answer');
    }
  }

  #tell(event: AccessEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** This process's feed. Started by whoever serves requests. */
export const accessFeed = new AccessFeed();
beforeAnsweringChanges(() => accessFeed.catchUp());

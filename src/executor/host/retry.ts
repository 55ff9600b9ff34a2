import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass } from './api-error.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** Pauses between tries: doubling, each cut at random by up to half, so that many callers do not come at once. */
export class BackOff {
  #pauseMs = FIRST_PAUSE_MS;

  /** @throws the signal's reason, as an AbortError, when it fires. */
  async pause(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    await sleep(pauseMs, undefined, { signal });
  }

  reset(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }
}

/** Calls until it is answered, for as long as it takes: until `signal` fires, or an error that will not pass. */
export async function retrying<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (const backOff = new BackOff(); ; ) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      await backOff.pause(signal);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, mayPass } from './api-error.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

type Sleep = (milliseconds: number, value: undefined, options: { signal: AbortSignal }) => Promise<unknown>;

/**
 * Pauses between tries. They double each time, and are longer if the server asks for it. Each is shortened at random,
 * so that many callers do not call at the same moment.
 */
export class BackOff {
  readonly #sleep: Sleep;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(sleeps: Sleep = sleep) {
    this.#sleep = sleeps;
  }

  /**
   * @param after the error, which may say how long to wait.
   * @throws the reason of the signal, as an AbortError, if it fires.
   */
  async pause(signal: AbortSignal, after: unknown): Promise<void> {
    const ownMs = this.#pauseMs * (0.5 + Math.random() / 2);
    const askedMs = after instanceof ApiError && after.mayPass ? (after.retryAfterMs ?? 0) : 0;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    await this.#sleep(askedMs + ownMs, undefined, { signal });
  }

  reset(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }
}

/** Repeats a call until it is answered, until `signal` fires, or until an error is final. */
export async function retrying<T>(
  signal: AbortSignal,
  call: () => Promise<T>,
  backOff = new BackOff(),
): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      await backOff.pause(signal, error);
    }
  }
}

import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';

const MEBIBYTE = 1024 * 1024;

/** The longest body or message of a caller who is not signed in. Nothing that is open to strangers needs more. */
export const STRANGER_LIMIT_BYTES = 64 * 1024;

/**
 * The bytes of bodies and messages that have arrived in part, over all connections. They are kept in memory until the
 * last one has arrived, so slow senders could fill the memory of the server. Strangers together have a small part of
 * it, so they cannot stop callers who are signed in.
 */
export class BytesUnderWay {
  readonly #limit: number;
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  /** @throws GraphQLError UNAVAILABLE, and then nothing is taken. */
  take(bytes: number): void {
    if (this.#total + bytes > this.#limit) {
      limitRefusals.inc({ limit: 'bodies' });
      throw refusal('UNAVAILABLE', 'too many long requests are arriving at the same time, try again', {
        headers: { 'retry-after': '1', connection: 'close' },
      });
    }
    this.#total += bytes;
  }

  giveBack(bytes: number): void {
    this.#total -= bytes;
  }
}

/** For callers who are not signed in, and for all others. */
export const bytesUnderWay = {
  stranger: new BytesUnderWay(16 * MEBIBYTE),
  signedIn: new BytesUnderWay(64 * MEBIBYTE),
} as const;

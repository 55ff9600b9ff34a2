import type { ServerResponse } from 'node:http';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';

const MEBIBYTE = 1024 * 1024;
/** Longer texts become bytes before they are sent. */
const LONG_TEXT = 64 * 1024;

/** An answer as it is kept until it is sent: the bytes of a long one need less memory than its text, and are made once. */
export const asSent = (text: string): string | Buffer => (text.length > LONG_TEXT ? Buffer.from(text) : text);

/**
 * The bytes of answers that wait until their clients read them, over all connections. They are kept in memory, and one
 * connection alone can hold no more than one answer, but a caller can open many connections. While a caller has read
 * too little, nothing more is answered to the same caller.
 */
export class UnreadAnswers {
  readonly #limitOfCaller: number;
  readonly #limit: number;
  readonly #ofCaller = new Map<string, number>();
  #total = 0;

  constructor({ ofCaller, inAll }: { readonly ofCaller: number; readonly inAll: number }) {
    this.#limitOfCaller = ofCaller;
    this.#limit = inAll;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Asked before an operation runs, because its answer is only known when it is in memory.
   *
   * @param caller  null for callers without a limit.
   * @throws GraphQLError RESOURCE_EXHAUSTED, or UNAVAILABLE if all callers together have too much.
   */
  requireRoom(caller: string | null): void {
    if (caller === null) return;
    const isFull = (this.#ofCaller.get(caller) ?? 0) >= this.#limitOfCaller;
    if (!isFull && this.#total < this.#limit) return;
    limitRefusals.inc({ limit: 'unread' });
    throw refusal(
      isFull ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE',
      'too many answers wait until they are read; read them, and try again',
      { headers: { 'retry-after': '1' } },
    );
  }

  /** Counts an answer. @returns what must be called once when it has left the memory. */
  hold(caller: string | null, bytes: number): () => void {
    if (caller === null) return () => {};
    this.#total += bytes;
    this.#ofCaller.set(caller, (this.#ofCaller.get(caller) ?? 0) + bytes);
    return () => {
      this.#total -= bytes;
      const left = (this.#ofCaller.get(caller) ?? 0) - bytes;
      if (left > 0) this.#ofCaller.set(caller, left);
      else this.#ofCaller.delete(caller);
    };
  }

  /** Counts an answer that the network has not taken at once, until it is sent or its connection is closed. */
  holdUnsent(caller: string | null, response: ServerResponse): void {
    const unsent = response.socket?.writableLength ?? 0;
    if (unsent > 0) response.once('close', this.hold(caller, unsent));
  }
}

export const unreadAnswers = new UnreadAnswers({ ofCaller: 16 * MEBIBYTE, inAll: 128 * MEBIBYTE });

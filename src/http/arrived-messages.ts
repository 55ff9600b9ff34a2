import { LONG_BODY_BYTES, turns } from './turns.ts';

/** How many short messages of one connection are taken in one turn of the event loop. */
const MOST_AT_ONCE = 10;

/**
 * The messages of one WebSocket, which are taken in their order. Most are taken when they arrive. A long message waits
 * for its turn, and so do short ones if many arrive together, and everything behind them.
 */
export class ArrivedMessages {
  readonly #take: (message: Buffer) => void;
  readonly #waiting: Buffer[] = [];
  /** How many were taken of what arrived together. */
  #taken = 0;
  #isWaiting = false;

  constructor(take: (message: Buffer) => void) {
    this.#take = take;
  }

  /** How many messages wait. */
  get count(): number {
    return this.#waiting.length;
  }

  /** What is added next has arrived later than what was added before. */
  beginChunk(): void {
    this.#taken = 0;
  }

  add(message: Buffer): void {
    if (this.count > 0 || this.#taken >= MOST_AT_ONCE || isLong(message)) {
      this.#waiting.push(message);
      return;
    }
    this.#taken += 1;
    this.#take(message);
  }

  /**
   * Takes the next long message, or the next short ones, when it is the turn of this caller.
   *
   * @returns whether it did. It does not while an earlier call still waits.
   * @throws GraphQLError as `turns.begin` does.
   */
  async takeNext(caller: string): Promise<boolean> {
    if (this.#isWaiting || this.count === 0) return false;
    this.#isWaiting = true;
    try {
      await turns.begin(caller);
    } finally {
      this.#isWaiting = false;
    }
    let left = MOST_AT_ONCE;
    do {
      const next = this.#waiting.shift();
      if (next) this.#take(next);
      left -= 1;
    } while (left > 0 && this.#waiting[0] && !isLong(this.#waiting[0]));
    return true;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }
}

export const isLong = (message: Buffer): boolean => message.length > LONG_BODY_BYTES;

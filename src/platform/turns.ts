import { ResourceExhaustedError } from './errors.ts';

/** Work of which only so much goes on at once; the rest waits, in the order it came, and not without end. */
export class Turns {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #refusal: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param refusal  what is said where too many wait already. */
  constructor(atOnce: number, maxWaiting: number, refusal: string) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
    this.#refusal = refusal;
  }

  /** @throws ResourceExhaustedError when too many wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else if (this.#waiting.length < this.#maxWaiting)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else throw new ResourceExhaustedError(this.#refusal);
    try {
      return await work();
    } finally {
      // The turn goes to the first who waits; nobody who comes meanwhile can take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

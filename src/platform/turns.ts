/** Work in turns: so many at once, the others in the order they came. */
export class Turns {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #tooMany: () => Error;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param tooMany  what is thrown when `maxWaiting` wait already. */
  constructor(
    atOnce: number,
    maxWaiting = Number.POSITIVE_INFINITY,
    tooMany = () => new Error('too many wait'),
  ) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
    this.#tooMany = tooMany;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1;
    else if (this.#waiting.length >= this.#maxWaiting) throw this.#tooMany();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The slot goes to the first who waits; nobody who comes meanwhile can take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

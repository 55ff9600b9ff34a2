/** How long calls took, in milliseconds, and how much they did. */
export class Latencies {
  readonly #times: number[] = [];
  #items = 0;
  #from = Number.POSITIVE_INFINITY;
  #until = 0;

  /** Measures a call. @param itemsOf  how much the call has done; calls that did nothing do not count. */
  async measure<T>(call: () => Promise<T>, itemsOf: (answer: T) => number): Promise<T> {
    const began = performance.now();
    const answer = await call();
    const ended = performance.now();
    const items = itemsOf(answer);
    if (items === 0) return answer;
    this.#times.push(ended - began);
    this.#items += items;
    this.#from = Math.min(this.#from, began);
    this.#until = Math.max(this.#until, ended);
    return answer;
  }

  get items(): number {
    return this.#items;
  }

  /** From the beginning of the first call to the end of the last one. */
  get seconds(): number {
    return this.#times.length === 0 ? 0 : (this.#until - this.#from) / 1000;
  }

  get perSecond(): number {
    return this.seconds === 0 ? 0 : this.#items / this.seconds;
  }

  /** The time within which this part of the calls was answered, by the nearest rank; 0 without calls. */
  quantile(part: number): number {
    const sorted = [...this.#times].sort((one, other) => one - other);
    return sorted[Math.max(Math.ceil(part * sorted.length) - 1, 0)] ?? 0;
  }
}

/** One line of the result. */
export interface Measure {
  readonly step: string;
  readonly jobs: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

const rounded = (number: number, digits: number) => Number(number.toFixed(digits));

export function measureOf(step: string, latencies: Latencies): Measure {
  const quantile = (part: number) => rounded(latencies.quantile(part), 1);
  return {
    step,
    jobs: latencies.items,
    seconds: rounded(latencies.seconds, 2),
    perSecond: rounded(latencies.perSecond, 0),
    ...{ p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
  };
}

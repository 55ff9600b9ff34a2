import { parseQuantity } from '../../values/quantities.ts';
import type { Container } from './run-spec.ts';
import type { Capacity, Requests } from './runtime.ts';

/** What the runs of a runtime share. A run starts when its requests fit beside those of the runs that work. */
export class Room {
  readonly #capacity: Capacity | null;
  readonly #taken = new Map<string, Requests>();

  /** @param capacity  null if the runtime makes work wait by itself. */
  constructor(capacity: Capacity | null) {
    this.#capacity = capacity;
  }

  /** Whether the run could start if no other run worked. */
  couldFit(requests: Requests): boolean {
    return this.#capacity === null || isWithin(requests, this.#capacity);
  }

  fits(requests: Requests): boolean {
    return this.#capacity === null || isWithin(requests, this.#left(this.#capacity));
  }

  /** Whether there may be a run that fits. */
  get isFull(): boolean {
    if (this.#capacity === null) return false;
    const { cpuMillis, memoryBytes } = this.#left(this.#capacity);
    return cpuMillis <= 0 || memoryBytes <= 0;
  }

  take(runId: string, requests: Requests): void {
    this.#taken.set(runId, requests);
  }

  free(runId: string): void {
    this.#taken.delete(runId);
  }

  #left({ cpuMillis, memoryBytes }: Capacity): Capacity {
    const taken = [...this.#taken.values()];
    return {
      cpuMillis: cpuMillis - sum(taken.map((one) => one.cpuMillis)),
      memoryBytes: memoryBytes - sum(taken.map((one) => one.memoryBytes)),
    };
  }
}

const isWithin = (requests: Capacity, room: Capacity) =>
  requests.cpuMillis <= room.cpuMillis && requests.memoryBytes <= room.memoryBytes;

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** What a container asks for. As in Kubernetes, a limit without a request is also the request. */
export function requestsOf({ requests, limits }: Container['resources']): Requests {
  const amount = (names: readonly string[], factor: bigint) => {
    const isNamed = ({ name }: { name: string }) => names.includes(name.toUpperCase());
    const found = requests.find(isNamed) ?? limits.find(isNamed);
    return found === undefined ? 0 : amountOf(found.value, factor);
  };
  return {
    cpuMillis: amount(['CPU'], 1000n),
    memoryBytes: amount(['MEMORY'], 1n),
    gpus: amount(['GPU', 'NVIDIA.COM/GPU'], 1n),
  };
}

/** A quantity in units of `1 / factor`, rounded up; 0 if the text is not a quantity. */
export function amountOf(text: string, factor: bigint): number {
  const quantity = parseQuantity(text);
  if (quantity === null || quantity.numerator <= 0n) return 0;
  const { numerator, denominator } = quantity;
  return Number((numerator * factor + denominator - 1n) / denominator);
}

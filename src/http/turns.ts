import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';

/** Longer bodies and messages wait for their turn before they are parsed. */
export const LONG_BODY_BYTES = 64 * 1024;
/** Longer documents wait for their turn before they are parsed and validated. Their length is charged, too. */
export const LONG_DOCUMENT_CHARACTERS = 2000;
/** Operations of this cost wait for their turn before they run, and answers of this cost before they become JSON. */
export const LONG_OPERATION_COST = 100;

/**
 * Long pieces of work, one at a time. Between two of them, the event loop goes around twice, because it takes up a new
 * connection in one round and reads its request in the next. So everybody else is answered in between. The callers take
 * turns: a caller with many pieces makes others wait for no more than one of them. Work that is short does not wait.
 */
export class Turns {
  readonly #mostOfCaller: number;
  readonly #most: number;
  /** What waits to begin, by caller. The caller whose turn it is comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  /** What has begun. It goes first, because its results are in memory until it has ended. */
  readonly #begun: (() => void)[] = [];
  #count = 0;
  #isTurning = false;

  /** @param limits  how many pieces of work may wait to begin, for one caller and in all. */
  constructor({ ofCaller, inAll }: { readonly ofCaller: number; readonly inAll: number }) {
    this.#mostOfCaller = ofCaller;
    this.#most = inAll;
  }

  /** How many pieces of work wait to begin. */
  get count(): number {
    return this.#count;
  }

  /**
   * Resolves when it is the turn of this caller. What follows belongs to the turn, up to the first `await` of something
   * that is not done yet.
   *
   * @throws GraphQLError RESOURCE_EXHAUSTED, or UNAVAILABLE if the work of all callers together is too much.
   */
  async begin(caller: string): Promise<void> {
    const line = this.#waiting.get(caller) ?? [];
    const isTooMuch = line.length >= this.#mostOfCaller;
    if (isTooMuch || this.#count >= this.#most) {
      limitRefusals.inc({ limit: 'turns' });
      throw refusal(
        isTooMuch ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE',
        'too many long requests wait for their turn; try again',
        { headers: { 'retry-after': '1' } },
      );
    }
    this.#count += 1;
    await new Promise<void>((go) => {
      line.push(go);
      this.#waiting.set(caller, line);
      this.#start();
    });
  }

  /** As `begin`, for work that has begun in an earlier turn. It goes before all work that has not begun. */
  async goOn(): Promise<void> {
    await new Promise<void>((go) => {
      this.#begun.push(go);
      this.#start();
    });
  }

  #start(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const go = this.#begun.shift() ?? this.#next();
    if (!go) {
      this.#isTurning = false;
      return;
    }
    setImmediate(this.#pause);
    go();
  };

  readonly #pause = (): void => {
    setImmediate(this.#turn);
  };

  #next(): (() => void) | undefined {
    const [first] = this.#waiting;
    if (!first) return undefined;
    const [caller, line] = first;
    const go = line.shift();
    this.#count -= 1;
    this.#waiting.delete(caller);
    if (line.length > 0) this.#waiting.set(caller, line);
    return go;
  }
}

export const turns = new Turns({ ofCaller: 256, inAll: 2048 });

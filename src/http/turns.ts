import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal } from './answer.ts';

/** Longer bodies and messages wait for their turn before they are parsed. */
export const LONG_BODY_BYTES = 64 * 1024;
/** Longer documents wait for their turn before they are parsed and validated. Their length is charged, too. */
export const LONG_DOCUMENT_CHARACTERS = 2000;
/** Operations of this cost wait for their turn before they run, and answers of this cost before they become JSON. */
export const LONG_OPERATION_COST = 100;

/** Nothing is held up for more rounds of the event loop than this. */
const MAX_ROUNDS = 64;

/** Holds something up, round by round, while causes come. After `MAX_ROUNDS` rounds it goes on anyway. */
export class HoldUp {
  #hasCause = false;
  #rounds = 0;

  addCause(): void {
    this.#hasCause = true;
  }

  /** Ends a round. @returns whether another one must pass. */
  endRound(): boolean {
    const isHeld = this.#hasCause && this.#rounds < MAX_ROUNDS;
    this.#hasCause = false;
    this.#rounds = isHeld ? this.#rounds + 1 : 0;
    return isHeld;
  }
}

/**
 * Long pieces of work, one at a time. Between two of them, the event loop goes around twice, because it takes up a new
 * connection in one round and reads its request in the next; and it goes on until no connection waits for that. So
 * everybody else is answered in between. The callers take turns: a caller with many pieces makes others wait for no more
 * than one of them. Work that is short does not wait.
 *
 * Only some long queries are under way at the same time, because the rows of each are in memory until it is answered.
 */
export class Turns {
  readonly #mostOfCaller: number;
  readonly #most: number;
  readonly #mostQueries: number;
  /** What waits to begin, by caller. The caller whose turn it is comes first. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** What has begun. It goes first, because its results are in memory until it has ended. */
  readonly #begun: (() => void)[] = [];
  #count = 0;
  #queries = 0;
  #isTurning = false;
  readonly #holdUp = new HoldUp();

  /**
   * @param limits  how many pieces of work may wait to begin, for one caller and in all, and how many queries may be
   *   under way.
   */
  constructor(limits: { readonly ofCaller: number; readonly inAll: number; readonly queries: number }) {
    this.#mostOfCaller = limits.ofCaller;
    this.#most = limits.inAll;
    this.#mostQueries = limits.queries;
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
    await this.#wait(caller, false);
  }

  /** As `begin`, for a query. @returns what must be called once when it is answered, or has failed. */
  async beginQuery(caller: string): Promise<() => void> {
    await this.#wait(caller, true);
    return () => {
      this.#queries -= 1;
      this.#start();
    };
  }

  async #wait(caller: string, isQuery: boolean): Promise<void> {
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
      line.push({ go, isQuery });
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

  /** Says that a connection was taken up in this round of the event loop, or waits to be read. */
  noteConnection(): void {
    this.#holdUp.addCause();
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
    setImmediate(this.#holdUp.endRound() ? this.#pause : this.#turn);
  };

  #next(): (() => void) | undefined {
    const isFull = this.#queries >= this.#mostQueries;
    for (const [caller, line] of this.#waiting) {
      const [first] = line;
      if (!first || (first.isQuery && isFull)) continue;
      line.shift();
      this.#count -= 1;
      if (first.isQuery) this.#queries += 1;
      this.#waiting.delete(caller);
      if (line.length > 0) this.#waiting.set(caller, line);
      return first.go;
    }
    return undefined;
  }
}

interface Waiting {
  readonly go: () => void;
  readonly isQuery: boolean;
}

// More queries than connections would wait for the database, with all that they have read before.
export const turns = new Turns({ ofCaller: 256, inAll: 2048, queries: controlPlaneConfig.databasePoolSize });

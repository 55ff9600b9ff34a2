import { isDatabaseLost } from './failures.ts';

/** What to do with the requests of a group. */
export interface GroupOptions<Request, Answer> {
  /**
   * Applies requests in one transaction.
   *
   * @returns one answer for each request, in their order.
   */
  apply(requests: readonly Request[]): Promise<readonly Answer[]>;
  /** The size of a request, such as its number of rows. */
  sizeOf(request: Request): number;
  /** The requests of a group have at most this size together, unless one alone is larger. */
  readonly most: number;
  /** What no two requests of a group may have in common, such as the rows that they change. */
  keysOf(request: Request): Iterable<string>;
}

interface Waiting<Request, Answer> {
  readonly request: Request;
  answer(answer: Answer): void;
  fail(error: unknown): void;
}

/**
 * Applies requests that arrive together in one transaction, because a transaction of many rows costs little more than
 * one of a few. One group is applied at a time: the first request starts at once, and those that arrive in the meantime
 * form the next group, in their order. Each caller is answered after the commit of its group.
 *
 * If a group fails, each of its requests is applied alone, all at the same time, so that none fails because of another
 * one. So `apply` must be safe to repeat. Only if the database is lost, all of them fail at once.
 */
export class GroupCommit<Request, Answer> {
  readonly #options: GroupOptions<Request, Answer>;
  #waiting: Waiting<Request, Answer>[] = [];
  #isBusy = false;

  constructor(options: GroupOptions<Request, Answer>) {
    this.#options = options;
  }

  /** Resolves after the commit. Rejects with the error of `apply` for this request. */
  submit(request: Request): Promise<Answer> {
    return new Promise((answer, fail) => {
      this.#waiting.push({ request, answer, fail });
      if (!this.#isBusy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) {
      if (await this.#applied(group)) continue;
      await Promise.all(group.map((one) => this.#applied([one])));
    }
    this.#isBusy = false;
  }

  #nextGroup(): Waiting<Request, Answer>[] {
    const { sizeOf, keysOf, most } = this.#options;
    const group: Waiting<Request, Answer>[] = [];
    const taken = new Set<string>();
    let size = 0;
    for (const one of this.#waiting) {
      const keys = [...keysOf(one.request)];
      size += sizeOf(one.request);
      if (group.length > 0 && (size > most || keys.some((key) => taken.has(key)))) break;
      for (const key of keys) taken.add(key);
      group.push(one);
    }
    this.#waiting = this.#waiting.slice(group.length);
    return group;
  }

  /**
   * Whether the members of the group have their answers or errors. If not, the fault may lie with only one of them.
   */
  async #applied(group: readonly Waiting<Request, Answer>[]): Promise<boolean> {
    try {
      const answers = await this.#options.apply(group.map(({ request }) => request));
      for (const [index, one] of group.entries()) one.answer(answers[index] as Answer);
      return true;
    } catch (error) {
      if (group.length > 1 && !isDatabaseLost(error)) return false;
      for (const one of group) one.fail(error);
      return true;
    }
  }
}

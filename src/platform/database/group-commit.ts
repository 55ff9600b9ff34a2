import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../errors.ts';
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
  /** The requests that wait for their group have at most this size together. Further ones are refused. */
  readonly mostWaiting: number;
  /** What no two requests of a group may have in common, such as the rows that they change. */
  keysOf(request: Request): Iterable<string>;
}

interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly size: number;
  readonly keys: readonly string[];
  answer(answer: Answer): void;
  fail(error: unknown): void;
}

/**
 * Applies requests that arrive together in one transaction, because a transaction of many rows costs little more than
 * one of a few. One group is applied at a time: the first request starts at once, and those that arrive in the meantime
 * form the next group, in their order. Of requests with a common key, the later ones wait for further groups. Each caller
 * is answered after the commit of its group.
 *
 * If a group fails, each of its requests is applied alone, all at the same time, so that none fails because of another
 * one. So `apply` must be safe to repeat. Only if the database is lost, all of them fail at once.
 */
export class GroupCommit<Request, Answer> {
  readonly #options: GroupOptions<Request, Answer>;
  #waiting: Waiting<Request, Answer>[] = [];
  #waitingSize = 0;
  #isBusy = false;

  constructor(options: GroupOptions<Request, Answer>) {
    this.#options = options;
  }

  /** Resolves after the commit. Rejects with the error of `apply` for this request; UnavailableError if too many wait. */
  submit(request: Request): Promise<Answer> {
    const { sizeOf, keysOf, mostWaiting } = this.#options;
    const size = sizeOf(request);
    const isFull = this.#waiting.length > 0 && this.#waitingSize + size > mostWaiting;
    if (isFull)
      return Promise.reject(new UnavailableError('too many calls wait for the database, try again'));
    return new Promise((answer, fail) => {
      this.#waiting.push({ request, size, keys: [...keysOf(request)], answer, fail });
      this.#waitingSize += size;
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
    const group: Waiting<Request, Answer>[] = [];
    const others: Waiting<Request, Answer>[] = [];
    const taken = new Set<string>();
    let size = 0;
    let isFull = false;
    for (const one of this.#waiting) {
      isFull ||= group.length > 0 && size + one.size > this.#options.most;
      const mayJoin = !isFull && !one.keys.some((key) => taken.has(key));
      // Also the keys of those that wait, so that requests with a common key keep their order.
      for (const key of one.keys) taken.add(key);
      if (mayJoin) size += one.size;
      (mayJoin ? group : others).push(one);
    }
    this.#waiting = others;
    this.#waitingSize -= size;
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

/** How many tenants keep their groups. One that loses them while it is busy has two for a moment, which does no harm. */
const MAX_TENANTS = 1000;

/** Groups for each tenant, so that the requests of one tenant never wait for the locks of another. */
export function tenantGroups<Request, Answer>(options: GroupOptions<Request, Answer>) {
  const groups = new LRUCache<string, GroupCommit<Request, Answer>>({
    max: MAX_TENANTS,
    memoMethod: () => new GroupCommit(options),
  });
  return {
    submit: (tenantId: string, request: Request): Promise<Answer> => groups.memo(tenantId).submit(request),
  };
}

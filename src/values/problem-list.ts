import { InvalidArgumentError, MAX_PROBLEMS, type Problem } from '../platform/errors.ts';

/** The result of a check: the value in its stored form, or all problems. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The problems of a failed check as one text, for the error of a node or an execution. */
export const problemsText = ({ problems }: Extract<Outcome<unknown>, { ok: false }>): string =>
  problems.map(({ message }) => message).join('; ');

/** Collects the problems of one input, so that its author sees all of them at once. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  readonly #limit: number;
  #size = 0;
  #ambiguities = 0;

  /** @param limit  how many problems are stored. The others are only counted. */
  constructor(limit = MAX_PROBLEMS) {
    this.#limit = limit;
  }

  /** The stored problems. */
  get all(): readonly Problem[] {
    return this.#problems;
  }

  /** How many problems were found, stored or not. */
  get size(): number {
    return this.#size;
  }

  /** Whether there are other problems than that a value fits several variants of a union. */
  get hasMismatches(): boolean {
    return this.#ambiguities !== this.#size;
  }

  /**
   * @param problem  makes the problem; it is called only if the problem is stored.
   * @param code  the code of the problem, which is counted also if the problem is not stored.
   */
  add(problem: () => Problem, code?: string): void {
    this.#size += 1;
    if (code === 'AmbiguousBindingUnionValue') this.#ambiguities += 1;
    if (this.#size <= this.#limit) this.#problems.push(problem());
  }

  /** @throws InvalidArgumentError with all problems, if there are any. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InvalidArgumentError(this.#problems);
  }
}

/**
 * How many steps the check of one input may take. A step is a value that is read, a variant of a union that is tried,
 * or 32 bytes of the type in the literal of a union. So one input keeps its process busy for only a fraction of a
 * second, and its literals have a limited size.
 */
export const MAX_STEPS = 500_000;

/** Counts the steps of checking one input. */
export class Work {
  #steps = 0;

  /** How many steps were taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** @throws InvalidArgumentError with the problem `TooLarge` at this place, if there are too many steps. */
  take(steps: number, place: Place): void {
    this.#steps += steps;
    if (this.#steps <= MAX_STEPS) return;
    const message = `checking the values takes more than ${MAX_STEPS} steps; write large data to a file`;
    throw InvalidArgumentError.of(place.path, message, 'TooLarge');
  }
}

/** A place in an input, and the list for the problems at this place. */
export class Place {
  readonly problems: ProblemList;
  readonly work: Work;
  readonly #parent: Place | null;
  readonly #segments: readonly (string | number)[];

  constructor(
    segments: readonly (string | number)[],
    { problems = new ProblemList(), work = new Work(), parent = null as Place | null } = {},
  ) {
    this.problems = problems;
    this.work = work;
    this.#parent = parent;
    this.#segments = segments;
  }

  /** From outside to inside. It is built only when it is needed, because most places have no problem. */
  get path(): readonly string[] {
    const own = this.#segments.map(String);
    return this.#parent ? [...this.#parent.path, ...own] : own;
  }

  at(...segments: readonly (string | number)[]): Place {
    return new Place(segments, { problems: this.problems, work: this.work, parent: this });
  }

  /** The same place with its own list. */
  apart(): Place {
    return new Place([], { work: this.work, parent: this });
  }

  /** The same place for a trial. Its problems are counted but not reported. */
  trial(): Place {
    return new Place([], { problems: new ProblemList(0), work: this.work, parent: this });
  }

  /** Returns undefined, so that a reader can end with `return place.report(…)`. */
  report(code: string, message: string): undefined {
    this.problems.add(() => ({ path: this.path, code, message }), code);
    return undefined;
  }
}

/** Runs a check whose messages begin with the name of the value, for people who do not read paths. */
export function naming<T>(name: string, place: Place, check: (place: Place) => T): T {
  const inner = place.apart();
  const answer = check(inner);
  for (const problem of inner.problems.all) {
    place.problems.add(() => ({ ...problem, message: `${name}: ${problem.message}` }));
  }
  return answer;
}

/**
 * The result of a reader at a place.
 * @throws InvalidArgumentError with the problems of the place, if the reader returned undefined.
 */
export function valueOrThrow<T>(value: T | undefined, place: Place): T {
  if (value === undefined) throw new InvalidArgumentError(place.problems.all);
  return value;
}

/**
 * Runs a check that reports problems at a place. Returns its value, or the problems if there were any.
 *
 * @param work  shared with other checks, if their steps must be counted together.
 */
export function outcomeOf<T>(
  path: readonly string[],
  check: (place: Place) => T | undefined,
  work = new Work(),
): Outcome<T> {
  const place = new Place(path, { work });
  try {
    const value = check(place);
    if (place.problems.size === 0 && value !== undefined) return { ok: true, value };
    return { ok: false, problems: place.problems.all };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return { ok: false, problems: [...place.problems.all, ...error.problems] };
  }
}

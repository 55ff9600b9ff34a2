import { InvalidArgumentError, type Problem } from '../platform/errors.ts';

/** What a check answers: the value in its stored form, or every fault that was found. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** An input with more faults than this is told of the first ones only. */
const MAX_PROBLEMS = 1000;

/** Gathers the faults of one input, so that its author sees them together. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  readonly #limit: number;
  #size = 0;

  /** @param limit  how many are kept; the others are only counted. */
  constructor(limit = MAX_PROBLEMS) {
    this.#limit = limit;
  }

  /** The first thousand. */
  get all(): readonly Problem[] {
    return this.#problems;
  }

  /** How many were found, kept or not. */
  get size(): number {
    return this.#size;
  }

  /** @param problem  makes the problem, where it is kept. */
  add(problem: () => Problem): void {
    this.#size += 1;
    if (this.#size <= this.#limit) this.#problems.push(problem());
  }

  /** @throws InvalidArgumentError with all problems, when there are any. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InvalidArgumentError(this.#problems);
  }
}

/**
 * Steps that checking one input may take. A step is a value that is read, a variant of a union that is tried, or 32
 * bytes of the type that a union's value carries. So one input keeps its process busy for a fraction of a second at
 * most, and its literals have a bounded size.
 */
export const MAX_STEPS = 500_000;

/** Counts the steps that checking one input takes. */
export class Work {
  #steps = 0;

  /** Taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** @throws InvalidArgumentError with the problem `TooLarge` at the place, when there have been too many. */
  take(steps: number, place: Place): void {
    this.#steps += steps;
    if (this.#steps <= MAX_STEPS) return;
    const message = `checking the values takes more than ${MAX_STEPS} steps; write large data to a file`;
    throw InvalidArgumentError.of(place.path, message, 'TooLarge');
  }
}

/** A spot in an input, and where faults found at that spot are gathered. */
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

  /** Outermost first. Put together when it is asked for: most places have no fault. */
  get path(): readonly string[] {
    const own = this.#segments.map(String);
    return this.#parent ? [...this.#parent.path, ...own] : own;
  }

  at(...segments: readonly (string | number)[]): Place {
    return new Place(segments, { problems: this.problems, work: this.work, parent: this });
  }

  /** The same spot with a list of its own. */
  apart(): Place {
    return new Place([], { work: this.work, parent: this });
  }

  /** The same spot for a trial whose faults are counted, and told to nobody. */
  trial(): Place {
    return new Place([], { problems: new ProblemList(0), work: this.work, parent: this });
  }

  /** Answers undefined, so that a reader can end with `return place.report(…)`. */
  report(code: string, message: string): undefined {
    this.problems.add(() => ({ path: this.path, code, message }));
    return undefined;
  }
}

/** Runs a check whose messages are to start with the name of what is checked, for those who read no paths. */
export function naming<T>(name: string, place: Place, check: (place: Place) => T): T {
  const inner = place.apart();
  const answer = check(inner);
  for (const problem of inner.problems.all) {
    place.problems.add(() => ({ ...problem, message: `${name}: ${problem.message}` }));
  }
  return answer;
}

/**
 * What a reader answered at a place.
 * @throws InvalidArgumentError with the place's problems, when it answered nothing.
 */
export function valueOrThrow<T>(value: T | undefined, place: Place): T {
  if (value === undefined) throw new InvalidArgumentError(place.problems.all);
  return value;
}

/**
 * Runs a check that reports to a place, and answers its value, or the problems when there was any.
 *
 * @param work  shared with other checks, where their steps count together.
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

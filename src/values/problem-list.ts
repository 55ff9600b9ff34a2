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
  #size = 0;

  /** The first thousand. */
  get all(): readonly Problem[] {
    return this.#problems;
  }

  /** How many were found, kept or not. */
  get size(): number {
    return this.#size;
  }

  add(problem: Problem): void {
    this.#size += 1;
    if (this.#size <= MAX_PROBLEMS) this.#problems.push(problem);
  }

  /** @throws InvalidArgumentError with all problems, when there are any. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InvalidArgumentError(this.#problems);
  }
}

/** A spot in an input, and where faults found at that spot are gathered. */
export class Place {
  readonly path: readonly string[];
  readonly problems: ProblemList;

  constructor(path: readonly string[], problems = new ProblemList()) {
    this.path = path;
    this.problems = problems;
  }

  at(...segments: readonly (string | number)[]): Place {
    return new Place([...this.path, ...segments.map(String)], this.problems);
  }

  /** The same spot with a list of its own, for a trial whose faults may not count. */
  apart(): Place {
    return new Place(this.path);
  }

  /** Answers undefined, so that a reader can end with `return place.report(…)`. */
  report(code: string, message: string): undefined {
    this.problems.add({ path: this.path, code, message });
    return undefined;
  }
}

/** Runs a check whose messages are to start with the name of what is checked, for those who read no paths. */
export function naming<T>(name: string, place: Place, check: (place: Place) => T): T {
  const inner = place.apart();
  const answer = check(inner);
  for (const problem of inner.problems.all) {
    place.problems.add({ ...problem, message: `${name}: ${problem.message}` });
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

/** Runs a check that reports to a place, and answers its value, or the problems when there was any. */
export function outcomeOf<T>(path: readonly string[], check: (place: Place) => T | undefined): Outcome<T> {
  const place = new Place(path);
  const value = check(place);
  if (place.problems.size === 0 && value !== undefined) return { ok: true, value };
  return { ok: false, problems: place.problems.all };
}

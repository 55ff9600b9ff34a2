/**
 * The errors that a caller can act on. Commands throw them; the GraphQL layer turns each into a union member or a
 * coded top-level error. Codes are gRPC's. Messages are written for the caller: no SQL, no paths, no secrets. What
 * helps us goes into `cause` and the log.
 */

import type { ObjectKind } from './object-kinds.ts';

export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'RESOURCE_EXHAUSTED'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'UNIMPLEMENTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'INTERNAL';

export abstract class DomainError extends Error {
  abstract readonly code: ErrorCode;
  override name = this.constructor.name;
  /**
   * Where in the input the fault lies, outermost first: `['input', 'nodes', '2', 'id']`. Empty when it is not the input's.
   * Not called `path`: GraphQL takes an error that has one for an error that it has placed already.
   */
  readonly inputPath: readonly string[];
  /** Set where the error refuses what the caller may not do: then the audit log records it. */
  refusal: Refusal | null = null;

  constructor(message: string, options: { path?: readonly string[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.inputPath = options.path ?? [];
  }
}

/** What was refused, as far as the place knows that refuses it. The rule of the field says the rest. */
export interface Refusal {
  /** The permission that was asked for. */
  readonly action?: string;
  readonly target?: RefusalTarget | null;
}

export interface RefusalTarget {
  readonly type: ObjectKind;
  readonly id: string | null;
  readonly name: string | null;
}

/** Marks an error as a refusal. PermissionDeniedError always is one; others are where something is hidden or kept. */
export function asRefusal<E extends DomainError>(error: E, refusal: Refusal = {}): E {
  error.refusal = refusal;
  return error;
}

/** One fault of an input. A compiler or validator reports all of them together. */
export interface Problem {
  /** Outermost first, from the argument down: `['input', 'spec', 'nodes', 'train', 'inputs', 'rows']`. */
  readonly path: readonly string[];
  /** A stable word for programs: a compiler code such as `MismatchingTypes`, or `MissingField`, `InvalidValue`. */
  readonly code: string;
  readonly message: string;
}

export class InvalidArgumentError extends DomainError {
  readonly code = 'INVALID_ARGUMENT';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options: { cause?: unknown } = {}) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(`${first?.message ?? 'invalid argument'}${more}`, {
      path: first?.path ?? [],
      cause: options.cause,
    });
    this.problems = problems;
  }

  /** For the common case of one fault. */
  static of(path: readonly string[], message: string, code = 'InvalidValue'): InvalidArgumentError {
    return new InvalidArgumentError([{ path, code, message }]);
  }
}

/** The one answer of all updates that name nothing to change. @throws InvalidArgumentError */
export function requireChanges(areGiven: boolean): void {
  if (!areGiven) throw InvalidArgumentError.of(['input'], 'no changes given', 'MissingField');
}

export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND';
  /** What was looked for. */
  readonly kind: ObjectKind;
  readonly key: string;

  constructor(kind: ObjectKind, key: string, path: readonly string[] = []) {
    super(`${kind} ${key} not found`, { path });
    this.kind = kind;
    this.key = key;
  }
}

export class AlreadyExistsError extends DomainError {
  readonly code = 'ALREADY_EXISTS';
}

export class FailedPreconditionError extends DomainError {
  readonly code = 'FAILED_PRECONDITION';
  /** Where the object stands now, when that is what refused the call: a phase or a state. */
  readonly current: string | null;

  constructor(message: string, options: { current?: string; path?: readonly string[] } = {}) {
    super(message, options);
    this.current = options.current ?? null;
  }
}

export class ResourceExhaustedError extends DomainError {
  readonly code = 'RESOURCE_EXHAUSTED';
}

export class PermissionDeniedError extends DomainError {
  readonly code = 'PERMISSION_DENIED';

  override refusal: Refusal | null = {};

  constructor(message: string) {
    super(message);
  }
}

export class UnauthenticatedError extends DomainError {
  readonly code = 'UNAUTHENTICATED';

  constructor(message = 'sign in first') {
    super(message);
  }
}

export class UnavailableError extends DomainError {
  readonly code = 'UNAVAILABLE';

  constructor(
    message = 'the service is not available for the moment, try again',
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

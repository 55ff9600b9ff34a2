/**
 * The errors that a caller can act on. Commands throw them; the GraphQL layer turns each into a union member or a
 * top-level error with a code. The codes are gRPC's. Messages are for the caller and contain no SQL, no paths and no
 * secrets. Details for us go into `cause` and the log.
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

/** Messages name what the input has named, and that can be as long as a whole request. */
const MAX_MESSAGE = 2000;
const shortened = (message: string) =>
  message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;

export abstract class DomainError extends Error {
  abstract readonly code: ErrorCode;
  override name = this.constructor.name;
  /**
   * The place of the fault in the input, from outside to inside: `['input', 'nodes', '2', 'id']`. Empty if the error is
   * not about the input. It is not called `path`, because GraphQL thinks that an error with `path` already has its
   * place in the document.
   */
  readonly inputPath: readonly string[];
  /** What a top-level error says in its extensions, in addition to the code. */
  readonly details: Readonly<Record<string, string>> = {};
  /** Set if the error refuses something that the caller may not do. The audit log then records it. */
  refusal: Refusal | null = null;

  constructor(message: string, options: { path?: readonly string[]; cause?: unknown } = {}) {
    super(shortened(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.inputPath = options.path ?? [];
  }
}

/** The details of a refusal that are known where it is thrown. The rule of the field adds the others. */
export interface Refusal {
  /** The permission that the caller does not have. */
  readonly action?: string;
  readonly target?: RefusalTarget | null;
}

export interface RefusalTarget {
  readonly type: ObjectKind;
  readonly id: string | null;
  readonly name: string | null;
}

/**
 * Marks an error as a refusal. PermissionDeniedError always is one. Other errors are refusals if they hide or protect
 * something.
 */
export function asRefusal<E extends DomainError>(error: E, refusal: Refusal = {}): E {
  error.refusal = refusal;
  return error;
}

/** One problem of an input. A compiler or validator reports all problems together. */
export interface Problem {
  /** From outside to inside, beginning with the argument: `['input', 'spec', 'nodes', 'train', 'inputs', 'rows']`. */
  readonly path: readonly string[];
  /** A fixed word for programs: a compiler code such as `MismatchingTypes`, or `MissingField`, `InvalidValue`. */
  readonly code: string;
  readonly message: string;
}

/** If an input has more problems than this, only the first ones are reported. */
export const MAX_PROBLEMS = 1000;

export class InvalidArgumentError extends DomainError {
  readonly code = 'INVALID_ARGUMENT';
  /** At most the first `MAX_PROBLEMS`. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options: { cause?: unknown } = {}) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(`${first?.message ?? 'invalid argument'}${more}`, {
      path: first?.path ?? [],
      cause: options.cause,
    });
    this.problems = problems
      .slice(0, MAX_PROBLEMS)
      .map((problem) => ({ ...problem, message: shortened(problem.message) }));
  }

  /** For the common case of one problem. */
  static of(path: readonly string[], message: string, code = 'InvalidValue'): InvalidArgumentError {
    return new InvalidArgumentError([{ path, code, message }]);
  }
}

/** All updates that have no changes get the same error. @throws InvalidArgumentError */
export function requireChanges(areGiven: boolean): void {
  if (!areGiven) throw InvalidArgumentError.of(['input'], 'no changes given', 'MissingField');
}

export class NotFoundError extends DomainError {
  readonly code = 'NOT_FOUND';
  /** The kind of object that was not found. */
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
  /** The object that exists, if the caller may see it. */
  readonly existingId: string | null;

  constructor(message: string, options: { path?: readonly string[]; existingId?: string } = {}) {
    super(message, options);
    this.existingId = options.existingId ?? null;
  }
}

/** Why a state does not allow something, for programs. Source: the details of Flyte's errors. */
export type PreconditionReason =
  | 'ALREADY_IN_TERMINAL_STATE'
  | 'INCOMPATIBLE_CLUSTER'
  | 'PHASE_NOT_ALLOWED'
  | 'STREAM_EXPIRED';

export class FailedPreconditionError extends DomainError {
  readonly code = 'FAILED_PRECONDITION';
  /** The phase or state of the object, if the call was refused because of it. */
  readonly current: string | null;
  readonly reason: PreconditionReason | null;
  /** The engine that runs the execution, if another one has reported. */
  readonly cluster: string | null;

  constructor(
    message: string,
    options: {
      current?: string;
      path?: readonly string[];
      reason?: PreconditionReason;
      cluster?: string | null;
    } = {},
  ) {
    super(message, options);
    this.current = options.current ?? null;
    this.reason = options.reason ?? null;
    this.cluster = options.cluster ?? null;
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
    message = 'the service is not available at the moment, try again',
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

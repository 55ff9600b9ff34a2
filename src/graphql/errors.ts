import { GraphQLError } from 'graphql';
import { isDatabaseLost } from '../platform/database/failures.ts';
import {
  AlreadyExistsError,
  DomainError,
  type ErrorCode,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type PreconditionReason,
  type Problem,
  ResourceExhaustedError,
  UnavailableError,
} from '../platform/errors.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { ObjectKindEnum } from './object-kind.ts';

export const ErrorCodeEnum = enumOf<ErrorCode>(
  'ErrorCode',
  "The kind of error, with the names of gRPC's codes. Top-level errors have it in `extensions.code`.",
  {
    INVALID_ARGUMENT: 'The input is wrong whatever the state of the server. Change it before you try again.',
    NOT_FOUND: 'The object does not exist or is hidden from you. The two cases give the same answer.',
    ALREADY_EXISTS: 'An object with this name already exists. It was not changed.',
    FAILED_PRECONDITION: 'The input is right, but the object is in a state in which this is not possible.',
    ABORTED: 'Another request changed the same object at the same time. Try again from the start.',
    RESOURCE_EXHAUSTED: 'A limit is reached: of size, cost, rate or number. The message names it.',
    PERMISSION_DENIED: "The caller's level, role, scopes or token do not allow this.",
    UNAUTHENTICATED: 'The request has no valid sign-in, and the field needs one.',
    UNIMPLEMENTED: 'The server does not support this.',
    UNAVAILABLE: 'The server cannot answer now, for example because the database is down. Try again later.',
    DEADLINE_EXCEEDED: 'The operation took longer than allowed.',
    INTERNAL: 'The server failed in a way that it did not foresee. The details are in its log.',
  },
);

const PreconditionReasonEnum = enumOf<PreconditionReason>(
  'PreconditionReason',
  'Why the state of an object does not allow something.',
  {
    ALREADY_IN_TERMINAL_STATE: 'The object has ended.',
    INCOMPATIBLE_CLUSTER: 'Another engine runs the execution.',
    PHASE_NOT_ALLOWED: 'The phase cannot follow the current one.',
    STREAM_EXPIRED: 'The events after this one are not stored any more.',
  },
);

export const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description:
    'An error that the caller can act on. Every error in a result union implements this interface.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'The kind of error, for programs.' }),
    message: t.exposeString('message', {
      description:
        'What is wrong and, if possible, what to do. This text is for people; programs read `code`.',
    }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description:
        'The path of the argument that is wrong, from outside to inside: `["input", "name"]`. Null if the error is not about an argument.',
      resolve: (error) => (error.inputPath.length > 0 ? [...error.inputPath] : null),
    }),
  }),
});

const ProblemType = builder.objectRef<Problem>('InputProblem').implement({
  description: 'One problem of an input.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        'The kind of problem, a fixed word for programs: `MismatchingTypes`, `MissingField`, `InvalidValue` …',
    }),
    message: t.exposeString('message', { description: 'What is wrong, for people.' }),
    path: t.field({
      type: ['String'],
      description:
        'The path of the value that is wrong, from outside to inside: `["input", "template", "nodes", "n1"]`.',
      resolve: (problem) => [...problem.path],
    }),
  }),
});

builder.objectType(InvalidArgumentError, {
  name: 'InvalidArgumentError',
  description:
    'The input is wrong, whatever the state of the server. The error lists the problems of the input.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProblemType],
      extensions: { listSize: 10 },
      description: 'The problems of the input: at least one, and the first 1000 if there are more.',
      resolve: (error) => [...error.problems],
    }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description:
    'An object that the input names does not exist or is hidden from you. The two cases give the same answer.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    kind: t.expose('kind', { type: ObjectKindEnum, description: 'The kind of object that was not found.' }),
  }),
});

builder.objectType(AlreadyExistsError, {
  name: 'AlreadyExistsError',
  description: 'An object with this name already exists. It was not changed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    existingId: t.exposeID('existingId', {
      nullable: true,
      description: 'The id of the object that exists; null if the error does not name it.',
    }),
  }),
});

builder.objectType(FailedPreconditionError, {
  name: 'FailedPreconditionError',
  description: 'The input is right, but the object is in a state in which this is not possible.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    current: t.exposeString('current', {
      nullable: true,
      description: 'The phase or state of the object; null if the error has nothing to do with it.',
    }),
    reason: t.expose('reason', {
      type: PreconditionReasonEnum,
      nullable: true,
      description: 'Why the state does not allow it, for programs; null if there is no word for it.',
    }),
    cluster: t.exposeString('cluster', {
      nullable: true,
      description: 'The engine that runs the execution, if another one has sent an event.',
    }),
  }),
});

builder.objectType(ResourceExhaustedError, {
  name: 'ResourceExhaustedError',
  description: 'A limit is reached. The message names it.',
  interfaces: [ErrorInterface],
});

/** A domain error as a top-level error: for refusals of rules, and for fields without a result union. */
export function topLevelError(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...error.details,
      ...(error.inputPath.length > 0 ? { path: error.inputPath } : {}),
      ...(error instanceof FailedPreconditionError && error.reason ? { reason: error.reason } : {}),
    },
  });
}

/** The form of an error that a caller may see. Errors that are not ours become INTERNAL, without any details. */
export function shownError(error: unknown): GraphQLError {
  const cause = causeOf(error);
  if (cause instanceof DomainError) return located(topLevelError(cause), error);
  if (isDatabaseLost(cause)) return located(topLevelError(new UnavailableError()), error);
  // A refusal of a rule, of a scalar, or of GraphQL itself. Its message is for the caller.
  if (cause instanceof GraphQLError) return located(cause, error);
  return located(new GraphQLError('something went wrong', { extensions: { code: 'INTERNAL' } }), error);
}

/** The original error, without the places that GraphQL has added. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

function located(shown: GraphQLError, from: unknown): GraphQLError {
  if (!(from instanceof GraphQLError) || from === shown) return shown;
  return new GraphQLError(shown.message, {
    nodes: from.nodes,
    path: from.path,
    extensions: shown.extensions,
  });
}

import { GraphQLError } from 'graphql';
import { isDatabaseLost } from '../platform/database/failures.ts';
import {
  AlreadyExistsError,
  DomainError,
  type ErrorCode,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type Problem,
  ResourceExhaustedError,
  UnavailableError,
} from '../platform/errors.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { ObjectKindEnum } from './object-kind.ts';

export const ErrorCodeEnum = enumOf<ErrorCode>(
  'ErrorCode',
  "What went wrong, in gRPC's words. Top-level errors have it in `extensions.code`.",
  {
    INVALID_ARGUMENT: 'The input is wrong whatever the state of the server. Change it before you try again.',
    NOT_FOUND: 'The object is absent, or hidden from the caller: the two look alike.',
    ALREADY_EXISTS: 'Such an object exists already. It was not changed.',
    FAILED_PRECONDITION: 'The input is right, but the object is in a state that does not allow this.',
    ABORTED: 'Another request changed the same object at the same time. Try again from the start.',
    RESOURCE_EXHAUSTED: 'A limit is reached: of size, cost, rate or number. The message names it.',
    PERMISSION_DENIED: "The caller's level, role, scopes or token do not allow this.",
    UNAUTHENTICATED: 'The request has no valid sign-in, and the field needs one.',
    UNIMPLEMENTED: 'The server does not support this.',
    UNAVAILABLE: 'The server cannot answer now, for example because the database is down. Try again later.',
    DEADLINE_EXCEEDED: 'The operation took longer than it may.',
    INTERNAL: 'The server failed in a way that it did not foresee. The details are in its log.',
  },
);

export const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'A refusal that the caller can act on. Every error in a result union implements it.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'What kind of refusal it is, for programs.' }),
    message: t.exposeString('message', {
      description: 'What is wrong and, where there is one, what to do: for people. Programs read `code`.',
    }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description:
        'The place in the arguments that is wrong, outermost first: `["input", "name"]`. Null when no argument is to blame.',
      resolve: (error) => (error.inputPath.length > 0 ? [...error.inputPath] : null),
    }),
  }),
});

const ProblemType = builder.objectRef<Problem>('InputProblem').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        "A stable word for programs: a compiler's code such as `MismatchingTypes`, `MissingField`, `InvalidValue`.",
    }),
    message: t.exposeString('message', { description: 'What is wrong, for people.' }),
    path: t.field({
      type: ['String'],
      description: 'The place that is wrong, from the argument down: `["input", "template", "nodes", "n1"]`.',
      resolve: (problem) => [...problem.path],
    }),
  }),
});

builder.objectType(InvalidArgumentError, {
  name: 'InvalidArgumentError',
  description: 'The input is wrong in itself. All its problems are reported together.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProblemType],
      extensions: { listSize: 10 },
      description: 'Everything that is wrong with the input: at least one problem.',
      resolve: (error) => [...error.problems],
    }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'Something that the input names is absent, or hidden from the caller: the two look alike.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    kind: t.expose('kind', { type: ObjectKindEnum, description: 'What kind of object was looked for.' }),
  }),
});

builder.objectType(AlreadyExistsError, {
  name: 'AlreadyExistsError',
  description: 'Such an object exists already. It was not changed.',
  interfaces: [ErrorInterface],
});

builder.objectType(FailedPreconditionError, {
  name: 'FailedPreconditionError',
  description: 'The input is right, but the object is in a state that does not allow this.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    current: t.exposeString('current', {
      nullable: true,
      description:
        'The phase or state of the object that does not allow this; null when no phase or state is to blame.',
    }),
  }),
});

builder.objectType(ResourceExhaustedError, {
  name: 'ResourceExhaustedError',
  description: 'A limit is reached. The message names it.',
  interfaces: [ErrorInterface],
});

/** A refusal as a top-level error: what the rules answer, and what a field without a result union throws. */
export function topLevelError(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(error.inputPath.length > 0 ? { path: error.inputPath } : {}),
    },
  });
}

/** What a caller may see of anything thrown. What is not ours is INTERNAL, without a word of what it was. */
export function shownError(error: unknown): GraphQLError {
  const cause = causeOf(error);
  if (cause instanceof DomainError) return located(topLevelError(cause), error);
  if (isDatabaseLost(cause)) return located(topLevelError(new UnavailableError()), error);
  // A refusal of the rules, of a scalar, or of GraphQL itself: written for the caller.
  if (cause instanceof GraphQLError) return located(cause, error);
  return located(new GraphQLError('something went wrong', { extensions: { code: 'INTERNAL' } }), error);
}

/** What was thrown first, under the places that GraphQL has added. */
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

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
import { ObjectKindEnum } from './object-kind.ts';

const codes = [
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'ABORTED',
  'RESOURCE_EXHAUSTED',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'UNIMPLEMENTED',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
] as const satisfies readonly ErrorCode[];

const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: "What went wrong, in gRPC's words. Also in `extensions.code` of top-level errors.",
  values: codes,
});

export const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'A refusal that the caller can act on.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, resolve: (error) => error.code }),
    message: t.exposeString('message', {
      description: 'For people. Programs read `code`.',
    }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description: 'Where in the arguments the fault lies, outermost first; null when it is not theirs.',
      resolve: (error) => (error.path.length > 0 ? [...error.path] : null),
    }),
  }),
});

const ProblemType = builder.objectRef<Problem>('Problem').implement({
  description: 'One fault of an input.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description:
        "A stable word for programs: a compiler's code such as `MismatchingTypes`, `MissingField`, `InvalidValue`.",
    }),
    message: t.exposeString('message'),
    path: t.field({
      type: ['String'],
      description: 'Outermost first, from the argument down.',
      resolve: (problem) => [...problem.path],
    }),
  }),
});

builder.objectType(InvalidArgumentError, {
  name: 'InvalidArgumentError',
  description: 'The input is wrong in itself. All faults are reported together.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProblemType],
      extensions: { listSize: 10 },
      resolve: (error) => [...error.problems],
    }),
  }),
});

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'Something that the input names is absent, or hidden from the caller: the two look alike.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    kind: t.field({
      type: ObjectKindEnum,
      description: 'What kind of object was looked for.',
      resolve: (error) => error.kind,
    }),
  }),
});

builder.objectType(AlreadyExistsError, {
  name: 'AlreadyExistsError',
  description: 'It is there already, unchanged.',
  interfaces: [ErrorInterface],
});

builder.objectType(FailedPreconditionError, {
  name: 'FailedPreconditionError',
  description: 'Right in itself, but not as things stand now.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    current: t.exposeString('current', {
      nullable: true,
      description: 'The phase or state that refused it, where one did.',
    }),
  }),
});

builder.objectType(ResourceExhaustedError, {
  name: 'ResourceExhaustedError',
  description: 'A limit is reached; the message names it.',
  interfaces: [ErrorInterface],
});

/** A refusal as a top-level error: what the rules answer, and what a field without a result union throws. */
export function topLevelError(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(error.path.length > 0 ? { path: error.path } : {}),
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

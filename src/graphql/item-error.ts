import type { DomainError, ErrorCode } from '../platform/errors.ts';
import { builder } from './builder.ts';
import { ErrorCodeEnum } from './errors.ts';

interface ItemError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path: readonly string[];
}

/** Why a mutation over many objects left one of them as it was. */
export const ItemErrorType = builder.objectRef<ItemError>('ItemError').implement({
  description: 'Why a mutation over many objects left one of them as it was.',
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCodeEnum, description: 'The kind of error, for programs.' }),
    message: t.exposeString('message', { description: 'What is wrong, for people.' }),
    path: t.stringList({
      description:
        'Where the fault is in the input, from outside to inside. Empty if it is not in the input.',
      resolve: ({ path }) => [...path],
    }),
  }),
});

/** The value of a field of that type. If a field returned the error itself, GraphQL would take it as thrown. */
export const itemErrorOf = (error: DomainError | null): ItemError | null =>
  error && { code: error.code, message: error.message, path: error.inputPath };

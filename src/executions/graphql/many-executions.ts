import type { ObjectRef } from '@pothos/core';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { mutationOf } from '../../graphql/payload.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import type { ExecutionListFilter } from '../store/lists.ts';
import type { ExecutionBy } from '../store/reads.ts';
import { type ExecutionFilterInput, filterOf } from './execution-lists.ts';

/** What the mutations of many executions have in common: they take addresses or a filter, and answer for each. */

type Schema = typeof builder.$inferSchemaTypes;

/** The executions with these addresses, or those that a filter finds. */
type Chosen = { readonly addresses: readonly ExecutionBy[] } | { readonly filter: ExecutionListFilter };

/**
 * The executions of an input with the fields `executions` and `filter`.
 *
 * @throws InvalidArgumentError if it has both or neither, or more than `most` addresses.
 */
export async function chosenExecutions(
  input: {
    readonly executions?: readonly unknown[] | null;
    readonly filter?: typeof ExecutionFilterInput.$inferInput | null;
  },
  most: number,
  context: Context,
): Promise<Chosen> {
  const { executions, filter } = input;
  const path = ['input', 'executions'];
  if (!executions === !filter) throw InvalidArgumentError.of(path, 'give either executions or filter');
  if (!executions) return { filter: await filterOf({ filter }, context, ['input', 'filter']) };
  if (executions.length > most)
    throw InvalidArgumentError.of(path, `must have at most ${most} entries`, 'TooLarge');
  return { addresses: executions as readonly ExecutionBy[] };
}

export interface ManyResults<Result> {
  readonly results: readonly Result[];
  /** Whether the filter may find more. */
  readonly hasMore: boolean;
}

/** The payload with what became of each execution. */
export const resultsPayload = <Result extends object>(
  name: `${string}Payload`,
  type: ObjectRef<Schema, Result>,
  most: number,
) =>
  builder.objectRef<ManyResults<Result>>(name).implement({
    description: `What \`${mutationOf(name)}\` answers when it succeeds.`,
    fields: (t) => ({
      results: t.field({
        type: [type as ObjectRef<Schema, object>],
        extensions: { listSize: most },
        description:
          'One result for each of `executions`, in their order; with a filter, for each execution that was found, oldest first.',
        resolve: ({ results }): object[] => [...results],
      }),
      hasMore: t.exposeBoolean('hasMore', {
        description:
          'Whether the filter may find more executions. Then repeat the call, unless it was a dry run.',
      }),
    }),
  });

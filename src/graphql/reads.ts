import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from './context.ts';
import type { FieldNeeds } from './field-needs.ts';

/**
 * Resolvers that say which columns of their row they read, so that a list need not read the others when nothing else is
 * selected. A field that only exposes a column says so by itself. A field that says nothing may read all columns.
 *
 * `Beside` is what a row may have beside its columns.
 *
 *     const reads = readsOf<ExecutionRow>();
 *     duration: t.field({ type: 'Duration', …, ...reads(['startedAt', 'endedAt'], durationOf) })
 */
export const readsOf =
  <Row, Beside = unknown>() =>
  <const Name extends keyof Row & string, Args, Value>(
    reads: readonly Name[],
    resolve: (row: Pick<Row, Name> & Beside, args: Args, context: Context, info: GraphQLResolveInfo) => Value,
    needs: Omit<FieldNeeds, 'reads'> = {},
  ) => ({ resolve, extensions: { ...needs, reads } satisfies FieldNeeds });

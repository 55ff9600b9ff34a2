import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import { shownError, topLevelError } from '../graphql/errors.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { roundingFault } from '../platform/storable-json.ts';
import { withoutStatus } from './answer.ts';
import type { EdgeContext, GraphQLServer } from './graphql.ts';

/** An operation that does not come as a request of its own. */
export interface AskedOperation {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

type Enveloped = ReturnType<GraphQLServer['getEnveloped']>;
/** What GraphQL executes, with the functions of the plugins that execute it. */
export type PreparedArgs = ExecutionArgs & { rootValue: Pick<Enveloped, 'execute' | 'subscribe'> };

/**
 * Asks GraphQL in this process, with the same limits, rules and masked errors as over HTTP.
 *
 * @returns the whole answer. Refusals are in its errors, as clients see them.
 */
export async function ask(
  graphql: GraphQLServer,
  operation: AskedOperation,
  edge: EdgeContext,
): Promise<ExecutionResult> {
  const prepared = await prepare(graphql, operation, edge);
  if (Array.isArray(prepared)) return { errors: prepared };
  const result = await prepared.rootValue.execute(prepared);
  if (isAsyncIterable(result)) throw new Error('an operation that is asked in process has one answer');
  return result as ExecutionResult;
}

/** Parses and validates with the same plugins as over HTTP. If they refuse the operation, this is the answer. */
export async function prepare(
  graphql: GraphQLServer,
  operation: AskedOperation,
  edge: EdgeContext,
): Promise<PreparedArgs | GraphQLError[]> {
  const { operationName, variables } = operation;
  const { schema, execute, subscribe, contextFactory, parse, validate } = graphql.getEnveloped({
    ...edge,
    params: operation,
  } as never);
  try {
    const document = parse(operation.query);
    const errors: readonly GraphQLError[] = validate(schema, document);
    if (errors.length > 0) return errors.map(withoutStatus);
    if (!getOperationAST(document, operationName)) throw unknownOperation();
    // The variables of callers who are not signed in are checked only if the operation is open to them.
    if (edge.caller) requireDigits(variables ?? {});
    return {
      schema,
      operationName,
      document,
      variableValues: variables,
      contextValue: await contextFactory(),
      rootValue: { execute, subscribe },
    } as never;
  } catch (error) {
    if (error instanceof GraphQLError) return [withoutStatus(error)];
    log.error({ err: error }, 'preparing an operation failed');
    return [shownError(error)];
  }
}

/** Deeper than any valid input. */
const MAX_VARIABLE_DEPTH = 256;

/**
 * The variables are parsed already, so the original digits are lost. Numbers that may have lost digits are refused.
 */
function requireDigits(variables: Record<string, unknown>): void {
  const fault = roundingFault(variables, MAX_VARIABLE_DEPTH);
  if (fault)
    throw topLevelError(InvalidArgumentError.of(fault.path, `${fault.path.join('.')}: ${fault.message}`));
}

function unknownOperation(): GraphQLError {
  return new GraphQLError('the document has several operations; name one of them', {
    extensions: { code: 'INVALID_ARGUMENT' },
  });
}

import type { ExecutionResult } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import { topLevelError } from '../graphql/errors.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { roundingFault } from '../platform/storable-json.ts';
import { withoutStatus } from './answer.ts';
import type { EdgeContext, GraphQLServer } from './graphql.ts';
import { type AskedOperation, type PreparedOperation, prepare, type Refused } from './prepare.ts';
import { turns } from './turns.ts';

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
  const prepared = await prepareParsed(graphql, operation, edge);
  if ('errors' in prepared) return prepared;
  const result = await prepared.run();
  if (isAsyncIterable(result)) throw new Error('an operation that is asked in process has one answer');
  return result;
}

/**
 * Prepares an operation whose variables are parsed already, and which has no HTTP answer of its own. If the operation is
 * refused, the errors are the answer.
 */
export async function prepareParsed(
  graphql: GraphQLServer,
  operation: AskedOperation,
  edge: EdgeContext,
): Promise<PreparedOperation | Refused> {
  const prepared = await prepare(graphql, operation, edge);
  if ('errors' in prepared) return { errors: prepared.errors.map(withoutStatus) };
  if (edge.isLong) await turns.goOn();
  // The variables of callers who are not signed in are checked only if the operation is open to them.
  const fault = edge.caller && roundingFault(operation.variables ?? {}, MAX_VARIABLE_DEPTH);
  if (!fault) return prepared;
  const error = InvalidArgumentError.of(fault.path, `${fault.path.join('.')}: ${fault.message}`);
  return { errors: [topLevelError(error)] };
}

/**
 * Deeper than any valid input. The original digits of numbers are lost, so numbers that may have lost some are refused.
 */
const MAX_VARIABLE_DEPTH = 256;

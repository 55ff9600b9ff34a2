import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from 'graphql';
import { type EdgeContext, type GraphQLServer, invalidDocument, maskAndLog } from './graphql.ts';

/** One operation, from whichever transport. */
export interface AskedOperation {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** The answer of a query or mutation, or the events of a subscription. */
export type OperationResult = ExecutionResult | AsyncIterable<ExecutionResult>;

/** What GraphQL executes, with the functions of the plugins that execute it. */
export interface PreparedOperation {
  readonly args: ExecutionArgs;
  run(): OperationResult | Promise<OperationResult>;
}

export interface Refused {
  readonly errors: readonly GraphQLError[];
}

/**
 * Parses and validates an operation, and makes its context. This is the way of every operation, whatever its transport.
 *
 * @returns the errors if the operation is refused, as callers see them. They may say an HTTP status.
 */
export async function prepare(
  graphql: GraphQLServer,
  operation: AskedOperation,
  edge: EdgeContext,
): Promise<PreparedOperation | Refused> {
  try {
    const { query, operationName, variables } = operation;
    const { caller, meter, publicUrl, isOverHttp } = edge;
    const context = {
      ...{ caller, meter, publicUrl, isOverHttp, params: operation },
      // It is made when somebody asks for it.
      get signal() {
        return edge.signal;
      },
    };
    const { schema, parse, validate, contextFactory, execute, subscribe } = graphql.getEnveloped(
      context as never,
    );
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors };
    const type = getOperationAST(document, operationName)?.operation;
    if (!type) throw unknownOperation(operationName);
    const contextValue = await contextFactory();
    const args = { schema, document, contextValue, variableValues: variables, operationName };
    return { args, run: () => (type === 'subscription' ? subscribe(args) : execute(args)) };
  } catch (error) {
    return { errors: [maskAndLog(error)] };
  }
}

const unknownOperation = (name: string | null | undefined) =>
  new GraphQLError(
    name == null
      ? 'the document does not have exactly one operation; name one in operationName'
      : 'the document has no operation with the name in operationName',
    { extensions: { code: 'INVALID_ARGUMENT', http: invalidDocument } },
  );

/** Prepares an operation and runs it. */
export async function answerTo(
  graphql: GraphQLServer,
  operation: AskedOperation,
  edge: EdgeContext,
): Promise<OperationResult> {
  const prepared = await prepare(graphql, operation, edge);
  if ('errors' in prepared) return prepared;
  try {
    return await prepared.run();
  } catch (error) {
    return { errors: [maskAndLog(error)] };
  }
}

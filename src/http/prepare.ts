import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { schema } from '../api/schema.ts';
import { chargeText } from './costs.ts';
import { executeOperation } from './execute-operation.ts';
import {
  contextOfCaller,
  type EdgeContext,
  type GraphQLServer,
  invalidDocument,
  maskAndLog,
} from './graphql.ts';
import { KnownDocument, type KnownOperation, knownDocuments } from './known-documents.ts';
import { LONG_DOCUMENT_CHARACTERS, turns } from './turns.ts';

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
    const { operationName, variables } = operation;
    const asked = new AskedContext(edge, operation);
    let document: KnownDocument | Refused | undefined = knownOf(operation.query, asked);
    if (!document) {
      if (operation.query.length > LONG_DOCUMENT_CHARACTERS) await turns.begin(edge.meter.owner);
      document = documentOf(graphql, operation.query, asked);
    }
    if ('errors' in document) return document;
    const known = document.operation(operationName);
    if (!known) throw unknownOperation(operationName);
    if (known.type === 'subscription') return await prepareSubscription(graphql, known, asked);
    const contextValue = Object.assign(asked, await contextOfCaller(edge));
    const args = { schema, document: known.document, contextValue, variableValues: variables, operationName };
    return { args, run: () => executeOperation(known, variables, contextValue) };
  } catch (error) {
    return { errors: [maskAndLog(error)] };
  }
}

/** The context of an operation, before its caller is known for certain. */
class AskedContext implements EdgeContext {
  readonly #edge: EdgeContext;
  readonly params: AskedOperation;
  readonly caller: EdgeContext['caller'];
  readonly meter: EdgeContext['meter'];
  readonly publicUrl: string;
  readonly isOverHttp: boolean;
  readonly isLong: boolean;

  constructor(edge: EdgeContext, params: AskedOperation) {
    this.#edge = edge;
    this.params = params;
    this.caller = edge.caller;
    this.meter = edge.meter;
    this.publicUrl = edge.publicUrl;
    this.isOverHttp = edge.isOverHttp;
    this.isLong = edge.isLong;
  }

  /** It is made when somebody asks for it. */
  get signal(): AbortSignal {
    return this.#edge.signal;
  }
}

/** A document that was found valid before, with its length charged. */
function knownOf(query: string, context: AskedContext): KnownDocument | undefined {
  const known = context.caller ? knownDocuments.get(query) : undefined;
  if (known) chargeText(query, context);
  return known;
}

/** @throws GraphQLError for a text that is not GraphQL. */
function documentOf(graphql: GraphQLServer, query: string, context: AskedContext): KnownDocument | Refused {
  const { parse, validate } = graphql.getEnveloped(context as never);
  const document = parse(query);
  const errors = validate(schema, document);
  if (errors.length > 0) return { errors };
  const made = new KnownDocument(document);
  if (context.caller) knownDocuments.set(query, made);
  return made;
}

async function prepareSubscription(
  graphql: GraphQLServer,
  { document }: KnownOperation,
  asked: AskedContext,
): Promise<PreparedOperation> {
  const { contextFactory, subscribe } = graphql.getEnveloped(asked as never);
  const { variables, operationName } = asked.params;
  const contextValue = await contextFactory();
  if (asked.isLong) await turns.goOn();
  const args = { schema, document, contextValue, variableValues: variables, operationName };
  return { args, run: () => subscribe(args) };
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

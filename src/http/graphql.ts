import { assertEnumType, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { type ContextOfCaller, contextOf } from '../api/context.ts';
import { schema } from '../api/schema.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { log } from '../platform/log.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { boundedCosts } from './costs.ts';
import { documentLimits } from './limits.ts';
import { measuredOperations } from './metrics.ts';
import type { Meter } from './rate.ts';
import { refusedStrangers } from './strangers.ts';
import { boundedSubscriptions } from './subscriptions.ts';
import { fittingVariables } from './variables.ts';

/** The parts of a request that are known before GraphQL begins. */
export interface EdgeContext {
  readonly caller: Caller | null;
  readonly signal: AbortSignal;
  readonly publicUrl: string;
  /** Charges the cost of the request to its caller. */
  readonly meter: Meter;
  /** Whether errors decide the status of an HTTP answer. */
  readonly isOverHttp: boolean;
  /** Whether the body or the message is long, so that the variables may be, too. */
  readonly isLong: boolean;
}

export type GraphQLServer = YogaServerInstance<EdgeContext, ContextOfCaller>;

/**
 * GraphQL with all limits, rules and masked errors. Every transport uses it through `getEnveloped`: see prepare.ts. Its
 * own handling of HTTP is not used, because that makes many objects for each request.
 */
export function createGraphQLServer(): GraphQLServer {
  return createYoga<EdgeContext, ContextOfCaller>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    healthCheckEndpoint: '/never',
    multipart: false,
    // Already answered for every route: cors.ts.
    cors: false,
    // Each error is logged once, where it is masked.
    logging: false,
    maskedErrors: { maskError: maskAndLog },
    // Valid documents are remembered in known-documents.ts.
    parserAndValidationCache: false,
    context: contextOfCaller,
    plugins: [
      ...documentLimits(),
      introspectionForCallers(),
      codedDocumentErrors(),
      measuredOperations(),
      refusedStrangers(),
      boundedCosts(),
      fittingVariables(),
      boundedSubscriptions(serverConfig.subscriptionLimit),
    ],
  });
}

/** The body may arrive long after the headers, so the caller is checked again. @throws UnauthenticatedError */
export async function contextOfCaller({ caller }: EdgeContext): Promise<ContextOfCaller> {
  return contextOf(caller && (await reauthenticated(caller)));
}

/** Errors as callers see them, so that none is logged twice. */
const masked = new WeakSet<Error>();

/** What a caller sees of an error of GraphQL. An error that is our fault is logged. */
export function maskAndLog(error: unknown): GraphQLError {
  if (error instanceof GraphQLError && masked.has(error)) return error;
  const shown = shownError(error);
  masked.add(shown);
  if (shown.extensions['code'] === 'INTERNAL') log.error({ err: error, path: shown.path }, 'request failed');
  return coded(shown);
}

/** Adds a code to errors of GraphQL or Yoga, such as an invalid document or a wrong variable. */
function coded<E>(error: E): E {
  if (error instanceof GraphQLError && !ErrorCode.getValue(String(error.extensions['code'])))
    error.extensions['code'] = 'INVALID_ARGUMENT';
  return error;
}
const ErrorCode = assertEnumType(schema.getType('ErrorCode'));

/** The status counts only for clients that accept `application/graphql-response+json`. Source: GraphQL over HTTP. */
export const invalidDocument = { status: 400, spec: true };

function codedDocumentErrors(): Plugin {
  return {
    onParse:
      () =>
      ({ result }) => {
        if (coded(result) instanceof GraphQLError) result.extensions['http'] ??= invalidDocument;
      },
    onValidate:
      () =>
      ({ result }) => {
        result.forEach(coded);
      },
  };
}

/**
 * Callers who are not signed in learn nothing about the schema. The rule is added or left out as a whole, because the
 * results of validation are cached by the names of the rules.
 */
function introspectionForCallers(): Plugin<object, EdgeContext> {
  return {
    onValidate({ addValidationRule, context }) {
      const { caller } = context as unknown as EdgeContext;
      if (!caller || !serverConfig.introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

import { assertEnumType, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { newContext } from '../api/context.ts';
import { schema } from '../api/schema.ts';
import type { Context } from '../graphql/context.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { log } from '../platform/log.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { challengedStrangers } from './challenged-strangers.ts';
import { boundedCosts } from './costs.ts';
import { documentLimits } from './limits.ts';
import { measuredOperations } from './metrics.ts';
import { onlyJsonPosts } from './parameters.ts';
import type { Meter } from './rate.ts';
import { boundedSubscriptions } from './subscriptions.ts';
import { trustedDocuments } from './trusted-documents.ts';

/** What the edge knows of a request before GraphQL begins. */
export interface EdgeContext {
  readonly caller: Caller | null;
  readonly signal: AbortSignal;
  readonly publicUrl: string;
  /** What the request takes of its caller's rate. */
  readonly meter: Meter;
}

export type GraphQLServer = YogaServerInstance<EdgeContext, Context>;

/** GraphQL over HTTP and, through `getEnveloped`, over WebSocket: one set of limits, rules and masks for both. */
export function createGraphQLServer(): GraphQLServer {
  return createYoga<EdgeContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    healthCheckEndpoint: '/never',
    // How many, and which: parameters.ts.
    batching: { limit: serverConfig.batchLimit },
    multipart: false,
    // Asked and answered before, for every route: cors.ts.
    cors: false,
    // What goes wrong is logged once, where it is masked.
    logging: false,
    maskedErrors: { maskError: maskAndLog },
    context: async ({ caller, signal, publicUrl }) =>
      // The body may have come long after the headers: as the caller stands now.
      newContext({ caller: caller && (await reauthenticated(caller)), signal, publicUrl }),
    plugins: [
      onlyJsonPosts(trustedDocuments()),
      ...documentLimits(),
      introspectionForCallers(),
      codedDocumentErrors(),
      measuredOperations(),
      boundedCosts(),
      boundedSubscriptions(serverConfig.subscriptionLimit),
      ...(serverConfig.kerberos ? [challengedStrangers()] : []),
    ],
  });
}

function maskAndLog(error: unknown): Error {
  const shown = shownError(error);
  if (shown.extensions['code'] === 'INTERNAL') log.error({ err: error, path: shown.path }, 'request failed');
  return coded(shown);
}

/** What GraphQL or Yoga refuse by themselves, a document or a variable that does not fit, has no code of ours. */
function coded<E>(error: E): E {
  if (error instanceof GraphQLError && !ErrorCode.getValue(String(error.extensions['code'])))
    error.extensions['code'] = 'INVALID_ARGUMENT';
  return error;
}
const ErrorCode = assertEnumType(schema.getType('ErrorCode'));

function codedDocumentErrors(): Plugin {
  return {
    onParse:
      () =>
      ({ result }) => {
        coded(result);
      },
    onValidate:
      () =>
      ({ result }) => {
        result.forEach(coded);
      },
  };
}

/** A stranger learns nothing of the schema. The rule is added or left out whole: verdicts are cached by rule names. */
function introspectionForCallers(): Plugin<object, EdgeContext> {
  return {
    onValidate({ addValidationRule, context }) {
      const { caller } = context as unknown as EdgeContext;
      if (!caller || !serverConfig.introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

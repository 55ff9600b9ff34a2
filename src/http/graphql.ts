import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assertEnumType, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { newContext } from '../api/context.ts';
import { schema } from '../api/schema.ts';
import type { Context } from '../graphql/context.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { log } from '../platform/log.ts';
import { authenticate, challengesAfter } from '../sign-in/authenticate.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { refusal } from './answer.ts';
import { boundedCosts } from './costs.ts';
import type { Exchange } from './exchange.ts';
import { documentLimits } from './limits.ts';
import { measuredOperations, measureSignIn } from './metrics.ts';
import { type Operation, readOperations, refusalOf } from './parameters.ts';
import { Meter } from './rate.ts';
import { refusedStrangers } from './strangers.ts';
import { boundedSubscriptions } from './subscriptions.ts';
import { trustedDocuments } from './trusted-documents.ts';
import { fittingVariables } from './variables.ts';

/** The parts of a request that are known before GraphQL begins. */
export interface EdgeContext {
  readonly caller: Caller | null;
  readonly signal: AbortSignal;
  readonly publicUrl: string;
  /** Charges the cost of the request to its caller. */
  readonly meter: Meter;
  /** Over HTTP: one operation, or a batch. */
  readonly operations?: Operation | readonly Operation[];
}

export type GraphQLServer = YogaServerInstance<EdgeContext, Context>;

/** GraphQL over HTTP and, through `getEnveloped`, over WebSocket, with the same limits, rules and masked errors. */
export function createGraphQLServer(): GraphQLServer {
  return createYoga<EdgeContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    healthCheckEndpoint: '/never',
    // The body was already read and its size checked: parameters.ts.
    batching: { limit: serverConfig.batchLimit },
    maxRequestBodySize: false,
    multipart: false,
    // Already answered for every route: cors.ts.
    cors: false,
    // Each error is logged once, where it is masked.
    logging: false,
    maskedErrors: { maskError: maskAndLog },
    context: async ({ caller, signal, publicUrl }) =>
      // The body may arrive long after the headers, so the caller is checked again.
      newContext({ caller: caller && (await reauthenticated(caller)), signal, publicUrl }),
    plugins: [
      operationsReadBefore,
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

const operationsReadBefore: Plugin = {
  onRequestParse({ serverContext, setRequestParser }) {
    const { operations } = serverContext as unknown as EdgeContext;
    setRequestParser(() => operations as Operation | Operation[]);
  },
  onParams({ params, setResult }) {
    const refused = refusalOf(params);
    if (refused) setResult({ errors: [refused] });
  },
};

/** `POST /graphql`. GraphQL gets no headers except the one that says which content types the client accepts. */
export async function answerOperations(exchange: Exchange): Promise<void> {
  const { request, response, signIn, graphql, requests } = exchange;
  const caller = await measureSignIn(request.headers, authenticate(signIn, log));
  const signal = requests.begin(response);
  const meter = new Meter(caller, signIn.address);
  try {
    const operations = await readOperations(request, caller, trustedDocuments(), meter);
    const { accept = '*/*' } = request.headers;
    const asked = new graphql.fetchAPI.Request('http://slipway.invalid/graphql', {
      method: 'POST',
      headers: { accept },
    });
    const { publicUrl } = signIn;
    const answer = await graphql.handleRequest(asked, { caller, signal, publicUrl, meter, operations });
    await send(answer, exchange, meter);
  } catch (error) {
    for (const [name, value] of Object.entries(meter.headers)) response.setHeader(name, value);
    throw error;
  }
}

async function send(answer: Response, { request, response }: Exchange, meter: Meter): Promise<void> {
  const type = answer.headers.get('content-type');
  if (answer.status === 406)
    throw refusal(
      'INVALID_ARGUMENT',
      'the answer is application/json, or text/event-stream for a subscription; accept one of them',
      {
        status: 406,
      },
    );
  if (!type) throw new Error(`GraphQL answers ${answer.status} without a content`);
  const headers = {
    ...Object.fromEntries(answer.headers),
    ...meter.headers,
    ...(answer.status === 401 ? { 'www-authenticate': challengesTo(request) } : {}),
  };
  if (type.includes('json')) {
    const text = await answer.text();
    response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
  } else {
    response.writeHead(answer.status, headers);
    await pipeline(Readable.from(answer.body ?? []), response).catch(() => {
      // The client has disconnected, and its signal has ended the work.
    });
  }
}

/**
 * How to sign in. Kerberos clients send a ticket only after a challenge. Browsers would ask for a password in a window
 * of their own after a challenge of Basic, so pages do not get it. Source: RFC 9110 §11.6.1, RFC 4559.
 */
function challengesTo({ headers }: IncomingMessage): string[] {
  const isPage = headers['sec-fetch-site'] !== undefined;
  return challengesAfter().filter((challenge) => !(isPage && challenge.startsWith('Basic ')));
}

function maskAndLog(error: unknown): Error {
  const shown = shownError(error);
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

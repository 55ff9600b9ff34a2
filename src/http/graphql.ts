import type { ServerResponse } from 'node:http';
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
import { authenticate } from '../sign-in/authenticate.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { refusal } from './answer.ts';
import { boundedCosts } from './costs.ts';
import type { Exchange } from './exchange.ts';
import { documentLimits } from './limits.ts';
import { measuredOperations, measureSignIn } from './metrics.ts';
import { type Operation, readOperations } from './parameters.ts';
import { Meter } from './rate.ts';
import { challengedStrangers, refusedStrangers } from './strangers.ts';
import { boundedSubscriptions } from './subscriptions.ts';
import { trustedDocuments } from './trusted-documents.ts';
import { fittingVariables } from './variables.ts';

/** What the edge knows of a request before GraphQL begins. */
export interface EdgeContext {
  readonly caller: Caller | null;
  readonly signal: AbortSignal;
  readonly publicUrl: string;
  /** What the request takes of its caller's rate. */
  readonly meter: Meter;
  /** What is asked, over HTTP: one operation, or a batch of them. */
  readonly operations?: Operation | readonly Operation[];
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
    // What a request holds was read, and its size bounded, before: parameters.ts.
    batching: { limit: serverConfig.batchLimit },
    maxRequestBodySize: false,
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
      operationsReadBefore,
      ...documentLimits(),
      introspectionForCallers(),
      codedDocumentErrors(),
      measuredOperations(),
      refusedStrangers(),
      boundedCosts(),
      fittingVariables(),
      boundedSubscriptions(serverConfig.subscriptionLimit),
      ...(serverConfig.kerberos ? [challengedStrangers()] : []),
    ],
  });
}

const operationsReadBefore: Plugin = {
  onRequestParse({ serverContext, setRequestParser }) {
    const { operations } = serverContext as unknown as EdgeContext;
    setRequestParser(() => operations as Operation | Operation[]);
  },
};

/** `POST /graphql`. Of the request, GraphQL is told no more than which form of answer it accepts. */
export async function answerOperations(exchange: Exchange): Promise<void> {
  const { request, response, signIn, graphql, requests } = exchange;
  const caller = await measureSignIn(request.headers, authenticate(signIn, log));
  const signal = requests.begin(response);
  const meter = new Meter(caller, signIn.address);
  try {
    const operations = await readOperations(request, trustedDocuments(), meter);
    const { accept = '*/*' } = request.headers;
    const asked = new graphql.fetchAPI.Request('http://slipway.invalid/graphql', {
      method: 'POST',
      headers: { accept },
    });
    const { publicUrl } = signIn;
    const answer = await graphql.handleRequest(asked, { caller, signal, publicUrl, meter, operations });
    await send(answer, response, meter);
  } catch (error) {
    for (const [name, value] of Object.entries(meter.headers)) response.setHeader(name, value);
    throw error;
  }
}

async function send(answer: Response, response: ServerResponse, meter: Meter): Promise<void> {
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
  const headers = { ...Object.fromEntries(answer.headers), ...meter.headers };
  if (type.includes('json')) {
    const text = await answer.text();
    response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
  } else {
    response.writeHead(answer.status, headers);
    await pipeline(Readable.from(answer.body ?? []), response).catch(() => {
      // The caller has gone: its signal has ended the work.
    });
  }
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

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExecutionResult } from 'graphql';
import { getSSEProcessor, isAsyncIterable, processRegularResult } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';
import { authenticate, challengesAfter } from '../sign-in/authenticate.ts';
import { refusal } from './answer.ts';
import { isLongBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { EdgeContext, GraphQLServer } from './graphql.ts';
import { measureSignIn } from './metrics.ts';
import { type Operation, readOperations, refusalOf } from './parameters.ts';
import { answerTo, type OperationResult } from './prepare.ts';
import { Meter } from './rate.ts';
import { isSignInFirst } from './strangers.ts';
import { trustedDocuments } from './trusted-documents.ts';
import { asSent, unreadAnswers } from './unread-answers.ts';

/** `POST /graphql`: one operation, or a batch of operations that run at the same time. */
export async function answerOperations(exchange: Exchange): Promise<void> {
  const { request, response, signIn, graphql, requests } = exchange;
  const caller = await measureSignIn(request.headers, authenticate(signIn));
  const underWay = requests.begin(response);
  const meter = new Meter(caller, signIn.address);
  const edge: EdgeContext = {
    caller,
    meter,
    publicUrl: signIn.publicUrl,
    isOverHttp: true,
    isLong: isLongBody(request),
    get signal() {
      return underWay.signal;
    },
  };
  try {
    const operations = await readOperations(request, caller, trustedDocuments(), meter);
    unreadAnswers.requireRoom(meter.payer);
    const result = Array.isArray(operations)
      ? await Promise.all(operations.map((one) => answerInBatch(graphql, one, edge)))
      : await answerTo(graphql, operations, edge);
    await send(exchange, result, meter);
  } catch (error) {
    for (const [name, value] of Object.entries(meter.headers)) response.setHeader(name, value);
    throw error;
  }
}

/** A document of a batch that may not run is refused alone. */
async function answerInBatch(
  graphql: GraphQLServer,
  operation: Operation,
  edge: EdgeContext,
): Promise<OperationResult> {
  const refused = refusalOf(operation);
  return refused ? { errors: [refused] } : await answerTo(graphql, operation, edge);
}

/**
 * How to sign in. Kerberos clients send a ticket only after a challenge. Browsers would ask for a password in a window
 * of their own after a challenge of Basic, so pages do not get it. Source: RFC 9110 §11.6.1, RFC 4559. Armada adds its
 * challenge to every unauthenticated reply.
 */
function challengesTo({ headers }: IncomingMessage, status: number): { 'www-authenticate'?: string[] } {
  if (status !== 401) return {};
  const isPage = headers['sec-fetch-site'] !== undefined;
  const offered = challengesAfter().filter((challenge) => !(isPage && challenge.startsWith('Basic ')));
  return { 'www-authenticate': offered };
}

const JSON_TYPES = ['application/json; charset=utf-8', 'application/graphql-response+json; charset=utf-8'];

/** By the `Accept` header, because most clients send the same one. Undefined if a client accepts no JSON. */
const jsonTypes = new LRUCache<string, { readonly accepted: string | undefined }>({ max: 100 });

function jsonTypeFor(request: IncomingMessage): string | undefined {
  const { accept = '*/*' } = request.headers;
  const known = jsonTypes.get(accept);
  if (known) return known.accepted;
  const accepted = new Negotiator(request).mediaType(JSON_TYPES);
  jsonTypes.set(accept, { accepted });
  return accepted;
}

const STREAM_TYPES = ['text/event-stream; charset=utf-8'];

/** The subscriptions of this server are Server-Sent Events, in the form of `graphql-sse`'s distinct connections. */
const toEvents = getSSEProcessor();

/** @throws GraphQLError with status 406 if the client accepts no form that this answer can have. */
async function send(
  { request, response, graphql }: Exchange,
  result: OperationResult | readonly OperationResult[],
  meter: Meter,
): Promise<void> {
  const jsonType = isAsyncIterable(result) ? undefined : jsonTypeFor(request);
  if (jsonType && isWithoutErrors(result)) {
    sendText(response, 200, { 'content-type': jsonType }, JSON.stringify(result), meter);
  } else if (jsonType) {
    const [mediaType = ''] = jsonType.split(';');
    const {
      status: ownStatus,
      headers,
      text,
    } = processRegularResult(result as ExecutionResult, plainAnswers, mediaType) as unknown as PlainAnswer;
    const status = Array.isArray(result) && result.every(isSignInFirst) ? 401 : ownStatus;
    const challenges = challengesTo(request, status);
    sendText(response, status, { ...headers, ...challenges }, text, meter);
  } else if (!Array.isArray(result) && new Negotiator(request).mediaType(STREAM_TYPES)) {
    const { status, headers, body } = await toEvents(result as ExecutionResult, graphql.fetchAPI, '');
    const challenges = challengesTo(request, status);
    response.writeHead(status, { ...Object.fromEntries(headers), ...meter.headers, ...challenges });
    await pipeline(Readable.from(body ?? []), response).catch(() => {
      // The client has disconnected, and its signal has ended the work.
    });
  } else
    throw refusal(
      'INVALID_ARGUMENT',
      'the answer is application/json, or text/event-stream for a subscription; accept one of them',
      { status: 406 },
    );
}

function sendText(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
  text: string,
  meter: Meter,
): void {
  const body = asSent(text);
  const length = { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...meter.headers, ...length }).end(body);
  unreadAnswers.holdUnsent(meter.payer, response);
}

/** Errors decide the status, and some of their extensions are not for clients. */
const isWithoutErrors = (result: OperationResult | readonly OperationResult[]): boolean =>
  !Array.isArray(result) && (result as ExecutionResult).errors === undefined;

/** What Yoga would put into a Response. */
class PlainAnswer {
  readonly text: string;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(text: string, { status, headers }: { status: number; headers: Record<string, string> }) {
    this.text = text;
    this.status = status;
    this.headers = headers;
  }
}
const plainAnswers = { Response: PlainAnswer } as unknown as GraphQLServer['fetchAPI'];

import type { IncomingMessage } from 'node:http';
import type { GraphQLError } from 'graphql';
import { type Ask, type Door, type DoorAnswer, DoorError, type DoorProblem } from '../doors/door.ts';
import { doors } from '../doors/doors.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { type ErrorCode, InvalidArgumentError, PermissionDeniedError } from '../platform/errors.ts';
import { log } from '../platform/log.ts';
import { authenticate, challengesAfter } from '../sign-in/authenticate.ts';
import { answerJson } from './answer.ts';
import { ask } from './ask.ts';
import { bodyLimitFor, isLongBody, readForm, readJson } from './body.ts';
import type { Exchange } from './exchange.ts';
import { measureSignIn } from './metrics.ts';
import { Meter } from './rate.ts';

/** The open door that a path belongs to. */
export function doorAt(path: string): Door | undefined {
  return serverConfig.doors.map((name) => doors[name]).find((door) => door.methodsAt(path).length > 0);
}

/**
 * Answers a call of another system's client. Its caller signs in with a header and never with a cookie, because such
 * protocols know no protection from foreign pages.
 */
export async function answerThroughDoor(door: Door, exchange: Exchange): Promise<void> {
  await answerAs(door, exchange, async () => {
    const { signIn } = exchange;
    const { cookie: _cookie, ...headers } = signIn.headers;
    return await measureSignIn(headers, authenticate({ ...signIn, headers }));
  });
}

/** @param identify  finds the caller of the call; null if it has none. */
export async function answerAs(
  door: Door,
  { request, response, url, signIn, graphql, requests }: Exchange,
  identify: () => Promise<Caller | null>,
): Promise<void> {
  const { publicUrl } = signIn;
  let meter: Meter | null = null;
  let answer: DoorAnswer;
  try {
    refusePages(request);
    const caller = await identify();
    const charged = new Meter(caller, signIn.address);
    meter = charged;
    const { signal } = requests.begin(response);
    const edge = {
      caller,
      signal,
      publicUrl,
      meter: charged,
      isOverHttp: false,
      isLong: isLongBody(request),
    };
    const askAsCaller: Ask = async (document, variables) => {
      const operation = { query: String(document), variables: variables as Record<string, unknown> };
      const { data, errors = [] } = await ask(graphql, operation, edge);
      if (errors[0]) throw doorError(errors[0]);
      return data as never;
    };
    answer = await door.answer({
      method: methodOf(request),
      path: url.pathname,
      query: url.searchParams,
      publicUrl,
      ask: askAsCaller,
      json: () => readJson(request, bodyLimitFor(caller), charged),
      form: () => readForm(request, bodyLimitFor(caller), charged),
    });
  } catch (error) {
    const refused = doorError(error);
    if (refused.code === 'INTERNAL') log.error({ err: error }, 'request failed');
    answer = door.refuse(refused);
    response.setHeaders(new Map(Object.entries(adviceOf(refused, error))));
  }
  for (const [name, value] of Object.entries(meter?.headers ?? {})) response.setHeader(name, value);
  const { status, headers = {}, body } = answer;
  if (body === undefined) response.writeHead(status, headers).end();
  else answerJson(response, status, body, headers);
}

const methodOf = ({ method = 'GET' }: IncomingMessage) => (method === 'HEAD' ? 'GET' : method);

/**
 * Some ways to sign in need no help of the page: browsers repeat Basic and Negotiate by themselves. So pages of other
 * origins, and our own pages too, cannot use a door.
 */
function refusePages({ headers: { origin, 'sec-fetch-site': site } }: IncomingMessage): void {
  if (origin !== undefined || (site !== undefined && site !== 'none'))
    throw new PermissionDeniedError('web pages must use /graphql, not the addresses of other systems');
}

function doorError(error: unknown): DoorError {
  if (error instanceof DoorError) return error;
  const problems = error instanceof InvalidArgumentError ? error.problems : null;
  const { message, extensions }: GraphQLError = shownError(error);
  const { code, redirectTo, retryAfterSeconds, path, http } = extensions as {
    readonly code: ErrorCode;
    readonly http?: { readonly status?: number };
    readonly redirectTo?: string;
    readonly retryAfterSeconds?: number;
    readonly path?: readonly string[];
  };
  const own: readonly DoorProblem[] = path ? [{ path, message }] : [];
  return new DoorError(code, message, {
    ...{ problems: problems ?? own, redirectTo, retryAfterSeconds },
    status: http?.status,
  });
}

/** How to sign in, or when to try again. */
function adviceOf({ code, retryAfterSeconds }: DoorError, error: unknown): Record<string, string | string[]> {
  if (code === 'UNAUTHENTICATED') return { 'www-authenticate': challengesAfter(error) };
  if (code === 'UNAVAILABLE' || code === 'RESOURCE_EXHAUSTED')
    return { 'retry-after': String(retryAfterSeconds ?? 1) };
  return {};
}

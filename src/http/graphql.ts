import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { type Context, newContext } from '../graphql/context.ts';
import { shownError } from '../graphql/errors.ts';
import { schema } from '../graphql/schema.ts';
import type { Caller } from '../platform/caller.ts';
import { config } from '../platform/config.ts';
import { log } from '../platform/log.ts';

/** What the edge knows of a request before GraphQL begins. */
export interface EdgeContext {
  readonly caller: Caller | null;
  readonly signal: AbortSignal;
  readonly publicUrl: string;
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
    batching: false,
    multipart: false,
    cors: config.corsOrigins.length > 0 && {
      origin: config.corsOrigins,
      credentials: false,
      methods: ['POST', 'OPTIONS'],
      allowedHeaders: ['authorization', 'content-type'],
      maxAge: 600,
    },
    // What goes wrong is logged once, where it is masked.
    logging: false,
    maskedErrors: { maskError: maskAndLog },
    context: (edge) => newContext(edge),
    plugins: [onlyJsonPosts(), ...limits(), introspectionForCallers()],
  });
}

function maskAndLog(error: unknown): Error {
  const shown = shownError(error);
  if (shown.extensions['code'] === 'INTERNAL') log.error({ err: error, path: shown.path }, 'request failed');
  return shown;
}

/** Depth, tokens, aliases and directives are bounded before anything is asked of the database. */
function limits(): Plugin[] {
  const refuse = (limit: string) => ({
    propagateOnRejection: true,
    onReject: [],
    errorMessage: limit,
  });
  return [
    maxTokensPlugin({ n: config.queryTokenLimit, ...refuse('tokens') }),
    maxDepthPlugin({
      n: config.queryDepthLimit,
      ignoreIntrospection: true,
      ...refuse('depth'),
    }),
    maxAliasesPlugin({ n: config.queryAliasLimit, ...refuse('aliases') }),
    maxDirectivesPlugin({
      n: config.queryDirectiveLimit,
      ...refuse('directives'),
    }),
  ] as unknown as Plugin[];
}

/** A stranger learns nothing of the schema. The rule is added or left out whole: verdicts are cached by rule names. */
function introspectionForCallers(): Plugin<object, EdgeContext> {
  return {
    onValidate({ addValidationRule, context }) {
      const { caller } = context as unknown as EdgeContext;
      if (!caller || !config.introspection) addValidationRule(NoSchemaIntrospectionCustomRule);
    },
  };
}

/**
 * The one form of a request: POST of one JSON object. GET is refused because queries may carry secrets and addresses are
 * logged everywhere; forms and plain text because a foreign page can send them without asking.
 */
function onlyJsonPosts(): Plugin<object, EdgeContext> {
  return {
    onRequestParse({ request, setRequestParser }) {
      if (request.method !== 'POST') throw httpError(405, 'GraphQL is asked with POST', { allow: 'POST' });
      const type = request.headers.get('content-type') ?? '';
      if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(type))
        throw httpError(415, 'the content type must be application/json');
      setRequestParser(async () => readParameters(await readBounded(request, config.bodyLimitBytes)));
    },
  };
}

async function readBounded(request: Request, limit: number): Promise<string> {
  const tooLarge = () => httpError(413, `a request has at most ${limit} bytes`, {}, 'RESOURCE_EXHAUSTED');
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readParameters(text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw httpError(400, 'the body is no JSON');
  }
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw httpError(400, 'the body must be one JSON object; batches are not taken');
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  if (typeof query !== 'string') throw httpError(400, 'the body needs a query');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
    throw httpError(400, 'variables must be a JSON object');
  if (operationName != null && typeof operationName !== 'string')
    throw httpError(400, 'operationName must be a text');
  return {
    query,
    operationName: operationName ?? undefined,
    variables: (variables as Record<string, unknown> | null) ?? undefined,
    extensions: (extensions as Record<string, unknown> | null) ?? undefined,
  };
}

function httpError(
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code = 'INVALID_ARGUMENT',
) {
  return new GraphQLError(message, {
    extensions: { code, http: { status, headers } },
  });
}

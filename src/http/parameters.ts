import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { config } from '../platform/config.ts';
import type { ErrorCode } from '../platform/errors.ts';

/**
 * The one form of a request: POST of one JSON object. GET is refused because queries may carry secrets and addresses are
 * logged everywhere; forms and plain text because a foreign page can send them without asking.
 */
export function onlyJsonPosts(): Plugin {
  return {
    onRequestParse({ request, setRequestParser }) {
      if (request.method !== 'POST') throw refusal(405, 'GraphQL is asked with POST', { allow: 'POST' });
      const type = request.headers.get('content-type') ?? '';
      if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(type))
        throw refusal(415, 'the content type must be application/json');
      setRequestParser(async () => readParameters(await readBounded(request, config.bodyLimitBytes)));
    },
  };
}

async function readBounded(request: Request, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = Number(request.headers.get('content-length') ?? 0);
  if (size <= limit) {
    size = 0;
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      // What is too much is read to its end and dropped: a sender reads no answer before it has sent all.
      if (size <= limit) chunks.push(chunk);
    }
  }
  if (size > limit)
    throw refusal(413, `a request has at most ${limit} bytes`, { connection: 'close' }, 'RESOURCE_EXHAUSTED');
  return Buffer.concat(chunks).toString('utf8');
}

function readParameters(text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw refusal(400, 'the body is no JSON');
  }
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw refusal(400, 'the body must be one JSON object; batches are not taken');
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  if (typeof query !== 'string') throw refusal(400, 'the body needs a query');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
    throw refusal(400, 'variables must be a JSON object');
  if (operationName != null && typeof operationName !== 'string')
    throw refusal(400, 'operationName must be a text');
  return {
    query,
    operationName: operationName ?? undefined,
    variables: (variables as Record<string, unknown> | null) ?? undefined,
    extensions: (extensions as Record<string, unknown> | null) ?? undefined,
  };
}

function refusal(
  status: number,
  message: string,
  headers: Record<string, string> = {},
  code: ErrorCode = 'INVALID_ARGUMENT',
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, headers } } });
}

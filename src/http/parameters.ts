import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { serverConfig } from '../platform/config/server.ts';
import type { ErrorCode } from '../platform/errors.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { settleBatch } from './costs.ts';
import type { EdgeContext } from './graphql.ts';
import type { TrustedDocuments } from './trusted-documents.ts';

/**
 * The one form of a request: POST of one JSON object, or of a list of them, a batch, whose operations run side by side
 * and are answered in their order. GET is refused because queries may carry secrets and addresses are
 * logged everywhere; forms and plain text because a foreign page can send them without asking.
 */
export function onlyJsonPosts(trusted: TrustedDocuments): Plugin {
  return {
    onRequestParse({ request, setRequestParser, serverContext }) {
      if (request.method !== 'POST') throw refusal(405, 'GraphQL is asked with POST', { allow: 'POST' });
      const type = request.headers.get('content-type') ?? '';
      if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(type))
        throw refusal(415, 'the content type must be application/json');
      setRequestParser(async () => {
        const body = parseBody(await readBounded(request, serverConfig.bodyLimitBytes));
        if (!Array.isArray(body)) return readParameters(body, trusted);
        const batch = readBatch(body, trusted);
        settleBatch(batch, (serverContext as unknown as EdgeContext).meter);
        return batch;
      });
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
  if (size > limit) {
    limitRefusals.inc({ limit: 'body' });
    throw refusal(413, `a request has at most ${limit} bytes`, { connection: 'close' }, 'RESOURCE_EXHAUSTED');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(400, 'the body is no JSON');
  }
}

function readBatch(bodies: readonly unknown[], trusted: TrustedDocuments) {
  if (bodies.length === 0) throw refusal(400, 'the batch is empty');
  if (bodies.length > serverConfig.batchLimit) {
    limitRefusals.inc({ limit: 'batch' });
    throw refusal(400, `a batch has at most ${serverConfig.batchLimit} operations`, {}, 'RESOURCE_EXHAUSTED');
  }
  return bodies.map((body) => readParameters(body, trusted));
}

function readParameters(body: unknown, trusted: TrustedDocuments) {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw refusal(400, 'the body must be a JSON object, or a list of them');
  const { query, documentId, operationName, variables, extensions } = body as Record<string, unknown>;
  if (query != null && typeof query !== 'string') throw refusal(400, 'the query must be a text');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
    throw refusal(400, 'variables must be a JSON object');
  if (operationName != null && typeof operationName !== 'string')
    throw refusal(400, 'operationName must be a text');
  if (extensions != null && (typeof extensions !== 'object' || Array.isArray(extensions)))
    throw refusal(400, 'extensions must be a JSON object');
  return {
    query: trusted.textOf({ query, documentId, extensions }),
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

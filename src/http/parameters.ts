import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Caller } from '../platform/caller.ts';
import { serverConfig } from '../platform/config/server.ts';
import { limitRefusals } from '../platform/metrics.ts';
import { refusal, withoutStatus } from './answer.ts';
import { bodyLimitFor, readJson } from './body.ts';
import { settleBatch } from './costs.ts';
import type { Meter } from './rate.ts';
import type { DocumentReference, TrustedDocuments } from './trusted-documents.ts';
import { LONG_DOCUMENT_CHARACTERS, turns } from './turns.ts';

/** One operation of a request. */
export type Operation = ReturnType<typeof readParameters>;

/**
 * The operations of a request. A request must be a POST with one JSON object, or with a list of JSON objects (a batch),
 * whose operations run at the same time and are answered in their order. GET is refused, because queries may contain
 * secrets and URLs are logged everywhere.
 *
 * @throws GraphQLError
 */
export async function readOperations(
  request: IncomingMessage,
  caller: Caller | null,
  trusted: TrustedDocuments,
  meter: Meter,
): Promise<Operation | Operation[]> {
  const body = await readJson(request, bodyLimitFor(caller), meter);
  if (!Array.isArray(body)) return readParameters(body, trusted);
  const batch = readBatch(body, trusted);
  if (charactersIn(batch) > LONG_DOCUMENT_CHARACTERS) await turns.begin(meter.owner);
  settleBatch(batch, meter);
  return batch;
}

const charactersIn = (batch: readonly Operation[]) => batch.reduce((sum, { query }) => sum + query.length, 0);

const wrong = (message: string) => refusal('INVALID_ARGUMENT', message);

function readBatch(bodies: readonly unknown[], trusted: TrustedDocuments) {
  if (bodies.length === 0) throw wrong('the batch is empty');
  if (bodies.length > serverConfig.batchLimit) {
    limitRefusals.inc({ limit: 'batch' });
    throw refusal('RESOURCE_EXHAUSTED', `a batch must have at most ${serverConfig.batchLimit} operations`, {
      status: 400,
    });
  }
  return bodies.map((body) => readParameters(body, trustedOrRefused(trusted)));
}

/** In a batch, a document that is not trusted is refused alone, with its error in its place of the list. */
const trustedOrRefused = (trusted: TrustedDocuments) => ({
  textOf(reference: DocumentReference): string | GraphQLError {
    try {
      return trusted.textOf(reference);
    } catch (error) {
      const isForeign = error instanceof GraphQLError && error.extensions['code'] !== 'INVALID_ARGUMENT';
      if (isForeign) return withoutStatus(error);
      throw error;
    }
  },
});

function readParameters(
  body: unknown,
  trusted: { textOf(reference: DocumentReference): string | GraphQLError },
) {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw wrong('the body must be a JSON object or a list of JSON objects');
  const { query, documentId, operationName, variables, extensions } = body as Record<string, unknown>;
  if (query != null && typeof query !== 'string') throw wrong('the query must be a text');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables)))
    throw wrong('variables must be a JSON object');
  if (operationName != null && typeof operationName !== 'string') throw wrong('operationName must be a text');
  if (extensions != null && (typeof extensions !== 'object' || Array.isArray(extensions)))
    throw wrong('extensions must be a JSON object');
  const text = trusted.textOf({ query, documentId, extensions });
  const operation = {
    // Of a refused document, this is never run.
    query: typeof text === 'string' ? text : '{ __typename }',
    operationName: operationName ?? undefined,
    variables: (variables as Record<string, unknown> | null) ?? undefined,
    extensions: (extensions as Record<string, unknown> | null) ?? undefined,
  };
  if (typeof text !== 'string') refusals.set(operation, text);
  return operation;
}

/** The answers to operations of a batch whose documents may not run. */
const refusals = new WeakMap<object, GraphQLError>();

export const refusalOf = (operation: object): GraphQLError | undefined => refusals.get(operation);

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getOperationAST } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { Gauge } from 'prom-client';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { pool } from '../platform/database/client.ts';
import { DomainError } from '../platform/errors.ts';
import { listen } from '../platform/listen.ts';
import { log } from '../platform/log.ts';
import {
  httpRequests,
  httpSeconds,
  operationErrors,
  operationSeconds,
  operations,
  registry,
  signIns,
} from '../platform/metrics.ts';
import { refusal } from './answer.ts';
import { createListener } from './listener.ts';
import type { Route } from './routes.ts';

export interface MetricsServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * `GET /metrics` for Prometheus. It has its own port and address, so that callers of the API need not be able to reach
 * it.
 *
 * @returns null if it cannot listen there, because a server without metrics is better than none.
 */
export async function startMetricsServer(options: {
  readonly host: string;
  readonly port: number;
}): Promise<MetricsServer | null> {
  const server = createListener({ requestTimeout: 10_000, headersTimeout: 5_000 }, answerMetrics);
  let bound: AddressInfo;
  try {
    bound = await listen(server, options, { host: 'METRICS_HOST', port: 'METRICS_PORT' });
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'cannot serve metrics');
    return null;
  }
  const { address, family, port } = bound;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`;
  log.info({ url }, 'serving metrics');
  return {
    url,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.split('?')[0] !== '/metrics') throw refusal('NOT_FOUND', 'this address does not exist');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw refusal('INVALID_ARGUMENT', 'read metrics with GET', {
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  const text = await registry.metrics();
  response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : text);
}

new Gauge({
  name: 'slipway_database_connections',
  help: 'Connections of the pool that are idle or busy, and the number of callers that wait for one.',
  labelNames: ['state'],
  registers: [registry],
  collect() {
    this.set({ state: 'idle' }, pool.idleCount);
    this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
    this.set({ state: 'waiting' }, pool.waitingCount);
  },
});

/** Counts a request when its answer ends. */
export function measureRequest(response: ServerResponse, route: Route['label']): void {
  const measured = httpSeconds.startTimer({ route });
  response.once('close', () => {
    measured();
    const status = response.writableFinished ? `${Math.floor(response.statusCode / 100)}xx` : 'cut';
    httpRequests.inc({ route, status });
  });
}

/** Counts the result of a sign-in and returns it. */
export async function measureSignIn(
  headers: IncomingHttpHeaders,
  signIn: Promise<Caller | null>,
): Promise<Caller | null> {
  try {
    const caller = await signIn;
    signIns.inc({ method: caller?.method ?? 'NONE', outcome: 'OK' });
    return caller;
  } catch (error) {
    const [scheme = ''] = (headers.authorization ?? '').split(' ', 1);
    const known =
      scheme === '' && headers.cookie
        ? 'COOKIE'
        : { basic: 'BASIC', bearer: 'BEARER', negotiate: 'NEGOTIATE', dpop: 'DPOP' }[scheme.toLowerCase()];
    const outcome = error instanceof DomainError ? error.code : 'INTERNAL';
    signIns.inc({ method: known ?? 'OTHER', outcome });
    throw error;
  }
}

/** Counts operations by their result. It must come before all plugins that can refuse an operation. */
export function measuredOperations(): Plugin {
  return {
    onExecute({ args }) {
      const type = getOperationAST(args.document, args.operationName)?.operation ?? 'query';
      const measured = measureOperation(type);
      return { onExecuteDone: ({ result }) => measured(isAsyncIterable(result) ? {} : result) };
    },
    onSubscribe() {
      const measured = measureOperation('subscription');
      return { onSubscribeResult: ({ result }) => measured(isAsyncIterable(result) ? {} : result) };
    },
    onParse:
      () =>
      ({ result }) => {
        if (result instanceof Error) count('refused', { errors: [result] });
      },
    onValidate:
      () =>
      ({ result }) => {
        if (result.length > 0) count('refused', { errors: result });
      },
  };
}

interface Failures {
  readonly errors?: readonly Error[];
}

/** Begins to measure an operation. @returns what must be told its result, with errors that are not masked yet. */
export function measureOperation(type: string): (result: Failures) => void {
  const measured = operationSeconds.startTimer({ type });
  return (result) => {
    measured();
    count(type, result);
  };
}

function count(type: string, { errors = [] }: Failures): void {
  // Errors are masked later. An error without a code is a refusal of GraphQL itself.
  const codes = errors.map((error) => String(shownError(error).extensions['code'] ?? 'INVALID_ARGUMENT'));
  operations.inc({ type, outcome: codes[0] ?? 'OK' });
  for (const code of codes) operationErrors.inc({ code });
}

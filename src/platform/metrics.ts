import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * All metrics of this process. Labels come from lists in our code, never from a caller: if strangers could choose
 * labels, they could fill our memory. Our metrics begin with `slipway_`; the metrics of Node do not.
 */
export const registry = new Registry();
collectDefaultMetrics({ register: registry });

const registers = [registry];
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const httpRequests = new Counter({
  name: 'slipway_http_requests_total',
  help: 'Requests by route and class of status, such as 2xx, or `cut` if the caller disconnected first.',
  labelNames: ['route', 'status'],
  registers,
});

export const httpSeconds = new Histogram({
  name: 'slipway_http_request_duration_seconds',
  help: 'Seconds from a request to the end of its answer. Subscriptions and long polls take long.',
  labelNames: ['route'],
  buckets: seconds,
  registers,
});

export const operations = new Counter({
  name: 'slipway_graphql_operations_total',
  help: 'Operations by type and outcome: OK, or the code of the first top-level error.',
  labelNames: ['type', 'outcome'],
  registers,
});

export const operationSeconds = new Histogram({
  name: 'slipway_graphql_operation_duration_seconds',
  help: 'Seconds that queries and mutations took, and that subscriptions took to open.',
  labelNames: ['type'],
  buckets: seconds,
  registers,
});

export const operationErrors = new Counter({
  name: 'slipway_graphql_errors_total',
  help: 'Top-level errors by code. Refusals are PERMISSION_DENIED, UNAUTHENTICATED and, for hidden objects, NOT_FOUND.',
  labelNames: ['code'],
  registers,
});

export const openSubscriptions = new Gauge({
  name: 'slipway_subscriptions_open',
  help: 'Subscriptions that are open now.',
  registers,
});

export const signIns = new Counter({
  name: 'slipway_sign_ins_total',
  help: 'Attempts to sign in, for a request or an operation, by method and outcome: OK, or the code of the refusal.',
  labelNames: ['method', 'outcome'],
  registers,
});

export const limitRefusals = new Counter({
  name: 'slipway_limit_refusals_total',
  help: 'Requests and operations that were refused because a limit was reached, by limit.',
  labelNames: ['limit'],
  registers,
});

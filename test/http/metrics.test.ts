/** The metrics for Prometheus: they count what happened, and no caller can choose a label. */
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MetricsServer, measureSignIn, startMetricsServer } from '../../src/http/metrics.ts';
import { UnauthenticatedError } from '../../src/platform/errors.ts';
import { type App, basic, startApp } from '../support/app.ts';
import { eventually } from '../support/seed.ts';
import { overWebSocket } from '../support/watch.ts';

let app: App;
let metrics: MetricsServer;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  const started = await startMetricsServer({ host: '127.0.0.1', port: 0 });
  if (!started) throw new Error('no metrics');
  metrics = started;
});
afterAll(async () => {
  await metrics.stop();
  await app.stop();
});

/** The values by name and labels, as in the text. */
async function read(): Promise<Map<string, number>> {
  const text = await (await fetch(metrics.url)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** How much each value grew while `work` ran, after everything that followed from it was counted. */
async function growth(work: () => Promise<unknown>, expected: Record<string, number>) {
  const before = await read();
  await work();
  const grown = async () => {
    const after = await read();
    return Object.fromEntries(
      Object.keys(expected).map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)]),
    );
  };
  await eventually(grown, (now) => JSON.stringify(now) === JSON.stringify(expected));
  expect(await grown()).toEqual(expected);
}

describe('GET /metrics', () => {
  it('counts requests by route and class of status', async () => {
    await growth(
      async () => {
        await app.ask('{ viewer { id } }');
        await fetch(`${app.url}/health/alive`);
        await fetch(`${app.url}/blobs/x`);
        await fetch(`${app.url}/some/secret/place?token=hush`);
      },
      {
        'slipway_http_requests_total{route="graphql",status="2xx"}': 1,
        'slipway_http_requests_total{route="health",status="2xx"}': 1,
        'slipway_http_requests_total{route="blobs",status="4xx"}': 1,
        'slipway_http_requests_total{route="other",status="4xx"}': 1,
        'slipway_http_request_duration_seconds_count{route="graphql"}': 1,
      },
    );
  });

  it('sorts requests by time, from 5 ms to 30 s', async () => {
    await app.ask('{ viewer { id } }');
    const form = /^slipway_http_request_duration_seconds_bucket\{le="(.*)",route="graphql"\}$/;
    const buckets = [...(await read()).keys()].flatMap((name) => form.exec(name)?.[1] ?? []);
    const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    expect(buckets).toEqual([...seconds.map(String), '+Inf']);
  });

  it('counts operations by type and outcome, over HTTP and WebSocket', async () => {
    await growth(
      async () => {
        await app.ask('{ viewer { id } }');
        await overWebSocket(app, '{ viewer { id } }');
        await app.ask('{ viewer { id } }', {}, null);
        await app.ask('{ nothing }');
        await app.ask('{');
        await app.ask(
          'mutation { terminateExecution(input: { by: { id: "x" }, cause: "x" }) { __typename } }',
        );
        await overWebSocket(app, 'subscription { executionEvents(by: { id: "x" }) { id } }');
      },
      {
        'slipway_graphql_operations_total{type="query",outcome="OK"}': 2,
        'slipway_graphql_operations_total{type="refused",outcome="UNAUTHENTICATED"}': 1,
        'slipway_graphql_operations_total{type="refused",outcome="INVALID_ARGUMENT"}': 2,
        'slipway_graphql_operations_total{type="mutation",outcome="NOT_FOUND"}': 1,
        'slipway_graphql_operations_total{type="subscription",outcome="NOT_FOUND"}': 1,
        'slipway_graphql_errors_total{code="UNAUTHENTICATED"}': 1,
        'slipway_graphql_operation_duration_seconds_count{type="query"}': 2,
      },
    );
  });

  it('counts sign-ins by method and outcome', async () => {
    const { username, password } = app.secrets.administrator;
    await growth(
      async () => {
        await app.ask('{ viewer { id } }');
        await app.ask('{ viewer { id } }', {}, basic(username, password));
        await app.ask('{ viewer { id } }', {}, basic(username, 'wrong'));
        await app.ask('{ viewer { id } }', {}, 'Bearer wrong');
        await app.ask('{ viewer { id } }', {}, 'Made-Up-By-A-Stranger x');
        await app.ask('{ viewer { id } }', {}, null);
      },
      {
        'slipway_sign_ins_total{method="TOKEN",outcome="OK"}': 1,
        'slipway_sign_ins_total{method="PASSWORD",outcome="OK"}': 1,
        'slipway_sign_ins_total{method="BASIC",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="BEARER",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="OTHER",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="NONE",outcome="OK"}': 1,
      },
    );
  });

  it('counts sign-ins by a cookie only where no header takes its place', async () => {
    const cookie = 'slipway_session=x';
    const refused = (headers: IncomingHttpHeaders) =>
      measureSignIn(headers, Promise.reject(new UnauthenticatedError())).catch(() => null);
    await growth(
      async () => {
        await refused({ cookie });
        await refused({ cookie, authorization: 'Negotiate x' });
        await refused({});
        await measureSignIn({}, Promise.reject(new Error('a fault of ours'))).catch(() => null);
      },
      {
        'slipway_sign_ins_total{method="COOKIE",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="NEGOTIATE",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="OTHER",outcome="UNAUTHENTICATED"}': 1,
        'slipway_sign_ins_total{method="OTHER",outcome="INTERNAL"}': 1,
      },
    );
  });

  it('counts requests that limits refuse', async () => {
    const dear = `{ executions(filter: { project: "p", domain: "d" }, first: 1000) { edges { node {
      nodeExecutions(first: 1000) { edges { node { id } } } } } } }`;
    await growth(
      async () => {
        await app.ask(dear);
        await app.ask(`{ ${'version { version } '.repeat(1300)} }`);
      },
      {
        'slipway_limit_refusals_total{limit="cost"}': 1,
        'slipway_limit_refusals_total{limit="tokens"}': 1,
        'slipway_graphql_operations_total{type="query",outcome="RESOURCE_EXHAUSTED"}': 1,
      },
    );
  });

  it('reports the pool and the process', async () => {
    const figures = await read();
    for (const state of ['idle', 'busy', 'waiting'])
      expect(figures.get(`slipway_database_connections{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    expect(figures.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect(figures.get('slipway_subscriptions_open')).toBe(0);
  });

  it('has no label with values that callers sent', async () => {
    await app.ask('query Chosen_By_A_Caller { viewer { chosenByACaller } }');
    await fetch(`${app.url}/graphql/chosen-by-a-caller`, { method: 'CHOSEN' }).catch(() => null);
    const text = await (await fetch(metrics.url)).text();
    expect(text).not.toMatch(/chosen|secret|hush|Made-Up|admin/i);
  });

  it('is served on its own port only, which serves nothing else', async () => {
    expect((await fetch(`${app.url}/metrics`)).status).toBe(404);
    expect((await fetch(metrics.url.replace('/metrics', '/graphql'))).status).toBe(404);
    expect((await fetch(metrics.url, { method: 'POST' })).status).toBe(405);
    const asked = await fetch(metrics.url, { method: 'HEAD' });
    expect([asked.status, await asked.text()]).toEqual([200, '']);
    expect((await fetch(`${metrics.url}?name=up`)).status).toBe(200);
    const { headers } = await fetch(metrics.url);
    expect(headers.get('content-type')).toContain('text/plain');
  });

  it('is not served when its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const bound = other.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    expect(await startMetricsServer({ host: '127.0.0.1', port })).toBeNull();
    await new Promise((resolve) => other.close(resolve));
  });
});

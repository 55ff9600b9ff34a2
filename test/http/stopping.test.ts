/** A server that is told to stop: what was under way ends well, what comes is refused, and everyone learns why. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, type GraphQLAnswer, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { announce } from '../support/upload.ts';
import { eventually } from '../support/waiting.ts';
import { eventsDocument, overSse, socketClient } from '../support/watch.ts';

interface Outcome {
  longPoll: GraphQLAnswer;
  events: { data?: object; errors?: { extensions: { code: string } }[] }[];
  socketClosed: { code: number; reason: string };
  /** All that came back on a connection that was in the middle of an upload, and asked more. */
  upload: string;
}
let app: App;
let outcome: Outcome;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'stopping');
  await registerTask(app, 'stopping', 'double');
  await registerWorkflow(app, 'stopping', 'flow', { first: [] });
  const id = await launch(app, 'stopping', 'flow');
  const content = Buffer.alloc(1000, 'x');
  const { uploadUrl } = await announce(app, 'stopping', content);

  const longPoll = app.ask(
    `mutation {
       leaseJobs(input: { executor: "waiting", knownRuns: [], maxJobs: 1, wait: "PT20S" }) {
         ... on LeaseJobsPayload { runs { id } }
       }
     }`,
    {},
    app.executor,
  );
  const watch = overSse(app, eventsDocument, { id });
  const events = [(await watch.next()).value];
  const rest = (async () => {
    for await (const event of watch) events.push(event);
  })();
  const client = socketClient(app);
  const socketClosed = new Promise<Outcome['socketClosed']>((resolve) => {
    client.on('closed', (event) => resolve(event as Outcome['socketClosed']));
  });
  const socketEvents = client.iterate({ query: eventsDocument, variables: { id } });
  await socketEvents.next();
  socketEvents.next().catch(() => {});

  const { hostname, port } = new URL(app.url);
  const raw = connect(Number(port), hostname);
  let upload = '';
  const rawClosed = once(raw, 'close');
  raw.setEncoding('utf8').on('data', (text) => {
    upload += text;
  });
  const path = uploadUrl.slice(app.url.length);
  raw.write(`PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n`);
  await once(raw, 'data');
  expect(upload).toMatch(/^HTTP\/1\.1 100 /);
  upload = '';
  raw.write(content.subarray(0, 500));
  await eventually(
    () => db.executor.count({ where: { name: 'waiting' } }),
    (count) => count === 1,
  );

  // The server would cut off at last who does not go. Nobody is there to be cut off.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const stopping = app.stop();
  await eventually(
    () => fetch(`${app.url}/health/alive`).catch(() => null),
    (answer) => answer === null,
  );
  raw.write(content.subarray(500));
  raw.write('GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n');
  raw.write(
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
  );
  await stopping;
  vi.useRealTimers();
  await Promise.all([rest, rawClosed]);
  outcome = {
    longPoll: await longPoll,
    events,
    socketClosed: await socketClosed,
    upload,
  };
  await client.dispose();
});

describe('a server that stops', () => {
  it('answers a long poll at once', () => {
    expect(outcome.longPoll.errors).toBeUndefined();
    expect(outcome.longPoll.data.leaseJobs.runs).toEqual([]);
  });

  it('ends a subscription over SSE with a last result that says why', () => {
    expect(outcome.events[0]?.data).toBeTruthy();
    expect(outcome.events).toHaveLength(2);
    expect(outcome.events[1]?.errors?.[0]).toMatchObject({
      message: expect.stringContaining('stopping'),
      extensions: { code: 'UNAVAILABLE' },
    });
  });

  it('closes a WebSocket with a reason', () => {
    expect(outcome.socketClosed.code).toBe(1001);
    expect(outcome.socketClosed.reason).toContain('stopping');
  });

  it('finishes requests that are running', () => {
    expect(outcome.upload).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('reports that it is not ready, and refuses requests on open connections', () => {
    const [, ready, asked] = outcome.upload.split(/(?=HTTP\/1\.1 )/);
    expect(ready).toMatch(/^HTTP\/1\.1 503 [\s\S]*"stopping"/);
    expect(asked).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*UNAVAILABLE/);
  });

  it('accepts no new connection', async () => {
    await expect(fetch(`${app.url}/health/alive`)).rejects.toThrow();
  });
});

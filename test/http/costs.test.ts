/** The cost of operations and batches, for every way to send them, and what callers are told about it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { notifications } from '../../src/platform/database/notify.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

const LIMIT = 1000;
vi.hoisted(() => {
  process.env['QUERY_COST_LIMIT'] = '1000';
  process.env['BATCH_LIMIT'] = '4';
});

let app: App;
let id: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'costly');
  await registerTask(app, 'costly', 'double');
  await registerWorkflow(app, 'costly', 'flow', { first: [] });
  id = await launch(app, 'costly', 'flow');
});
afterAll(() => app.stop());

const document = `query ($n: Int!) { executions(filter: { project: "costly", domain: "development" }, first: $n) {
  edges { node { id nodeExecutions(first: $n) { edges { node { id } } } } } } }`;
/** 1 + n + n · (1 + n) */
const dear = { n: 50 };
const cheap = { n: 20 };
const cheapCost = 1 + 20 + 20 * 21;

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: app.admin, ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}
const first = async (events: AsyncGenerator<Answer>) => (await events.next()).value;

const refused = {
  message: `the operation can cost 2601, more than the limit of ${LIMIT}; ask for fewer rows at each level`,
  extensions: { code: 'RESOURCE_EXHAUSTED', cost: { requested: 2601, limit: LIMIT } },
};

describe('the cost of an operation', () => {
  it('is limited for each set of variables: a cheap call does not admit an expensive one with the same document', async () => {
    for (let round = 0; round < 2; round += 1) {
      const taken = await post({ query: document, variables: cheap });
      expect(taken.body.data.executions.edges).toHaveLength(1);
      // One execution without nodes: its list, itself, and its list of nodes.
      expect(taken.body.extensions.cost).toEqual({ requested: cheapCost, actual: 3, limit: LIMIT });
      const { body } = await post({ query: document, variables: dear });
      expect(body).toEqual({ errors: [refused], extensions: { cost: refused.extensions.cost } });
    }
  });

  it('is limited over Server-Sent Events and WebSocket too, with the same message', async () => {
    for (const ask of [
      (variables: Record<string, unknown>) => first(overSse(app, document, variables)),
      (variables: Record<string, unknown>) => overWebSocket(app, document, variables),
    ]) {
      const taken = await ask(cheap);
      expect(taken.data.executions.edges).toHaveLength(1);
      expect(taken.extensions.cost).toEqual({ requested: cheapCost, actual: 3, limit: LIMIT });
      expect((await ask(dear)).errors).toEqual([refused]);
    }
  });

  it('is checked before the database is asked for more than the caller', async () => {
    await post({ query: document, variables: dear });
    const { statements } = await countStatements(() => post({ query: document, variables: dear }));
    expect(statements.filter((text) => /executions|projects/.test(text))).toEqual([]);
    expect(statements.length).toBeLessThanOrEqual(1);
  });

  it('has the status of other refused documents when it is too high', async () => {
    const accept = 'application/graphql-response+json';
    const invalid = await post({ query: '{ nothing }' }, { accept });
    const tooDear = await post({ query: document, variables: dear }, { accept });
    expect([invalid.status, tooDear.status]).toEqual([400, 400]);
    expect((await post({ query: document, variables: dear })).status).toBe(
      (await post({ query: '{ nothing }' })).status,
    );
  });

  it('stops a subscription before its source opens when it is too high, and so does a missing sign-in', async () => {
    const dearEvents = `subscription ($id: ID!) { executionEvents(by: { id: $id }) { execution {
      nodeExecutions(first: 1000) { edges { node { id } } } } } }`;
    const cheapEvents = 'subscription ($id: ID!) { executionEvents(by: { id: $id }) { phase } }';
    const listen = vi.spyOn(notifications, 'on');
    const { statements } = await countStatements(async () => {
      for (const [text, authorization, code] of [
        [dearEvents, app.admin, 'RESOURCE_EXHAUSTED'],
        [dearEvents, null, 'UNAUTHENTICATED'],
        [cheapEvents, null, 'UNAUTHENTICATED'],
      ] as const) {
        for (const { errors } of [
          await first(overSse(app, text, { id }, authorization)),
          await overWebSocket(app, text, { id }, authorization),
        ])
          expect(errors[0].extensions.code).toBe(code);
      }
    });
    expect(statements).toEqual([]);
    expect(listen).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('is the cost of one event for a subscription, and is sent with the first event only', async () => {
    const events = (size: number) =>
      `subscription ($id: ID!) { executionEvents(by: { id: $id }) { phase execution { nodeExecutions(first: ${size}) {
         edges { node { taskExecutions(first: ${size}) { edges { node { id } } } } } } } } }`;
    const opened = overSse(app, events(10), { id });
    expect((await first(opened)).extensions.cost).toEqual({ requested: 1 + 1 + 11 + 110, limit: LIMIT });
    await app.ask(
      'mutation ($id: ID!) { terminateExecution(input: { by: { id: $id }, cause: "x" }) { __typename } }',
      { id },
    );
    expect((await first(opened)).extensions).toBeUndefined();
    await opened.return(undefined);
    expect((await overWebSocket(app, events(10), { id })).extensions.cost.requested).toBe(123);
  });
});

describe('the actual cost', () => {
  const costOf = async (query: string) => (await post({ query })).body.extensions.cost;

  it('is reported: the objects in the answer, and no more than the requested cost', async () => {
    expect(
      await costOf('{ projects { pageInfo { endCursor } edges { cursor node { id labels { key } } } } }'),
    ).toEqual({
      requested: 1 + 25 + 25 * (1 + 5),
      actual: 2,
      limit: LIMIT,
    });
    expect(await costOf('{ viewer { id } domains { id } }')).toEqual({
      requested: 7,
      actual: 4,
      limit: LIMIT,
    });
    expect(await costOf('{ __schema { queryType { name } } }')).toEqual({
      requested: 100,
      actual: 2,
      limit: LIMIT,
    });
    expect(await costOf('{ execution(by: { id: "none" }) { id } }')).toEqual({
      requested: 1,
      actual: 1,
      limit: LIMIT,
    });
  });

  it('is the requested cost for a mutation', async () => {
    const query = 'mutation { terminateExecution(input: { by: { id: "none" }, cause: "x" }) { __typename } }';
    expect(await costOf(query)).toEqual({ requested: 10, actual: 10, limit: LIMIT });
  });
});

describe('a batch', () => {
  const viewer = { query: '{ viewer { username } }' };

  it('is answered in order, each operation separately', async () => {
    const { status, body } = await post([
      viewer,
      { query: '{ nothing }' },
      {
        query: 'query ($n: Int!) { projects(first: $n) { edges { node { identifier } } } }',
        variables: { n: 2 },
      },
      { query: '{' },
    ]);
    expect(status).toBe(200);
    expect(body).toHaveLength(4);
    expect(body[0].data.viewer.username).toBe('admin');
    expect(body[0].extensions.cost).toEqual({ requested: 1, actual: 1, limit: LIMIT, batch: 6 });
    expect(body[1].errors[0].extensions.code).toBe('INVALID_ARGUMENT');
    expect(body[2].data.projects.edges[0].node.identifier).toBe('costly');
    expect(body[3].errors[0].extensions.code).toBe('INVALID_ARGUMENT');
  });

  it('is refused before it runs when its operations cost too much together', async () => {
    const launchToo = {
      query: `mutation { createExecution(input: { project: "costly", domain: "development", name: "batched",
        spec: { launchPlan: { key: { project: "costly", domain: "development", name: "flow", version: "v1" } } } }) { __typename } }`,
    };
    const before = await db.execution.count();
    const page = { query: document, variables: cheap };
    const { status, body } = await post([page, launchToo, page, page]);
    expect(status).toBe(400);
    const cost = { requested: 3 * cheapCost + 10, limit: LIMIT };
    expect(body.errors[0].extensions).toEqual({ code: 'RESOURCE_EXHAUSTED', cost });
    expect(await db.execution.count()).toBe(before);
    expect((await post([page, page])).body.map(({ data }: Answer) => data.executions.edges.length)).toEqual([
      1, 1,
    ]);
  });

  it('has at most BATCH_LIMIT operations', async () => {
    const { status, body } = await post(Array.from({ length: 5 }, () => viewer));
    expect(status).toBe(400);
    expect(body.errors[0]).toMatchObject({
      message: 'a batch must have at most 4 operations',
      extensions: { code: 'RESOURCE_EXHAUSTED' },
    });
  });

  it('cannot contain subscriptions', async () => {
    const subscription = { query: 'subscription { executionEvents(by: { id: "x" }) { id } }' };
    for (const accept of ['application/json', 'text/event-stream']) {
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, authorization: app.admin },
        body: JSON.stringify([viewer, subscription]),
      });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('a batch must not contain subscriptions');
    }
  });

  it('is refused as a whole when one of its operations is malformed', async () => {
    for (const wrong of [null, [], 'x', {}, { query: 1 }, { query: '{x}', variables: [] }]) {
      const { status, body } = await post([viewer, wrong]);
      expect(status).toBe(400);
      expect(body.errors[0].extensions.code).toBe('INVALID_ARGUMENT');
    }
  });

  it('is refused for each operation when it comes without a sign-in', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([viewer, viewer]),
    });
    const body = (await response.json()) as Answer;
    expect(body.map(({ errors }: Answer) => errors[0].extensions.code)).toEqual(
      Array(2).fill('UNAUTHENTICATED'),
    );
  });
});

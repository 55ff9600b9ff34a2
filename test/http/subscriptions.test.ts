/** Subscriptions at the edge: who may open one, how many there are, and when they end. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { notifications } from '../../src/platform/database/notify.ts';
import { openSubscriptions } from '../../src/platform/metrics.ts';
import { type App, startApp } from '../support/app.ts';
import { eventually, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { changeUser, newCaller, tokenOf } from '../support/users.ts';
import { eventsDocument, firstResult, overSse, overWebSocket, socketClient } from '../support/watch.ts';

vi.hoisted(() => {
  process.env['SUBSCRIPTION_LIMIT'] = '2';
});

let app: App;
let id: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'live');
  await registerTask(app, 'live', 'double');
  await registerWorkflow(app, 'live', 'flow', { first: [] });
  id = await launch(app, 'live', 'flow');
});
afterAll(() => app.stop());

const codeOf = (result: { errors?: { extensions: { code: string } }[] }) =>
  result.errors?.[0]?.extensions.code;
const countOpen = async () => (await openSubscriptions.get()).values[0]?.value;
const first = async (events: AsyncGenerator) => (await events.next()).value;

describe('a subscription', () => {
  it('sends no statement without a sign-in', async () => {
    const { result, statements } = await countStatements(async () => [
      codeOf(await first(overSse(app, eventsDocument, { id }, null))),
      codeOf(await overWebSocket(app, eventsDocument, { id }, null)),
    ]);
    expect(result).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(statements).toEqual([]);
  });

  it('is NOT_FOUND for a caller who cannot read the execution', async () => {
    const stranger = await newCaller();
    expect(codeOf(await first(overSse(app, eventsDocument, { id }, stranger)))).toBe('NOT_FOUND');
    expect(codeOf(await overWebSocket(app, eventsDocument, { id }, stranger))).toBe('NOT_FOUND');
  });

  it('closes its source at once when the client leaves, without waiting for an event', async () => {
    let listening = 0;
    const { on } = notifications;
    vi.spyOn(notifications, 'on').mockImplementation((...listener) => {
      const off = on.apply(notifications, listener);
      listening += 1;
      return () => {
        listening -= 1;
        off();
      };
    });
    const client = socketClient(app);
    const overSocket = client.iterate({ query: eventsDocument, variables: { id } });
    const overEvents = overSse(app, eventsDocument, { id });
    await Promise.all([overSocket.next(), overEvents.next()]);
    expect(listening).toBe(2);
    await Promise.all([overSocket.return?.(), overEvents.return(undefined)]);
    await eventually(
      async () => listening,
      (count) => count === 0,
    );
    await client.dispose();
    vi.restoreAllMocks();
  });

  it('counts against the limit as long as the client watches, over SSE and WebSocket', async () => {
    const events = overSse(app, eventsDocument, { id });
    expect((await first(events)).data.executionEvents.phase).toBe('QUEUED');
    const client = socketClient(app);
    const watch = client.iterate({ query: eventsDocument, variables: { id } });
    expect((await watch.next()).value?.data).toBeTruthy();
    expect(await countOpen()).toBe(2);

    expect(codeOf(await first(overSse(app, eventsDocument, { id })))).toBe('RESOURCE_EXHAUSTED');
    expect(codeOf(await overWebSocket(app, eventsDocument, { id }))).toBe('RESOURCE_EXHAUSTED');
    expect((await app.ask('{ viewer { id } }')).errors).toBeUndefined();
    expect((await overWebSocket(app, '{ viewer { id } }')).errors).toBeUndefined();

    // Nothing happens meanwhile that would wake the two.
    const opens = async () => codeOf(await overWebSocket(app, eventsDocument, { id })) === undefined;
    await watch.return?.();
    await eventually(opens, Boolean);
    await eventually(async () => {
      const again = client.iterate({ query: eventsDocument, variables: { id } });
      return codeOf((await again.next()).value as never) === undefined;
    }, Boolean);
    expect(await opens()).toBe(false);
    await events.return(undefined);
    await eventually(opens, Boolean);
    client.terminate();
    await eventually(async () => (await Promise.all([opens(), opens()])).every(Boolean), Boolean);
    await eventually(countOpen, (count) => count === 0);
  });

  it('does not count against the limit when it is refused', async () => {
    for (let tries = 0; tries < 5; tries += 1) {
      expect(codeOf(await overWebSocket(app, eventsDocument, { id: 'none' }))).toBe('NOT_FOUND');
      expect(codeOf(await overWebSocket(app, eventsDocument, { id, after: 'none' }))).toBe(
        'INVALID_ARGUMENT',
      );
    }
    expect(codeOf(await overWebSocket(app, eventsDocument, { id }))).toBeUndefined();
  });
});

describe('a WebSocket', () => {
  it('is refused with an invalid token', async () => {
    await expect(overWebSocket(app, '{ viewer { id } }', {}, 'Bearer nonsense')).rejects.toMatchObject({
      code: 4403,
    });
  });

  it('authenticates the caller again for each operation', async () => {
    const token = await tokenOf(app, await newCaller({ username: 'leaver' }));
    const client = socketClient(app, token);
    const query = '{ viewer { username } }';
    expect((await firstResult(client, query)).data.viewer.username).toBe('leaver');
    const watch = client.iterate({ query: '{ viewer { id } }' });
    await changeUser('leaver', { version: { increment: 1 } });
    expect(codeOf(await firstResult(client, query))).toBe('UNAUTHENTICATED');
    await watch.return?.();
    await client.dispose();
  });
});

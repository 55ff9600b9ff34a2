/** A subscription ends when its caller loses the right to it, and says why. Otherwise it continues. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordAccessChange } from '../../src/authorization/store/changes.ts';
import { pool } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { type SecondServer, startSecondServer } from '../support/second-server.ts';
import { eventually, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { changeUser, newUser, tokenOf, type User } from '../support/users.ts';
import { eventsDocument, overSse, socketClient } from '../support/watch.ts';

let app: App;
let second: SecondServer;
let id: string;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  second = await startSecondServer();
  projectId = await registerProject(app, 'watched');
  await registerTask(app, 'watched', 'double');
  await registerWorkflow(app, 'watched', 'flow', { first: [] });
  id = await launch(app, 'watched', 'flow');
});
afterAll(async () => {
  await second.stop();
  await app.stop();
});

interface Watch {
  /** All events after the first one, when the subscription has ended. */
  readonly rest: Promise<Answer[]>;
  readonly isOpen: () => boolean;
  close(): Promise<unknown>;
}

async function follow(events: AsyncIterator<Answer>, dispose: () => Promise<unknown>): Promise<Watch> {
  const first = await events.next();
  expect(first.value?.data?.executionEvents?.phase).toBe('QUEUED');
  let isOpen = true;
  const rest = (async () => {
    const results: Answer[] = [];
    for (let next = await events.next(); !next.done; next = await events.next()) results.push(next.value);
    isOpen = false;
    return results;
  })();
  rest.catch(() => {});
  return { rest, isOpen: () => isOpen, close: dispose };
}

const ways: Record<string, (authorization: string, url?: string) => Promise<Watch>> = {
  'Server-Sent Events': (authorization, url = app.url) => {
    const events = overSse({ url, admin: app.admin }, eventsDocument, { id }, authorization);
    return follow(events, () => Promise.resolve());
  },
  'a WebSocket': (authorization, url = app.url) => {
    const client = socketClient({ url, admin: app.admin }, authorization);
    const events = client.iterate({ query: eventsDocument, variables: { id } });
    return follow(events as AsyncIterator<Answer>, async () => client.dispose());
  },
};

/** Ends the right to it, and expects a last result that says why. */
async function expectEnd(watch: Watch, end: () => unknown, code: string): Promise<void> {
  await end();
  expect(await watch.rest).toMatchObject([{ errors: [{ extensions: { code } }] }]);
  await watch.close();
}

/**
 * Waits until all subscriptions have read all events and wait. A read asks for a connection one turn of the event loop
 * later, so a moment without a busy connection may be the moment between two reads.
 */
async function untilQuiet(): Promise<void> {
  let quiet = 0;
  await eventually(
    () => {
      const busy = pool.totalCount - pool.idleCount + pool.waitingCount;
      quiet = busy === 0 ? quiet + 1 : 0;
      return quiet;
    },
    (moments) => moments > 2,
  );
}

const reader = () => newUser({ role: 'USER', level: 'READ' });

const ends: [string, string, (key: User, token: string) => Promise<unknown>][] = [
  [
    'logout',
    'UNAUTHENTICATED',
    (_key, token) => app.ask('mutation { logout { ... on LogoutPayload { ended } } }', {}, token),
  ],
  [
    'the revocation of the access key',
    'UNAUTHENTICATED',
    ({ accessKey }) =>
      app.ask(
        'mutation ($input: RevokeCredentialsInput!) { revokeCredentials(input: $input) { __typename } }',
        {
          input: { by: { accessKey } },
        },
      ),
  ],
  [
    'a new password',
    'UNAUTHENTICATED',
    ({ username }) => changeUser(username, { version: { increment: 1 } }),
  ],
  [
    'disabling the user',
    'UNAUTHENTICATED',
    ({ username }) => changeUser(username, { disabledAt: new Date() }),
  ],
  [
    'a lower default',
    'NOT_FOUND',
    ({ username }) => changeUser(username, { defaultLevel: 'NO_PERMISSIONS' }),
  ],
  [
    'a grant that closes the project',
    'NOT_FOUND',
    ({ id: userId }) =>
      inTransaction(async (tx) => {
        const { tenantId } = await tx.user.findUniqueOrThrow({ where: { id: userId } });
        const grant = { tenantId, userId, resourceType: 'PROJECT' as const, resourceId: projectId };
        await tx.grant.create({ data: { id: newId(), ...grant, level: 'NO_PERMISSIONS' } });
        await recordAccessChange(tx, { tenantId, userId, kind: 'GRANT' });
      }),
  ],
];

describe.each(Object.keys(ways))('a subscription over %s', (way) => {
  const watch = (authorization: string, url?: string) => {
    const open = ways[way];
    if (!open) throw new Error(way);
    return open(authorization, url);
  };

  it.each(ends)('ends after %s with %s', async (_name, code, end) => {
    const key = await reader();
    const token = await tokenOf(app, key.authorization);
    await expectEnd(await watch(token), () => end(key, token), code);
  });

  it('ends on another server as well', async () => {
    const key = await reader();
    const token = await tokenOf(app, key.authorization);
    const watching = await watch(token, second.url);
    await expectEnd(
      watching,
      () => app.ask('mutation { logout { ... on LogoutPayload { ended } } }', {}, token),
      'UNAUTHENTICATED',
    );
  });

  it('ends when its token expires', async () => {
    const { authorization } = await reader();
    const token = await tokenOf(app, authorization, { expiresIn: 'PT60S' });
    stopClocks('Date', 'setTimeout', 'clearTimeout');
    await expectEnd(await watch(token), () => vi.advanceTimersByTime(61_000), 'UNAUTHENTICATED');
  });

  it('ends when its access key expires, also when the end was moved to an earlier time', async () => {
    const { authorization, accessKey } = await reader();
    stopClocks('Date', 'setTimeout', 'clearTimeout');
    const watching = await watch(authorization);
    const expiresAt = new Date(Date.now() + 60_000);
    await app.ask(
      'mutation ($input: EditCredentialsInput!) { editCredentials(input: $input) { __typename } }',
      {
        input: { by: { accessKey }, expiresAt },
      },
    );
    await untilQuiet();
    await expectEnd(watching, () => vi.advanceTimersByTime(61_000), 'UNAUTHENTICATED');
  });

  it('continues after changes that do not concern it', async () => {
    const key = await reader();
    const watching = await watch(key.authorization);
    await changeUser(key.username, { role: 'SUPERUSER' });
    const other = await reader();
    await changeUser(other.username, { disabledAt: new Date() });
    await untilQuiet();
    expect(watching.isOpen()).toBe(true);
    await expectEnd(watching, () => changeUser(key.username, { disabledAt: new Date() }), 'UNAUTHENTICATED');
  });

  it('ends with the sign-in of the administrator or of the user that it acts as', async () => {
    for (const who of ['actor', 'user']) {
      const [actor, user] = [await newUser({ role: 'ADMIN' }), await reader()];
      const { data } = await app.ask(
        `mutation { createTokenForUser(input: { user: { id: "${user.id}" } }) { ... on CreateTokenForUserPayload { token } } }`,
        {},
        actor.authorization,
      );
      const watching = await watch(`Bearer ${data.createTokenForUser.token}`);
      const { username } = who === 'actor' ? actor : user;
      await expectEnd(watching, () => changeUser(username, { disabledAt: new Date() }), 'UNAUTHENTICATED');
    }
  });
});

describe('many subscriptions', () => {
  it('of one sign-in are checked together: as many statements for 150 as for one', async () => {
    const costs: number[] = [];
    for (const count of [1, 150]) {
      const key = await reader();
      const client = socketClient(app, await tokenOf(app, key.authorization));
      const watches = await Promise.all(
        Array.from({ length: count }, () =>
          follow(
            client.iterate({ query: eventsDocument, variables: { id } }) as AsyncIterator<Answer>,
            async () => {},
          ),
        ),
      );
      await untilQuiet();
      const { result, statements } = await countStatements(async () => {
        await changeUser(key.username, { defaultLevel: 'NO_PERMISSIONS' });
        return await Promise.all(watches.map(({ rest }) => rest));
      });
      for (const all of result) expect(all.at(-1)?.errors?.[0].extensions.code).toBe('NOT_FOUND');
      costs.push(
        statements.filter((text) => /^select account\.|from executions as execution|from grants/.test(text))
          .length,
      );
      await client.dispose();
    }
    expect(costs[0]).toBeGreaterThanOrEqual(2);
    expect(costs[1]).toBe(costs[0]);
  });

  it('of many sign-ins are checked a few at a time, and all end', async () => {
    const watches = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { authorization } = await reader();
        const events = overSse(app, eventsDocument, { id }, authorization);
        return await follow(events, () => Promise.resolve());
      }),
    );
    await untilQuiet();
    let most = 0;
    const counting = setInterval(() => {
      most = Math.max(most, pool.totalCount - pool.idleCount + pool.waitingCount);
    }, 1);
    await inTransaction(async (tx) => {
      const { id: tenantId } = await tx.tenant.findFirstOrThrow({ where: { name: 'default' } });
      await tx.user.updateMany({ where: { defaultLevel: 'READ' }, data: { defaultLevel: null } });
      await recordAccessChange(tx, { tenantId, userId: null, kind: 'PRINCIPAL' });
    });
    const results = await Promise.all(watches.map(({ rest }) => rest));
    clearInterval(counting);
    for (const all of results) expect(all.at(-1)?.errors?.[0].extensions.code).toBe('NOT_FOUND');
    // Four checks, and the statements of the feed and the audit log in the meantime.
    expect(most).toBeLessThanOrEqual(7);
  });
});

describe('a database that does not answer', () => {
  it('ends no subscription, and holds back events until the rights are known again', async () => {
    const key = await reader();
    const watching = await ways['Server-Sent Events']?.(key.authorization);
    if (!watching) throw new Error('nothing to watch');
    // Without news, it would look only every five seconds, and then end with the failure of the database.
    await untilQuiet();
    const lost = Object.assign(new Error('Connection terminated'), { code: 'ECONNRESET' });
    const connect = pool.connect.bind(pool);
    // Whoever runs a statement asks with a callback; transactions and this test itself do not.
    const asked = vi
      .spyOn(pool, 'connect')
      .mockImplementation((done?: unknown) => (typeof done === 'function' ? done(lost) : connect()) as never);
    await eventually(
      () => asked.mock.calls.length,
      (count) => count > 3,
    );
    expect(watching.isOpen()).toBe(true);
    const connection = await pool.connect();
    await connection.query('update users set disabled_at = now() where id = $1', [key.id]);
    connection.release();
    asked.mockRestore();
    await eventually(
      async () => watching.isOpen(),
      (isOpen) => !isOpen,
    );
    expect(await watching.rest).toMatchObject([{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }]);
  });
});

/** Acting as another user, with headers or connection parameters. */
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { flushDenials } from '../../src/authorization/audit.ts';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { statementsOf } from '../support/statements.ts';
import { changeUser, newTenant, newUser, tokenOf, type User } from '../support/users.ts';
import { firstResult } from '../support/watch.ts';

let app: App;
let tenantId: string;
const people = new Map<string, User>();
const the = (name: string): User => {
  const found = people.get(name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await newTenant('elsewhere');
  const roles: readonly Role[] = ['ROOT', 'SYSTEM', 'ADMIN', 'SUPERUSER', 'USER', 'GUEST'];
  for (const role of roles) people.set(role, await newUser({ role }));
  people.set('stranger', await newUser({ role: 'USER', tenantId }));
});
afterAll(() => app.stop());

async function ask(
  document: string,
  authorization: string | null,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}), ...headers },
    body: JSON.stringify({ query: document }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

const impersonate = (user: string): Record<string, string> => ({ 'X-Slipway-Impersonate-As': user });
const actAs = (user: string): Record<string, string> => ({ 'X-Slipway-Act-As': user });
const viewer = '{ viewer { id role } }';
const register = 'mutation { registerProject(input: { identifier: "", name: "" }) { __typename } }';

describe('X-Slipway-Impersonate-As', () => {
  it.each(['ROOT', 'SYSTEM', 'ADMIN'])('gives %s the identity and the role of the user', async (role) => {
    const { authorization } = the(role);
    const answer = await ask(viewer, authorization, impersonate(the('USER').id));
    expect(answer.data.viewer).toEqual({ id: the('USER').id, role: 'USER' });
    const denied = await ask(register, authorization, impersonate(the('USER').id));
    expect(denied.errors[0].extensions.code).toBe('PERMISSION_DENIED');
    const allowed = await ask(register, authorization, impersonate(the('SUPERUSER').id));
    expect(allowed.data.registerProject.__typename).toBe('InvalidArgumentError');
  });

  it('accepts a user name, and the header name of ClearML', async () => {
    const { username, id: userId } = the('USER');
    const byName = await ask(viewer, app.admin, impersonate(username.toUpperCase()));
    const byAlias = await ask(viewer, app.admin, { 'X-Clearml-Impersonate-As': userId });
    expect([byName.data.viewer.id, byAlias.data.viewer.id]).toEqual([userId, userId]);
  });
});

describe('X-Slipway-Act-As', () => {
  it('gives the identity of the user, and keeps the role of the caller', async () => {
    const { id: userId } = the('USER');
    for (const headers of [actAs(userId), { 'X-Clearml-Act-As': userId }]) {
      expect((await ask(viewer, app.admin, headers)).data.viewer.id).toBe(userId);
      expect((await ask(register, app.admin, headers)).data.registerProject.__typename).toBe(
        'InvalidArgumentError',
      );
    }
  });
});

describe('either header', () => {
  const words = async (authorization: string, user: string, header = impersonate) => {
    const { status, errors } = await ask(viewer, authorization, header(user));
    return [status, errors?.[0].extensions.code, errors?.[0].message];
  };

  it('is refused with the same message to callers without the right, and for users that are absent, of a higher role or of another tenant', async () => {
    const refusal = [403, 'PERMISSION_DENIED', 'you may not act as this user'];
    for (const header of [impersonate, actAs]) {
      for (const role of ['SUPERUSER', 'USER', 'GUEST'])
        expect(await words(the(role).authorization, the('GUEST').id, header)).toEqual(refusal);
      for (const user of ['nobody', '', newId(), the('ROOT').id, the('SYSTEM').id, the('stranger').id])
        expect(await words(app.admin, user, header)).toEqual(refusal);
      expect(await words(the('SYSTEM').authorization, the('stranger').id, header)).toEqual(refusal);
      expect(await words(the('SYSTEM').authorization, the('ROOT').id, header)).toEqual(refusal);
    }
  });

  it('accepts users of other tenants from ROOT, by id and by `tenant/name`', async () => {
    const { id: userId, username } = the('stranger');
    for (const address of [userId, `elsewhere/${username}`, `ELSEWHERE/${username.toUpperCase()}`]) {
      const answer = await ask(viewer, the('ROOT').authorization, impersonate(address));
      expect(answer.data.viewer).toEqual({ id: userId, role: 'USER' });
    }
    expect((await words(the('ROOT').authorization, username))[0]).toBe(403);
    expect((await words(the('ROOT').authorization, `default/${username}`))[0]).toBe(403);
  });

  it('accepts `tenant/name` from every caller who can impersonate', async () => {
    const { id: userId, username } = the('USER');
    const answer = await ask(viewer, app.admin, impersonate(`default/${username}`));
    expect(answer.data.viewer.id).toBe(userId);
  });

  it('takes the same statements for an absent user as for a user of another tenant, cached or not', async () => {
    const { id: userId, username, authorization } = the('stranger');
    expect((await ask(viewer, authorization, {})).status).toBe(200);
    const sent = async (address: string) => {
      await ask(viewer, app.admin, {});
      const { statements } = await statementsOf(() => words(app.admin, address));
      return statements;
    };
    expect(await sent(userId)).toEqual(await sent(newId()));
    expect(await sent(userId)).toHaveLength(1);
    expect(await sent(username)).toEqual(await sent('nobody'));
    expect(await sent(`elsewhere/${username}`)).toEqual(await sent('nowhere/nobody'));
  });

  it('takes no statement from callers without the right', async () => {
    const authorization = await tokenOf(app, the('SUPERUSER').authorization);
    await words(authorization, the('GUEST').id);
    const { statements } = await statementsOf(() => words(authorization, newId()));
    expect(statements).toEqual([]);
  });

  it('does not reach a user whom an administrator of another tenant has reached', async () => {
    const theirs = await newUser({ role: 'ADMIN', tenantId });
    const { id: userId } = the('stranger');
    for (const { authorization } of [theirs, the('ROOT')])
      expect((await ask(viewer, authorization, impersonate(userId))).data.viewer.id).toBe(userId);
    await ask(viewer, app.admin, {});
    const { result, statements } = await statementsOf(() => words(app.admin, userId));
    expect([result[0], statements.length]).toEqual([403, 1]);
  });

  it('does not reach a user who was reached before and is disabled now', async () => {
    const { id: userId, username } = await newUser({ role: 'USER' });
    expect((await ask(viewer, app.admin, impersonate(userId))).data.viewer.id).toBe(userId);
    await changeUser(username, { disabledAt: new Date() });
    expect((await ask(viewer, app.admin, impersonate(userId))).errors[0].extensions.code).toBe(
      'PERMISSION_DENIED',
    );
  });

  it('records a refusal in the audit log with the actor, the action and the user', async () => {
    const { id: userId, username, authorization } = await newUser();
    const absent = newId();
    await words(authorization, the('GUEST').id);
    await words(app.admin, absent);
    await words(app.admin, 'nobody of that name', actAs);
    await flushDenials();
    const admin = await db.user.findFirstOrThrow({ where: { username: 'admin' } });
    const denied = (actorId: string, target: object) =>
      db.auditEvent.count({
        where: {
          action: 'session:impersonate',
          outcome: 'DENIED',
          code: 'PERMISSION_DENIED',
          actorId,
          ...target,
        },
      });
    expect(await denied(userId, { targetType: 'user', targetId: the('GUEST').id, actorName: username })).toBe(
      1,
    );
    expect(await denied(admin.id, { targetType: 'user', targetId: absent })).toBe(1);
    expect(await denied(admin.id, { targetType: 'user', targetName: 'nobody of that name' })).toBe(1);
  });

  it('is INVALID_ARGUMENT when both headers are sent', async () => {
    const { id: userId } = the('USER');
    const { status, errors } = await ask(viewer, app.admin, { ...impersonate(userId), ...actAs(userId) });
    expect([status, errors[0].extensions.code]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it('is UNAUTHENTICATED without a sign-in', async () => {
    const { status, errors } = await ask(viewer, null, impersonate(the('USER').id));
    expect([status, errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('cannot be repeated: a caller who acts as a user cannot impersonate another', async () => {
    const { data } = await ask(
      `mutation { createTokenForUser(input: { user: { id: "${the('ADMIN').id}" } }) { ... on CreateTokenForUserPayload { token } } }`,
      the('ROOT').authorization,
      {},
    );
    const token = `Bearer ${data.createTokenForUser.token}`;
    expect((await ask(viewer, token, {})).data.viewer.role).toBe('ADMIN');
    expect((await words(token, the('USER').id))[0]).toBe(403);
  });

  it('keeps the scopes of the sign-in', async () => {
    const { authorization } = await newUser({ role: 'ADMIN', scopes: ['execution:read'] });
    const { errors } = await ask(
      '{ projects { __typename } }',
      authorization,
      impersonate(the('SUPERUSER').id),
    );
    expect(errors[0].extensions.code).toBe('PERMISSION_DENIED');
    const scoped = async (scopes: string[]) => {
      const narrow = await newUser({ role: 'ADMIN', scopes });
      const answer = await ask(
        '{ projects { __typename } }',
        narrow.authorization,
        impersonate(the('USER').id),
      );
      return answer.errors?.[0].extensions.code ?? 'OK';
    };
    expect(await scoped(['token:createForOthers', 'project:list'])).toBe('OK');
    expect(await scoped(['token:validate', 'project:list'])).toBe('PERMISSION_DENIED');
  });

  it('creates keys and tokens of the user that record the real caller; login has the role of the user', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    const user = await newUser({ role: 'USER' });
    for (const header of [impersonate, actAs]) {
      const made = await ask(
        'mutation { createCredentials(input: { label: "made for" }) { ... on CreateCredentialsPayload { credential { id } } } }',
        admin.authorization,
        header(user.id),
      );
      const { credential } = made.data.createCredentials;
      expect(await db.credential.findUniqueOrThrow({ where: { id: credential.id } })).toMatchObject({
        userId: user.id,
      });
      const [event] = await db.auditEvent.findMany({ where: { targetId: credential.id } });
      expect(event).toMatchObject({
        actorId: user.id,
        realActorId: admin.id,
        realActorName: admin.username,
        credentialId: admin.credentialId,
      });
      const login = await ask(
        'mutation { login { ... on LoginPayload { token } } }',
        admin.authorization,
        header(user.id),
      );
      const token = `Bearer ${login.data.login.token}`;
      expect((await ask(register, token, {})).errors[0].extensions.code).toBe('PERMISSION_DENIED');
    }
    const token = await tokenOf(app, admin.authorization);
    expect(
      (await ask('mutation { logout { ... on LogoutPayload { ended } } }', token, impersonate(user.id))).data
        .logout.ended,
    ).toBe(true);
    expect((await ask(viewer, token, {})).status).toBe(401);
  });

  it('works over a WebSocket, in upper and lower case', async () => {
    const { id: userId } = the('USER');
    const query = async (parameters: Record<string, string>) => {
      const client = createClient({
        url: `${app.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: parameters,
      });
      try {
        return await firstResult(client, viewer);
      } finally {
        await client.dispose();
      }
    };
    const answer = await query({ Authorization: app.admin, 'X-Slipway-Impersonate-As': userId });
    expect(answer.data.viewer).toEqual({ id: userId, role: 'USER' });
    const lower = await query({ authorization: app.admin, 'x-slipway-act-as': userId });
    expect(lower.data.viewer.id).toBe(userId);
    const above = { Authorization: app.admin, 'X-Slipway-Impersonate-As': the('ROOT').id };
    await expect(query(above)).rejects.toMatchObject({ code: 4403 });
  });
});

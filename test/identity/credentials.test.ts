import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../src/generated/prisma/enums.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { flushKeyUses } from '../../src/sign-in/key-uses.ts';
import { type Answer, type App, basic, startApp } from '../support/app.ts';
import { stopClocks } from '../support/clock.ts';
import { countStatements, statementsOf } from '../support/statements.ts';
import { newTenant, newUser, tokenOf, type User } from '../support/users.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const fields = 'id accessKey label scopes expiresAt lastUsedAt lastUsedFrom createdAt revokedAt';
const errorFields = '... on Error { code path message }';

async function outcome(
  field: string,
  document: string,
  input: object,
  authorization: string,
): Promise<Answer> {
  const { data, errors } = await app.ask(document, { input }, authorization);
  return errors ? { refused: errors[0]?.extensions.code } : data[field];
}

const create = (authorization: string, input: object = {}) =>
  outcome(
    'createCredentials',
    `mutation ($input: CreateCredentialsInput!) { createCredentials(input: $input) {
       ... on CreateCredentialsPayload { accessKey secretKey credential { ${fields} } } ${errorFields} } }`,
    input,
    authorization,
  );
const edit = (
  authorization: string,
  { accessKey, ...input }: { accessKey: string; [change: string]: unknown },
) =>
  outcome(
    'editCredentials',
    `mutation ($input: EditCredentialsInput!) { editCredentials(input: $input) {
       ... on EditCredentialsPayload { credential { ${fields} } } ${errorFields} } }`,
    { by: { accessKey }, ...input },
    authorization,
  );
const revoke = (authorization: string, accessKey: string) =>
  outcome(
    'revokeCredentials',
    `mutation ($input: RevokeCredentialsInput!) { revokeCredentials(input: $input) {
       ... on RevokeCredentialsPayload { revoked credential { accessKey revokedAt } } ${errorFields} } }`,
    { by: { accessKey } },
    authorization,
  );

async function list(authorization: string, args = ''): Promise<Answer> {
  const { data, errors } = await app.ask(
    `{ credentials${args} { edges { node { ${fields} } } } }`,
    {},
    authorization,
  );
  if (errors) return { refused: errors[0]?.extensions.code };
  return data.credentials.edges.map((edge: Answer) => edge.node);
}

const statusOf = async (authorization: string) =>
  (await app.ask('{ viewer { id } }', {}, authorization)).status;
const someone = (role: Role, options: object = {}): Promise<User> => newUser({ role, ...options });

describe('createCredentials', () => {
  it('creates a key that signs in, shows the secret once, and stores the fields that are given', async () => {
    const { authorization } = await someone('USER');
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const made = await create(authorization, { label: 'laptop', expiresAt, scopes: ['execution:read'] });
    expect(made.accessKey).toMatch(/^[A-Z0-9]{30}$/);
    expect(made.secretKey).toMatch(/^[A-Za-z0-9][\w-]{66}$/);
    expect(made.credential).toMatchObject({ label: 'laptop', expiresAt, scopes: ['execution:read'] });
    expect(made.credential).toMatchObject({ accessKey: made.accessKey, lastUsedAt: null, revokedAt: null });
    expect(await statusOf(basic(made.accessKey, made.secretKey))).toBe(200);
    expect(await statusOf(basic(made.accessKey, `${made.secretKey}x`))).toBe(401);
    const listed = await list(authorization);
    expect(listed.map((one: Answer) => one.label)).toEqual(['laptop', null]);
    expect(JSON.stringify(listed)).not.toContain(made.secretKey);
  });

  it('creates keys for users that the configuration declares', async () => {
    const { authorization, id: userId } = await someone('USER');
    await db.user.update({ where: { id: userId }, data: { isFixed: true } });
    expect((await create(authorization)).accessKey).toBeTruthy();
  });

  it('reports every problem', async () => {
    const { authorization } = await someone('USER');
    const answer = await app.ask(
      `mutation ($input: CreateCredentialsInput!) { createCredentials(input: $input) {
         ... on InvalidArgumentError { problems { path } } } }`,
      {
        input: {
          label: 'x'.repeat(256),
          expiresAt: '2020-01-01T00:00:00Z',
          scopes: ['project:read', 'project:fly'],
        },
      },
      authorization,
    );
    expect(answer.data.createCredentials.problems.map((problem: Answer) => problem.path.join('.'))).toEqual([
      'input.label',
      'input.expiresAt',
      'input.scopes.1',
    ]);
  });

  it('distinguishes no limit (null) from no scopes, in the API and in the table', async () => {
    const { authorization } = await someone('USER');
    const made = await create(authorization);
    expect(made.credential.scopes).toBeNull();
    expect(await create(authorization, { scopes: [] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'scopes'],
    });
    const stored = async () =>
      (await pool.query('select scopes from credentials where access_key = $1', [made.accessKey])).rows;
    expect(await stored()).toEqual([{ scopes: null }]);
    const empty = () =>
      pool.query("update credentials set scopes = '{}' where access_key = $1", [made.accessKey]);
    await expect(empty()).rejects.toThrow('credentials_scopes_name_some');
    // Older rows expressed "no limit" with an empty list, and they must still mean this.
    await pool.query('alter table credentials drop constraint credentials_scopes_name_some');
    await empty();
    const migrations = join(import.meta.dirname, '../../prisma/migrations');
    const [folder = ''] = readdirSync(migrations).filter((name) => name.endsWith('_scopes_or_no_limit'));
    await pool.query(readFileSync(join(migrations, folder, 'migration.sql'), 'utf8'));
    expect(await stored()).toEqual([{ scopes: null }]);
    await expect(empty()).rejects.toThrow('credentials_scopes_name_some');
  });

  it('refuses scopes beyond the sign-in, and uses the scopes of the sign-in when they are left out', async () => {
    const { authorization } = await someone('USER', {
      scopes: ['credential:create', 'execution:*', '*:read'],
    });
    expect(await create(authorization, { scopes: ['project:fly'] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(
      await create(authorization, { scopes: ['execution:terminate', 'project:read', '*:read'] }),
    ).toMatchObject({
      credential: { scopes: ['execution:terminate', 'project:read', '*:read'] },
    });
    expect(await create(authorization, { scopes: ['project:register'] })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    expect(await create(authorization, { scopes: ['project:*'] })).toEqual({ refused: 'PERMISSION_DENIED' });
    expect((await create(authorization)).credential.scopes).toEqual([
      'credential:create',
      'execution:*',
      '*:read',
    ]);
    const token = await tokenOf(app, authorization);
    expect(await create(token, { scopes: ['project:register'] })).toEqual({ refused: 'PERMISSION_DENIED' });
    const without = await someone('USER', { scopes: ['execution:read'] });
    expect(await create(without.authorization)).toEqual({ refused: 'PERMISSION_DENIED' });
  });

  it('refuses a token that is confined to resources', async () => {
    const { authorization, id: userId } = await someone('USER');
    const token = await tokenOf(app, authorization, { resources: [{ type: 'PROJECT', id: userId }] });
    expect(await create(token)).toEqual({ refused: 'PERMISSION_DENIED' });
  });

  it('allows the scopes of services for SYSTEM users only', async () => {
    const { username } = await someone('USER');
    expect(await create(app.admin, { user: { username }, scopes: ['executor'] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'scopes', '0'],
    });
    const made = await create(app.admin, { user: { username: 'local-executor' }, scopes: ['executor'] });
    expect(await statusOf(basic(made.accessKey, made.secretKey))).toBe(200);
  });

  it('lets administrators create keys for users of their tenant, but not for users with a higher role', async () => {
    const [user, root, system] = [await someone('USER'), await someone('ROOT'), await someone('SYSTEM')];
    const tenantId = await newTenant('keys elsewhere');
    const stranger = await someone('USER', { tenantId });
    expect((await create(app.admin, { user: { id: user.id } })).accessKey).toBeTruthy();
    expect((await create(app.admin, { user: { username: user.username } })).accessKey).toBeTruthy();
    expect(await create(app.admin, { user: { id: root.id } })).toEqual({ refused: 'PERMISSION_DENIED' });
    expect(await create(app.admin, { user: { id: system.id } })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    expect(await create(app.admin, { user: { id: system.id }, scopes: ['login-app'] })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    const absent = await create(app.admin, { user: { username: 'nobody-of-that-name' } });
    const hidden = await create(app.admin, { user: { id: stranger.id } });
    expect(absent).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'user'] });
    expect(hidden.message.replace(stranger.id, 'nobody-of-that-name')).toBe(absent.message);
    expect((await create(root.authorization, { user: { id: stranger.id } })).accessKey).toBeTruthy();
  });

  it('refuses other callers before it looks for the user', async () => {
    const [one, other] = [await someone('SUPERUSER'), await someone('USER')];
    await statusOf(one.authorization);
    for (const user of [
      { id: other.id },
      { username: other.username },
      { username: 'nobody-of-that-name' },
    ]) {
      const { result, statements } = await countStatements(() => create(one.authorization, { user }));
      expect(result).toEqual({ refused: 'PERMISSION_DENIED' });
      expect(statements.filter((text) => !text.includes('audit_events'))).toEqual([]);
    }
  });

  it('allows at most 100 keys, also when many calls create them at the same time', async () => {
    const { authorization, id: userId } = await someone('USER');
    await Promise.all(Array.from({ length: 8 }, () => create(authorization)));
    const rest = Array.from({ length: 86 }, (_, at) => ({ accessKey: `${at}`.padStart(30, 'K') }));
    const { tenantId } = await db.user.findUniqueOrThrow({ where: { id: userId } });
    await db.credential.createMany({
      data: rest.map((key) => ({ ...key, tenantId, userId, secretHash: new Uint8Array(32) })),
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(authorization)));
    expect(answers.filter((answer) => answer.accessKey)).toHaveLength(5);
    expect(answers.filter((answer) => answer.code === 'RESOURCE_EXHAUSTED')).toHaveLength(15);
    await revoke(authorization, answers.find((answer) => answer.accessKey).accessKey);
    expect((await create(authorization)).accessKey).toBeTruthy();
  });
});

describe('credentials', () => {
  it('lists the keys of the caller, or for an administrator the keys of a user of the tenant', async () => {
    const [one, other] = [await someone('USER'), await someone('USER')];
    const stranger = await someone('USER', { tenantId: await newTenant('lists elsewhere') });
    expect((await list(one.authorization)).map((key: Answer) => key.accessKey)).toEqual([one.accessKey]);
    expect(await list(app.admin, `(user: { id: "${other.id}" })`)).toHaveLength(1);
    expect(await list(app.admin, `(user: { username: "${other.username}" })`)).toHaveLength(1);
    expect(await list(one.authorization, `(user: { id: "${other.id}" })`)).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    expect(await list(one.authorization, '(user: { username: "nobody" })')).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    expect(await list(app.admin, `(user: { id: "${stranger.id}" })`)).toEqual({ refused: 'NOT_FOUND' });
    expect(await list(app.admin, '(user: { username: "nobody" })')).toEqual({ refused: 'NOT_FOUND' });
  });

  it('answers pages, newest first, and revoked keys only when the filter includes them', async () => {
    const { authorization } = await someone('USER');
    for (const label of ['b', 'c', 'd']) await create(authorization, { label });
    const labels = async (args: string) => (await list(authorization, args)).map((key: Answer) => key.label);
    expect(await labels('(first: 2)')).toEqual(['d', 'c']);
    expect(await labels('(last: 2)')).toEqual(['b', null]);
    const [newest] = await list(authorization);
    await revoke(authorization, newest.accessKey);
    expect(await labels('')).toEqual(['c', 'b', null]);
    expect(await labels('(withRevoked: true)')).toEqual(['d', 'c', 'b', null]);
  });

  it('shows when and from where a key was last used, updated at most once a minute and not by its tokens', async () => {
    const { authorization, credentialId, id: userId } = await someone('USER');
    const token = await tokenOf(app, authorization);
    await flushKeyUses();
    await db.credential.update({
      where: { id: credentialId },
      data: { lastUsedAt: null, lastUsedFrom: null },
    });
    await statusOf(token);
    await flushKeyUses();
    expect((await list(token))[0]).toMatchObject({ lastUsedAt: null });
    const made = await create(token);
    const ask = (worker?: string) =>
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: basic(made.accessKey, made.secretKey),
          ...(worker ? { 'x-slipway-worker': worker } : {}),
        },
        body: '{"query":"{ viewer { id } }"}',
      });
    const before = new Date();
    await ask('trainer:gpu-0');
    await flushKeyUses();
    const { statements } = await countStatements(async () => {
      await Promise.all([ask('another'), ask('another')]);
      await flushKeyUses();
    });
    expect(statements.filter((text) => text.startsWith('update'))).toEqual([]);
    const stamped = await db.credential.findFirstOrThrow({ where: { userId, accessKey: made.accessKey } });
    expect(stamped.lastUsedFrom).toBe('trainer:gpu-0');
    expect(stamped.lastUsedAt?.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(stamped.lastUsedAt?.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('shows the address when the program does not name itself', async () => {
    const unnamed: Record<string, string>[] = [{}, { 'x-slipway-worker': '' }, { 'x-slipway-worker': ' ' }];
    for (const headers of unnamed) {
      const { authorization, credentialId } = await someone('USER');
      const body = JSON.stringify({ query: '{ viewer { id } }' });
      const type = { 'content-type': 'application/json' };
      await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { ...type, authorization, ...headers },
        body,
      });
      await flushKeyUses();
      const { lastUsedFrom } = await db.credential.findUniqueOrThrow({ where: { id: credentialId } });
      expect(lastUsedFrom).toMatch(/127\.0\.0\.1$/);
    }
  });
});

describe('editCredentials', () => {
  it('changes label and expiry; a label that is left out is removed, an expiry that is left out is kept', async () => {
    const { authorization, accessKey } = await someone('USER');
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    expect((await edit(authorization, { accessKey, label: 'one', expiresAt })).credential).toMatchObject({
      label: 'one',
      expiresAt,
    });
    expect((await edit(authorization, { accessKey })).credential).toMatchObject({ label: null, expiresAt });
    // A key cannot extend its own life, but an administrator can.
    expect(await edit(authorization, { accessKey, expiresAt: null })).toEqual({
      refused: 'PERMISSION_DENIED',
    });
    expect((await edit(app.admin, { accessKey, expiresAt: null })).credential).toMatchObject({
      expiresAt: null,
    });
    expect(await edit(authorization, { accessKey, expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'expiresAt'],
    });
  });

  it('applies to the next request: an expired key is refused, and so are its tokens', async () => {
    const { authorization, accessKey } = await someone('USER');
    const token = await tokenOf(app, authorization);
    expect([await statusOf(authorization), await statusOf(token)]).toEqual([200, 200]);
    const expiresAt = new Date(Date.now() + 60_000);
    await edit(app.admin, { accessKey, expiresAt: expiresAt.toISOString() });
    expect([await statusOf(authorization), await statusOf(token)]).toEqual([200, 200]);
    stopClocks('Date');
    vi.setSystemTime(expiresAt);
    expect([await statusOf(authorization), await statusOf(token)]).toEqual([401, 401]);
  });
});

describe('revokeCredentials', () => {
  it('ends the key and its tokens at once, and no other key', async () => {
    const { authorization, accessKey } = await someone('USER');
    const other = await create(authorization);
    const token = await tokenOf(app, authorization);
    expect([await statusOf(authorization), await statusOf(token)]).toEqual([200, 200]);
    expect(await revoke(token, accessKey)).toMatchObject({ revoked: 1 });
    expect([await statusOf(authorization), await statusOf(token)]).toEqual([401, 401]);
    expect(await statusOf(basic(other.accessKey, other.secretKey))).toBe(200);
  });

  it('succeeds once when many calls revoke the key at the same time', async () => {
    const { authorization } = await someone('USER');
    const { accessKey, credential } = await create(authorization);
    const answers = await Promise.all(Array.from({ length: 10 }, () => revoke(authorization, accessKey)));
    expect(answers.filter((answer) => answer.revoked === 1)).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'NOT_FOUND')).toHaveLength(9);
    expect(
      await db.auditEvent.count({ where: { action: 'credential:revoke', targetId: credential.id } }),
    ).toBe(1);
  });

  it('answers the same for an unknown key and the key of another user', async () => {
    const [one, other] = [await someone('USER'), await someone('USER')];
    const unknown = 'A'.repeat(30);
    for (const ask of [revoke, (who: string, accessKey: string) => edit(who, { accessKey })]) {
      const absent = await ask(one.authorization, unknown);
      const hidden = await ask(one.authorization, other.accessKey);
      expect(absent).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'by'] });
      expect(hidden.message.replace(other.accessKey, unknown)).toBe(absent.message);
      const sent = async (accessKey: string) =>
        (await statementsOf(() => ask(one.authorization, accessKey))).statements;
      expect(await sent(other.accessKey)).toEqual(await sent(unknown));
    }
    expect(await statusOf(other.authorization)).toBe(200);
  });

  it('lets an administrator revoke keys of users and executors, but not keys of ROOT', async () => {
    const [user, root] = [await someone('USER'), await someone('ROOT')];
    const executor = await someone('SYSTEM', { scopes: ['executor'] });
    const stranger = await someone('USER', { tenantId: await newTenant('ends elsewhere') });
    expect(await revoke(app.admin, user.accessKey)).toMatchObject({ revoked: 1 });
    expect(await revoke(app.admin, executor.accessKey)).toMatchObject({ revoked: 1 });
    expect(await revoke(app.admin, root.accessKey)).toEqual({ refused: 'PERMISSION_DENIED' });
    expect(await revoke(app.admin, stranger.accessKey)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the audit log', () => {
  it('records each change of a key, and no secret', async () => {
    const { authorization, id: userId } = await someone('USER');
    const made = await create(authorization, { label: 'before' });
    await edit(authorization, { accessKey: made.accessKey, label: 'after' });
    await revoke(authorization, made.accessKey);
    const events = await db.auditEvent.findMany({ where: { actorId: userId }, orderBy: { id: 'asc' } });
    expect(events.map(({ action, targetName }) => [action, targetName])).toEqual([
      ['credential:create', made.accessKey],
      ['credential:update', made.accessKey],
      ['credential:revoke', made.accessKey],
    ]);
    expect(events[1]).toMatchObject({
      before: { label: 'before' },
      after: { label: 'after' },
      outcome: 'DONE',
    });
    expect(JSON.stringify(events)).not.toContain(made.secretKey);
  });
});

/** The settings of identity providers: who may change them, what they may be, and what nobody can read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser } from '../support/users.ts';

let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await make(app, 'createGroup', { name: 'builders' }, 'group');
});
afterAll(() => app.stop());

const good = { name: 'Okta', issuer: 'https://okta.example', clientId: 'slipway' };
const secret = 'the secret that nobody reads';
const fields = `identityProvider { id name issuer clientId hasClientSecret redirectUri scopes usernameClaim groupsClaim
  groups { value groupId } newUserRole linksByPassword isEnabled }`;
const create = (settings: object = {}, more: object = {}, authorization?: string) =>
  mutate(
    app,
    'createIdentityProvider',
    { identityProvider: { ...good, ...settings }, ...more },
    fields,
    authorization,
  );
const update = (by: object, settings: object, more: object = {}) =>
  mutate(app, 'updateIdentityProvider', { by, identityProvider: { ...good, ...settings }, ...more }, fields);

describe('createIdentityProvider', () => {
  it('takes over what it is given, with defaults for the rest, and says where people come back', async () => {
    const made = await create({}, { clientSecret: secret });
    const { id } = made.identityProvider;
    expect(made.identityProvider).toEqual({
      ...good,
      id,
      hasClientSecret: true,
      redirectUri: `${app.url}/oauth2/login/callback/${id}`,
      scopes: ['openid', 'profile', 'email'],
      usernameClaim: 'preferred_username',
      groupsClaim: null,
      groups: [],
      newUserRole: null,
      linksByPassword: true,
      isEnabled: true,
    });
    const listed = await app.ask('{ identityProviders { totalCount edges { node { name } } } }');
    expect(listed.data.identityProviders).toEqual({ totalCount: 1, edges: [{ node: { name: 'Okta' } }] });
  });

  it('keeps the secret from the database and the audit log', async () => {
    const { rows } = await pool.query(
      `select client_secret_sealed as sealed, to_jsonb(provider)::text as row,
              (select json_agg(event) from audit_events as event)::text as log
         from identity_providers as provider`,
    );
    expect(rows[0].sealed.length).toBeGreaterThan(secret.length);
    expect(rows[0].sealed.includes(secret)).toBe(false);
    for (const text of [rows[0].row, rows[0].log]) {
      expect(text).toContain('okta.example');
      expect(text).not.toContain(secret);
    }
  });

  const refused: readonly [what: string, settings: object, path: string][] = [
    ['a name that is empty', { name: '' }, 'name'],
    ['a name with a space around it', { name: ' x' }, 'name'],
    ['an issuer without TLS', { issuer: 'http://okta.example' }, 'issuer'],
    ['an issuer that is no URL', { issuer: 'okta' }, 'issuer'],
    ['an issuer with a query', { issuer: 'https://okta.example/?x=1' }, 'issuer'],
    ['an issuer with a password', { issuer: 'https://a:b@okta.example' }, 'issuer'],
    ['an empty client id', { clientId: '' }, 'clientId'],
    ['a scope with a space', { scopes: ['a b'] }, 'scopes.0'],
    ['another claim for the user name', { usernameClaim: 'nickname' }, 'usernameClaim'],
    ['a role with more rights', { newUserRole: 'ADMIN' }, 'newUserRole'],
    ['groups without their claim', { groups: [{ value: 'a', group: { name: 'builders' } }] }, 'groups'],
    [
      'an empty value of the claim',
      { groupsClaim: 'groups', groups: [{ value: '', group: { name: 'builders' } }] },
      'groups.0.value',
    ],
    [
      'the group of all users',
      { groupsClaim: 'groups', groups: [{ value: 'a', group: { name: 'everyone' } }] },
      'groups.0.group',
    ],
  ];
  it.each(refused)('refuses %s', async (_what, settings, path) => {
    const answer = await create({ name: 'Another', ...settings });
    const [problem] = answer.problems ?? [];
    expect([answer.code, problem?.path?.join('.')]).toEqual([
      'INVALID_ARGUMENT',
      `input.identityProvider.${path}`,
    ]);
  });

  it('refuses a group that does not exist, and a name that is taken in another case', async () => {
    const groups = [{ value: 'a', group: { name: 'nobody' } }];
    expect((await create({ name: 'Third', groupsClaim: 'groups', groups })).code).toBe('NOT_FOUND');
    expect((await create({ name: 'OKTA' })).code).toBe('ALREADY_EXISTS');
  });
});

describe('updateIdentityProvider', () => {
  it('replaces all settings, and keeps the secret unless it is given', async () => {
    const groups = [{ value: 'eng', group: { name: 'builders' } }];
    const changed = await update({ name: 'okta' }, { name: 'Login', groupsClaim: 'groups', groups });
    expect(changed.identityProvider).toMatchObject({
      ...{ name: 'Login', hasClientSecret: true, groupsClaim: 'groups' },
      groups: [{ value: 'eng', groupId: expect.any(String) }],
    });
    const removed = await update({ name: 'login' }, {}, { clientSecret: null });
    expect(removed.identityProvider).toMatchObject({ name: 'Okta', hasClientSecret: false, groups: [] });
  });
});

describe('identity providers', () => {
  it('belong to one tenant', async () => {
    const admin = await newUser({ role: 'ADMIN', tenantId: await newTenant('elsewhere') });
    const listed = await app.ask('{ identityProviders { totalCount } }', {}, admin.authorization);
    expect(listed.data.identityProviders.totalCount).toBe(0);
    const by = { name: 'Okta' };
    const deleted = await mutate(app, 'deleteIdentityProvider', { by }, '', admin.authorization);
    expect(deleted.code).toBe('NOT_FOUND');
    const link = { identityProvider: by, user: { username: admin.username }, subject: 'any' };
    const linked = await mutate(app, 'createIdentityLink', link, '', admin.authorization);
    expect(linked.code).toBe('NOT_FOUND');
    const made = await create({}, {}, admin.authorization);
    expect(made.identityProvider.name).toBe('Okta');
  });

  it('are nothing to people who do not administer the tenant', async () => {
    const authorization = await newCaller({ role: 'SUPERUSER' });
    const listed = await app.ask('{ identityProviders { totalCount } }', {}, authorization);
    expect(listed.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
    expect((await create({ name: 'Mine' }, {}, authorization)).refused).toBe('PERMISSION_DENIED');
  });
});

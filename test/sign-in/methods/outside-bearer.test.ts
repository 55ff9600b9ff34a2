/** Tokens of an outside issuer, with a running server and an issuer on its own port. */
import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { listGroupIds } from '../../../src/authorization/store/named-groups.ts';
import { createOutsideUser } from '../../../src/identity/commands/create-outside-user.ts';
import { db } from '../../../src/platform/database/client.ts';
import { type App, basic, startApp } from '../../support/app.ts';
import { registerProject } from '../../support/seed.ts';
import { countStatements } from '../../support/statements.ts';
import { grantTo, newGroup, newTenant, newUser } from '../../support/users.ts';

/** One issuer in four entries, so that each setting is tested alone. */
const { issuer, strict, creating, wide } = await vi.hoisted(async () => {
  const { mkdtempSync, writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const { Issuer } = await import('../../support/issuer.ts');
  const [issuer, strict, creating, wide] = await Promise.all(Array.from({ length: 4 }, () => Issuer.start()));
  if (!issuer || !strict || !creating || !wide) throw new Error('no issuer');
  const file = join(mkdtempSync(join(tmpdir(), 'slipway-issuers-')), 'issuers.json');
  const audience = 'slipway-test';
  writeFileSync(
    file,
    JSON.stringify([
      { issuer: issuer.url, audience, groupsClaim: 'groups', linkLocalUsers: true },
      {
        issuer: strict.url,
        jwksUri: `${strict.url}/keys`,
        audience,
        usernameClaim: 'email',
        scopesFromClaim: true,
        linkLocalUsers: true,
      },
      { issuer: creating.url, audience, createUsers: { role: 'USER' }, tenant: 'elsewhere' },
      {
        issuer: wide.url,
        anyAudience: true,
        algorithms: ['RS256'],
        usernameClaim: 'preferred_username',
        linkLocalUsers: true,
      },
    ]),
  );
  process.env['OIDC_ISSUERS_FILE'] = file;
  return { issuer, strict, creating, wide };
});

let app: App;
let tenantId: string;
let elsewhere: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  ({ id: tenantId } = await db.tenant.findFirstOrThrow({ where: { name: 'default' } }));
  await newUser({ username: 'ada', password: 'the password of ada' });
  await newUser({ username: 'root', role: 'ROOT' });
  elsewhere = await newTenant('elsewhere');
});
afterEach(() => {
  for (const one of [issuer, strict, creating, wide]) {
    one.instead = null;
    one.asked.length = 0;
  }
});
afterAll(async () => {
  vi.useRealTimers();
  for (const one of [issuer, strict, creating, wide]) one.close();
  await app.stop();
});

const asking = async (token: string, query = '{ viewer { username role } }', variables = {}) =>
  await app.ask(query, variables, `Bearer ${token}`);
const signedIn = (username: string) => ({ status: 200, data: { viewer: { username, role: 'USER' } } });
const refused = { status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };

/** The time for tokens and caches. Each test moves it on, and never back. Timers are real. */
let clock = Date.now();
function later(seconds: number): void {
  clock += seconds * 1000;
  vi.useFakeTimers({ toFake: ['Date'], now: clock });
}
// Whatever the last test did: the keys may be fetched again.
beforeEach(() => later(31));

describe('a token of an outside issuer', () => {
  it('signs in its user, verified with the keys that the discovery document names', async () => {
    expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    // User names are compared as everywhere else.
    expect(await asking(await issuer.token({ sub: 'ADA' }))).toMatchObject(signedIn('ada'));
    expect(issuer.asked).toHaveLength(2);
  });

  it('is refused with the challenges of each scheme', async () => {
    const answer = await asking(await issuer.token({ sub: 'ada', aud: 'another' }));
    expect(answer).toMatchObject(refused);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*, Basic /);
  });

  const at = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
  it.each<[name: string, token: () => Promise<string>]>([
    ['of another audience', () => issuer.token({ sub: 'ada', aud: 'another' })],
    ['without an audience', () => issuer.token({ sub: 'ada', aud: undefined })],
    ['of an issuer that is not configured', () => issuer.token({ sub: 'ada', iss: 'https://evil.example' })],
    ['without an issuer', () => issuer.token({ sub: 'ada', iss: undefined })],
    ['of one issuer, signed by another', () => issuer.token({ sub: 'ada', iss: creating.url })],
    ['that says it is ours', () => issuer.token({ sub: 'ada', iss: 'slipway' })],
    ['that has expired', () => issuer.token({ sub: 'ada', exp: at(-30) })],
    ['that never expires', () => issuer.token({ sub: 'ada', exp: undefined })],
    ['that is not good yet', () => issuer.token({ sub: 'ada', nbf: at(120) })],
    ['that renews tokens', () => issuer.token({ sub: 'ada', typ: 'Refresh' })],
    ['that ends a session', () => issuer.token({ sub: 'ada' }, { header: { typ: 'logout+jwt' } })],
    ['that is bound to a key', () => issuer.token({ sub: 'ada', cnf: { jkt: 'x' } })],
    ['without a user', () => issuer.token({})],
    ['of a user whom we do not have', () => issuer.token({ sub: 'nobody' })],
    ['of a name that is none', () => issuer.token({ sub: 'a:b' })],
    ['of an account of the platform', () => issuer.token({ sub: 'local-executor' })],
    ['of the root user', () => issuer.token({ sub: 'root' })],
    ['of an algorithm that is not allowed', () => wide.token({ preferred_username: 'ada' })],
  ])('is refused: a token %s', async (_name, token) => {
    expect(await asking(await token())).toMatchObject(refused);
  });

  it('is accepted within the tolerance for different clocks', async () => {
    expect(await asking(await issuer.token({ sub: 'ada', exp: at(-2) }))).toMatchObject(signedIn('ada'));
    expect(await asking(await issuer.token({ sub: 'ada', nbf: at(3) }))).toMatchObject(signedIn('ada'));
  });

  it('is accepted with dates that no calendar has', async () => {
    const token = await issuer.token({ sub: 'ada', exp: 1e15, auth_time: -1e15 });
    for (let at = 0; at < 2; at += 1) expect(await asking(token)).toMatchObject(signedIn('ada'));
  });

  it('is refused when it is signed with the public key as a shared secret, or not at all', async () => {
    await issuer.rotate({ keep: true, alg: 'RS256' });
    expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
    const { publicJwk } = issuer.key;
    const claims = { iss: issuer.url, aud: 'slipway-test', sub: 'ada', exp: at(3600) };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const pem = await exportSPKI((await importJWK(publicJwk, 'RS256', { extractable: true })) as CryptoKey);
    for (const secret of [pem, pem.trim(), JSON.stringify(publicJwk), publicJwk.n ?? '']) {
      const text = `${part({ alg: 'HS256', kid: publicJwk.kid })}.${part(claims)}`;
      const forged = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
      expect(await asking(forged)).toMatchObject(refused);
    }
    for (const alg of ['none', 'None', ''])
      expect(await asking(`${part({ alg })}.${part(claims)}.`)).toMatchObject(refused);
    // A token that verifies with the right key but names another algorithm is refused too.
    const renamed = await issuer.token({ sub: 'ada' });
    const [, body, signature] = renamed.split('.');
    expect(await asking(`${part({ alg: 'PS256', kid: publicJwk.kid })}.${body}.${signature}`)).toMatchObject(
      refused,
    );
  });

  it('signs in its user only while the user is active', async () => {
    await newUser({ username: 'leaver', password: 'the password of leaver' });
    const token = await issuer.token({ sub: 'leaver' });
    expect(await asking(token)).toMatchObject(signedIn('leaver'));
    await db.user.updateMany({ where: { usernameKey: 'leaver' }, data: { disabledAt: new Date() } });
    expect(await asking(token)).toMatchObject(refused);
  });

  it('accepts any audience, and reads the name from another claim, when configured', async () => {
    await wide.rotate({ alg: 'RS256' });
    const claims = { sub: 'x', aud: 'whoever', preferred_username: 'ada' };
    expect(await asking(await wide.token(claims))).toMatchObject(signedIn('ada'));
    expect(await asking(await wide.token({ ...claims, preferred_username: 'nobody' }))).toMatchObject(
      refused,
    );
  });

  it('names its user by e-mail address only when the address is verified', async () => {
    await newUser({ username: 'ada@example.com', password: 'the password of ada@example.com' });
    const claims = { sub: 'x', email: 'ada@example.com', scope: 'viewer:read' };
    expect(await asking(await strict.token({ ...claims, email_verified: true }))).toMatchObject(
      signedIn('ada@example.com'),
    );
    expect(await asking(await strict.token(claims))).toMatchObject(refused);
    expect(await asking(await strict.token({ ...claims, email_verified: 'true' }))).toMatchObject(refused);
  });
});

describe('the keys of an outside issuer', () => {
  it('are fetched again, without a restart, for an unknown key', async () => {
    expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
    later(31);
    await issuer.rotate();
    expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
    expect(issuer.asked.at(-1)).toBe('/keys');
  });

  it('are no longer accepted when the issuer removes them, also for tokens that were used before', async () => {
    const before = await issuer.token({ sub: 'ada' });
    expect(await asking(before)).toMatchObject(signedIn('ada'));
    later(31);
    await issuer.rotate();
    expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
    expect(await asking(before)).toMatchObject(refused);
  });

  it('are fetched again after ten minutes even if every token has a known key', async () => {
    const before = await issuer.token({ sub: 'ada' });
    await asking(before);
    await issuer.rotate();
    expect(await asking(before)).toMatchObject(signedIn('ada'));
    later(601);
    expect(await asking(before)).toMatchObject(refused);
  });

  it('are not fetched for each token with an invented key', async () => {
    await asking(await issuer.token({ sub: 'ada' }));
    issuer.asked.length = 0;
    const flood = await Promise.all(
      Array.from({ length: 60 }, async (_, at) =>
        asking(await issuer.token({ sub: 'ada' }, { header: { kid: `made-up-${at}` } })),
      ),
    );
    expect(flood.map(({ status }) => status)).toEqual(Array(60).fill(401));
    expect(issuer.asked.length).toBeLessThanOrEqual(1);
  });

  let endlessBytes = 0;
  const outages: Record<string, NonNullable<typeof issuer.instead>> = {
    'does not answer': (request) => request.socket.destroy(),
    'answers 500': (_request, response) => response.writeHead(500).end(),
    'leads elsewhere': (_request, response) =>
      response.writeHead(302, { location: `${strict.url}/keys` }).end(),
    'answers no JSON': (_request, response) => response.end('<html>'),
    'answers no keys': (_request, response) => response.end('{}'),
    'answers without end': (_request, response) => {
      const send = () => {
        for (let more = true; more && !response.destroyed; endlessBytes += 65_536)
          more = response.write(Buffer.alloc(65_536, ' '));
      };
      response.on('drain', send);
      send();
    },
  };
  it.each(Object.entries(outages))(
    'stay in use while the issuer %s, and only tokens with other keys are UNAVAILABLE',
    async (_name, instead) => {
      const known = await issuer.token({ sub: 'ada' });
      later(31);
      await asking(known);
      issuer.instead = instead;
      later(601);
      expect(await asking(known)).toMatchObject(signedIn('ada'));
      expect(await asking(await issuer.token({ sub: 'ada' }))).toMatchObject(signedIn('ada'));
      issuer.asked.length = 0;
      const kid = { header: { kid: 'new' } };
      for (let at = 0; at < 5; at += 1) {
        const answer = await asking(await issuer.token({ sub: 'ada' }, kid));
        expect(answer).toMatchObject({ status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      // In the meantime, the server did not ask the issuer, and did not wait for it for long.
      expect(issuer.asked).toEqual([]);
      expect(endlessBytes).toBeLessThan(16 * 1024 * 1024);
      issuer.instead = null;
      later(11);
      expect(await asking(await issuer.token({ sub: 'ada' }, kid))).toMatchObject(refused);
      expect(issuer.asked).toEqual(['/keys']);
    },
  );
});

describe('groups of a token', () => {
  const group = async (name: string, level: 'READ' | 'USE', projectId: string) => {
    await grantTo({ groupId: await newGroup(name, [], tenantId), tenantId }, 'PROJECT', projectId, level);
  };
  const sees = async (groups: unknown) => {
    const token = await issuer.token({ sub: 'ada', groups });
    const { data } = await asking(token, '{ projects { edges { node { identifier } } } }');
    return data.projects.edges.map((edge: { node: { identifier: string } }) => edge.node.identifier);
  };

  it('are memberships for the request when groups of these names exist', async () => {
    await registerProject(app, 'grouped');
    const { id } = await db.project.findFirstOrThrow({ where: { identifier: 'grouped' } });
    await group('Vision', 'READ', id);
    await group('foreign', 'READ', id);
    await db.group.updateMany({ where: { nameKey: 'foreign' }, data: { tenantId: await newTenant('far') } });
    expect(await sees(['Research', 'VISION'])).toEqual(['grouped']);
    for (const none of [undefined, 'vision', {}, [], [7, null], ['research'], ['foreign'], ['a\u0000b']])
      expect(await sees(none)).toEqual([]);
    expect(await db.group.count({ where: { nameKey: 'research' } })).toBe(0);
    expect(await db.groupMember.count()).toBe(0);
    // Nobody becomes a named member of the group with all users, whose members only some may see.
    const everyone = '{ group(by: { name: "everyone" }) { members { edges { cursor } } } }';
    const { data } = await asking(await issuer.token({ sub: 'ada', groups: ['everyone'] }), everyone);
    expect(data.group).toEqual({ members: null });
    expect(await listGroupIds(tenantId, ['everyone', 'vision'])).toHaveLength(1);
    // Members of other groups may see how many members have rows.
    const team = '{ group(by: { name: "vision" }) { memberCount } }';
    const inTeam = await asking(await issuer.token({ sub: 'ada', groups: ['Vision'] }), team);
    expect(inTeam.data.group).toEqual({ memberCount: 0 });
  });
});

describe('scopes of a token', () => {
  const projects = '{ projects { edges { cursor } } }';
  const codeFor = async (scope: unknown) => {
    const claims = { sub: 'x', email: 'ada@example.com', email_verified: true, scope };
    const { errors } = await asking(await strict.token(claims), projects);
    return errors?.[0]?.extensions.code ?? 'allowed';
  };

  it('limit what it allows, to nothing when none is a known scope', async () => {
    for (const scope of ['project:list', 'project:read', '*:read'])
      expect(await codeFor(`openid ${scope}`)).toBe('allowed');
    expect(await codeFor('openid queue:list')).toBe('PERMISSION_DENIED');
    for (const none of [undefined, '', 'openid email', ['project:list'], 7])
      expect(await codeFor(none)).toBe('PERMISSION_DENIED');
  });

  it('are the same in a Slipway token that is created with it, also when there are none', async () => {
    const tokenWith = async (scope: string) => {
      const claims = { sub: 'x', email: 'ada@example.com', email_verified: true, scope };
      const login = 'mutation { login { ... on LoginPayload { token } } }';
      return (await asking(await strict.token(claims), login)).data.login.token;
    };
    expect((await asking(await tokenWith('openid'), projects)).errors).toMatchObject([
      { extensions: { code: 'PERMISSION_DENIED' } },
    ]);
    expect((await asking(await tokenWith('openid project:list'), projects)).errors).toBeUndefined();
  });

  it('are ignored when that is not configured', async () => {
    const token = await issuer.token({ sub: 'ada', scope: 'openid' });
    expect((await asking(token, projects)).errors).toBeUndefined();
  });
});

describe('the issuer of a user', () => {
  it('is the one that created it: no other signs it in, and only a trusted issuer signs in local users', async () => {
    await newUser({ role: 'ADMIN', tenantId: elsewhere }).then(({ id: userId }) =>
      db.user.update({ where: { id: userId }, data: { username: 'boss', usernameKey: 'boss' } }),
    );
    expect((await asking(await creating.token({ sub: 'boss' }))).status).toBe(401);
    await asking(await creating.token({ sub: 'theirs' }));
    await db.user.updateMany({ where: { usernameKey: 'theirs' }, data: { tenantId } });
    expect((await asking(await issuer.token({ sub: 'theirs' }))).status).toBe(401);
  });

  it('limits the lifetime of its tokens, however often they are renewed', async () => {
    const login = 'mutation { login { ... on LoginPayload { token expiresAt } } }';
    const outside = await issuer.token({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 120 });
    const { data } = await asking(outside, login);
    const again = await asking(data.login.token, login);
    for (const { expiresAt } of [data.login, again.data.login])
      expect(new Date(expiresAt).getTime()).toBeLessThan(Date.now() + 125_000);
  });

  it('limits the lifetime of the access keys that its users create for themselves', async () => {
    const create = `mutation ($input: CreateCredentialsInput!) { createCredentials(input: $input) {
      ... on CreateCredentialsPayload { accessKey secretKey credential { expiresAt } } ... on Error { code } } }`;
    const edit = `mutation ($input: EditCredentialsInput!) { editCredentials(input: $input) {
      __typename ... on Error { code } } }`;
    const soon = new Date(Date.now() + 60_000);
    const tomorrow = new Date(Date.now() + 86_400_000);
    const outside = await issuer.token({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 120 });
    const { data } = await asking(outside, 'mutation { login { ... on LoginPayload { token } } }');
    for (const token of [outside, data.login.token]) {
      const made = (await asking(token, create, { input: {} })).data.createCredentials;
      expect(new Date(made.credential.expiresAt).getTime()).toBeLessThan(Date.now() + 126_000);
      const { accessKey } = made;
      const change = async (expiresAt: Date | null) =>
        (await asking(token, edit, { input: { by: { accessKey }, expiresAt } })).errors?.[0]?.extensions.code;
      expect([await change(null), await change(tomorrow), await change(soon)]).toEqual([
        'PERMISSION_DENIED',
        'PERMISSION_DENIED',
        undefined,
      ]);
      const late = await asking(token, create, { input: { expiresAt: tomorrow } });
      expect(late.errors?.[0]?.extensions.code).toBe('PERMISSION_DENIED');
      const authorization = basic(accessKey, made.secretKey);
      expect((await app.ask('{ viewer { id } }', {}, authorization)).status).toBe(200);
    }
  });

  it('does not limit keys that an administrator creates for others', async () => {
    const { id: userId } = await newUser({ role: 'ADMIN' });
    await db.user.update({ where: { id: userId }, data: { username: 'chief', usernameKey: 'chief' } });
    const { data } = await asking(
      await issuer.token({ sub: 'chief' }),
      `mutation { createCredentials(input: { user: { username: "ada" } }) {
        ... on CreateCredentialsPayload { credential { expiresAt } } } }`,
    );
    expect(data.createCredentials.credential.expiresAt).toBeNull();
  });
});

describe('users that an issuer can create', () => {
  it('are created once for concurrent first sign-ins, and are recorded in the audit log', async () => {
    const token = await creating.token({ sub: 'newcomer', name: 'New Comer' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => asking(token)));
    for (const answer of answers) expect(answer).toMatchObject(signedIn('newcomer'));
    const users = await db.user.findMany({ where: { usernameKey: 'newcomer' } });
    expect(users).toMatchObject([
      { tenantId: elsewhere, role: 'USER', name: 'New Comer', passwordHash: null },
    ]);
    const id = users[0]?.id;
    expect(await db.auditEvent.findMany({ where: { targetId: id ?? '' } })).toMatchObject([
      {
        tenantId: elsewhere,
        action: 'user:create',
        outcome: 'DONE',
        actorName: 'newcomer',
        after: { username: 'newcomer', role: 'USER', source: creating.url },
      },
    ]);
    expect(await db.accessChange.count({ where: { userId: id ?? '' } })).toBe(1);
    const { statements } = await countStatements(() => asking(token));
    expect(statements.filter((text) => text.startsWith('insert'))).toEqual([]);
  });

  it('are created once by twenty calls that all find no user', async () => {
    const outside = {
      tenant: 'elsewhere',
      username: 'twin',
      name: null,
      role: 'GUEST',
      source: 'test',
      address: null,
    } as const;
    const made = await Promise.all(Array.from({ length: 20 }, () => createOutsideUser(outside)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await db.user.count({ where: { usernameKey: 'twin' } })).toBe(1);
    expect(await db.auditEvent.count({ where: { targetName: 'twin' } })).toBe(1);
  });

  it('are not created again after they were disabled', async () => {
    await db.user.updateMany({ where: { usernameKey: 'newcomer' }, data: { disabledAt: new Date() } });
    expect(await asking(await creating.token({ sub: 'newcomer' }))).toMatchObject(refused);
    expect(await db.user.count({ where: { usernameKey: 'newcomer' } })).toBe(1);
  });

  it.each([...['a:b', ' x', 'x\n', 'x'.repeat(256), 'acme/x', '\u202eada', 'ada\u200b', 'A1'.repeat(15)]])(
    'are not created with a name that is not allowed: %j',
    async (sub) => {
      expect(await asking(await creating.token({ sub }))).toMatchObject(refused);
    },
  );

  it('have their user name as name when the claim cannot be read', async () => {
    const token = await creating.token({ sub: 'reversed', name: 'ecila\u202e' });
    expect(await asking(token)).toMatchObject(signedIn('reversed'));
    expect(await db.user.findFirstOrThrow({ where: { usernameKey: 'reversed' } })).toMatchObject({
      name: 'reversed',
    });
  });
});

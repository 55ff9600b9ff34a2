/** Attacks on a sign-in with an identity provider: each one ends without a session, a user or a link. */
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { redirect } from '../oauth/stage.ts';
import { hiddenFields, type Page, wordsIn } from '../oauth/visitor.ts';
import { mutate } from '../support/mutate.ts';
import { CLIENT_ID, OutsideIssuer } from '../support/outside-issuer.ts';
import { newUser } from '../support/users.ts';
import { newVisitor, World } from './world.ts';

vi.hoisted(() => {
  process.env['OAUTH_PRIVATE_ADDRESSES'] = 'on';
});

let world: World;
let provider: { readonly id: string; readonly name: string };
beforeAll(async () => {
  world = await World.start();
  provider = await world.provider();
});
afterAll(() => world.stop());
afterEach(() => {
  const { issuer } = world;
  issuer.person = { sub: 'mallory-1', preferred_username: 'mallory' };
  issuer.lie = (claims) => claims;
  issuer.forge = (token) => token;
  issuer.asked.length = 0;
});

const isBack = ({ url }: Page) => url.startsWith(`${redirect}?code=`);
const stale = 'This page is no longer valid';
const refused = () => `The answer of ${provider.name} is not valid.`;

async function users(): Promise<number> {
  const { rows } = await pool.query(
    'select (select count(*) from users) + (select count(*) from identity_links) as n',
  );
  return Number(rows[0].n);
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('an ID token', () => {
  it('is accepted as it is, which the rows below change', async () => {
    world.issuer.person = { sub: 'honest-1', preferred_username: 'honest' };
    expect(isBack(await world.signIn(newVisitor(), provider))).toBe(true);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const lies: readonly [what: string, change: Record<string, unknown>][] = [
    ['another nonce', { nonce: 'of another request' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'another-client' }],
    ['another audience beside this one, without azp', { aud: [CLIENT_ID, 'another-client'] }],
    ['another authorized party', { aud: [CLIENT_ID, 'another-client'], azp: 'another-client' }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['no issuer', { iss: undefined }],
    ['an end in the past', { exp: now() - 120 }],
    ['no end', { exp: undefined }],
    ['a beginning in the future', { nbf: now() + 600 }],
    ['no time of issue', { iat: undefined }],
    ['no subject', { sub: undefined }],
    ['a subject that is no text', { sub: 7 }],
    ['a subject that is too long', { sub: 'x'.repeat(256) }],
  ];
  it.each(lies)('with %s signs nobody in', async (_what, change) => {
    const before = await users();
    world.issuer.lie = (claims) => ({ ...claims, ...change });
    const page = await world.signIn(newVisitor(), provider);
    expect([page.status, wordsIn(page)]).toEqual([403, expect.stringContaining(refused())]);
    expect(await users()).toBe(before);
  });

  const forgeries: readonly [what: string, forge: (token: string) => string | Promise<string>][] = [
    ['without a signature', (token) => new UnsecuredJWT(claimsOf(token)).encode()],
    ['whose signature is cut off', (token) => `${token.split('.').slice(0, 2).join('.')}.`],
    [
      'that somebody else has signed',
      async (token) => {
        const { privateKey } = await generateKeyPair('RS256');
        return await new SignJWT(claimsOf(token)).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      },
    ],
    [
      'with its own key in the header',
      async (token) => {
        const { privateKey, publicKey } = await generateKeyPair('RS256');
        const jwk = await exportJWK(publicKey);
        return await new SignJWT(claimsOf(token)).setProtectedHeader({ alg: 'RS256', jwk }).sign(privateKey);
      },
    ],
    [
      'that is signed with the secret of the client',
      async (token) =>
        await new SignJWT(claimsOf(token))
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode('the secret of slipway at the provider')),
    ],
    [
      'whose claims were changed',
      (token) => {
        const [header, , signature] = token.split('.');
        const claims = { ...claimsOf(token), sub: 'victim-1', preferred_username: 'victim' };
        return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
      },
    ],
  ];
  it.each(forgeries)('%s signs nobody in', async (_what, forge) => {
    const before = await users();
    world.issuer.forge = forge;
    const page = await world.signIn(newVisitor(), provider);
    expect([page.status, wordsIn(page)]).toEqual([403, expect.stringContaining(refused())]);
    expect(await users()).toBe(before);
  });
});

describe('an answer', () => {
  const changed = (answer: string, change: (url: URL) => void) => {
    const url = new URL(answer);
    change(url);
    return url.href;
  };
  /** The provider is asked for tokens only when the answer can be right. */
  const wasAsked = () => world.issuer.asked.includes('/token');

  const changes: readonly [what: string, change: (url: URL) => void, text: () => string][] = [
    ['without a state', (url) => url.searchParams.delete('state'), () => stale],
    ['with an invented state', (url) => url.searchParams.set('state', 'A'.repeat(300)), () => stale],
    [
      'with a changed state',
      (url) => {
        const state = url.searchParams.get('state') ?? '';
        url.searchParams.set(
          'state',
          `${state.slice(0, 40)}${state[40] === 'A' ? 'B' : 'A'}${state.slice(41)}`,
        );
      },
      () => stale,
    ],
    ['of another issuer (mix-up)', (url) => url.searchParams.set('iss', 'https://evil.example'), refused],
    ['without its issuer', (url) => url.searchParams.delete('iss'), refused],
    ['without a code', (url) => url.searchParams.delete('code'), refused],
    ['with two codes', (url) => url.searchParams.append('code', 'second'), refused],
  ];
  it.each(changes)('%s signs nobody in', async (_what, change, text) => {
    const visitor = newVisitor();
    const answer = await world.answerOf(visitor, provider);
    const page = await visitor.visit(changed(answer, change));
    expect(wordsIn(page)).toContain(text());
    expect([isBack(page), wasAsked()]).toEqual([false, false]);
  });

  it('signs nobody in with an invented code', async () => {
    const visitor = newVisitor();
    const answer = await world.answerOf(visitor, provider);
    const page = await visitor.visit(changed(answer, (url) => url.searchParams.set('code', 'invented')));
    expect(wordsIn(page)).toContain(refused());
  });

  it('does not work in another browser (login CSRF)', async () => {
    const answer = await world.answerOf(newVisitor(), provider);
    const page = await newVisitor().visit(answer);
    expect([wordsIn(page).includes(stale), wasAsked()]).toEqual([true, false]);
    const victim = newVisitor();
    await world.loginPage(victim);
    expect(wordsIn(await victim.visit(answer))).toContain(stale);
  });

  it('of one person does not work with the state of another (code injection)', async () => {
    const [attacker, victim] = [newVisitor(), newVisitor()];
    const stolen = new URL(await world.answerOf(attacker, provider)).searchParams.get('code') ?? '';
    const own = await world.answerOf(victim, provider);
    const page = await victim.visit(changed(own, (url) => url.searchParams.set('code', stolen)));
    expect([isBack(page), wordsIn(page).includes(refused())]).toEqual([false, true]);
  });

  it('works once: the second time there is no other sign-in', async () => {
    world.issuer.person = { sub: 'once-1', preferred_username: 'once' };
    const visitor = newVisitor();
    const answer = await world.answerOf(visitor, provider);
    expect(isBack(await visitor.visit(answer))).toBe(true);
    world.issuer.asked.length = 0;
    expect([isBack(await visitor.visit(answer)), wasAsked()]).toEqual([false, false]);
    const { rows } = await pool.query(
      "select count(*) from audit_events where action = 'session:login' and actor_name = 'once'",
    );
    expect(Number(rows[0].count)).toBe(1);
  });

  it('counts only at the address of its own provider (mix-up)', async () => {
    const evil = await OutsideIssuer.start();
    const other = await world.provider({}, evil);
    const visitor = newVisitor();
    const answer = await world.answerOf(visitor, provider);
    const moved = answer.replace(`/callback/${provider.id}`, `/callback/${other.id}`);
    expect(wordsIn(await visitor.visit(moved))).toContain(stale);
    expect([wasAsked(), evil.asked]).toEqual([false, []]);
    evil.close();
  });

  it('does not count after the provider was switched off', async () => {
    const off = await world.provider();
    const visitor = newVisitor();
    const answer = await world.answerOf(visitor, off);
    const settings = { name: off.name, issuer: world.issuer.url, clientId: CLIENT_ID, isEnabled: false };
    await mutate(world.stage.app, 'updateIdentityProvider', {
      by: { id: off.id },
      identityProvider: settings,
    });
    expect(wordsIn(await visitor.visit(answer))).toContain(stale);
    provider = await world.provider();
  });
});

describe('the form that connects an account', () => {
  const victim = { username: 'victim-user', password: 'correct horse battery', answer: 'accept' };
  beforeAll(async () => {
    await newUser(victim);
  });

  it('counts only in the browser of the person, and only with what she has come as', async () => {
    const closed = await world.provider({ newUserRole: null });
    const begin = async (sub: string) => {
      world.issuer.person = { sub };
      const visitor = newVisitor();
      return { visitor, page: await world.signIn(visitor, closed) };
    };
    const [attacker, person] = [await begin('attacker-1'), await begin('person-1')];
    // The attacker lets the person send the attacker's form: her browser does not have its challenge.
    const foreign = await person.visitor.send(attacker.page, victim);
    expect(wordsIn(foreign)).toContain(stale);
    // The attacker puts his account into her form.
    const { arrival = '' } = hiddenFields(attacker.page);
    const mixed = await person.visitor.send(person.page, { ...victim, arrival });
    expect(wordsIn(mixed)).toContain(stale);
    const invented = await person.visitor.send(person.page, { ...victim, arrival: 'A'.repeat(200) });
    expect(wordsIn(invented)).toContain(stale);
    const other = await person.visitor.send(person.page, victim, { origin: 'https://evil.example' });
    expect(other.status).toBe(403);
    const { rows } = await pool.query(
      "select subject from identity_links where subject in ('attacker-1', 'person-1')",
    );
    expect(rows).toEqual([]);
    expect(isBack(await person.visitor.send(person.page, victim))).toBe(true);
  });

  it('does not count after people may not connect accounts themselves any more', async () => {
    const open = await world.provider({ newUserRole: null });
    world.issuer.person = { sub: 'late-1' };
    const visitor = newVisitor();
    const page = await world.signIn(visitor, open);
    const settings = { name: open.name, issuer: world.issuer.url, clientId: CLIENT_ID };
    await mutate(world.stage.app, 'updateIdentityProvider', {
      by: { id: open.id },
      identityProvider: { ...settings, linksByPassword: false },
    });
    expect(wordsIn(await visitor.send(page, victim))).toContain(stale);
    const { rows } = await pool.query("select from identity_links where subject = 'late-1'");
    expect(rows).toEqual([]);
  });
});

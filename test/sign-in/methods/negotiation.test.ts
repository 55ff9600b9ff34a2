/** The steps of a negotiation, with a stand-in for the Kerberos library. negotiate.test.ts has real tickets. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createOutsideUser } from '../../../src/identity/commands/create-outside-user.ts';
import { db } from '../../../src/platform/database/client.ts';
import type { SignInRequest } from '../../../src/sign-in/methods/method.ts';
import { type KerberosSettings, negotiate } from '../../../src/sign-in/methods/negotiate.ts';
import { changeUser, newTenant, newUser } from '../../support/users.ts';
import { eventually } from '../../support/waiting.ts';

const REJECT = 'Negotiate oQcwBaADCgEC';
const settings: KerberosSettings = {
  service: 'HTTP@localhost',
  keytab: '/etc/slipway.keytab',
  realms: ['EXAMPLE.COM'],
  tenant: 'default',
  usernameSuffix: '',
  createUsers: null,
};

beforeAll(async () => {
  await newTenant('default');
  for (const username of ['alice', 'b', 'al\\ice']) await newUser({ username });
});

/** What the library says after a step: the name of a principal, a text to send back, and whether it has ended. */
interface Step {
  readonly username?: string | null;
  readonly response?: string | null;
  readonly contextComplete?: boolean;
  /** The step throws, because the token is not valid or because another one must follow. */
  readonly fails?: boolean;
}

/** The method with a library that answers these steps, one after the other, and the negotiations that it began. */
async function methodWith(steps: readonly Step[], changes: Partial<KerberosSettings> = {}) {
  const begun: string[][] = [];
  const left = [...steps];
  const initializeServer = async () => {
    const tokens: string[] = [];
    begun.push(tokens);
    const acceptor = { username: null, response: null, contextComplete: false, ...{ tokens } };
    return Object.assign(acceptor, {
      async step(token: string) {
        tokens.push(token);
        const { fails, ...state } = left.shift() ?? { fails: true };
        Object.assign(acceptor, state);
        if (fails) throw new Error('no');
        return null;
      },
    });
  };
  const method = negotiate({ ...settings, ...changes }, async () => ({ default: { initializeServer } }));
  await method.prepare?.();
  // The first one only tries the keys of the service.
  begun.length = 0;
  return { method, begun };
}

const request = (token: string, connection: object = {}) => {
  const sent: string[] = [];
  const made: SignInRequest = {
    headers: { authorization: `Negotiate ${token}` },
    ...{ address: null, publicUrl: 'http://localhost', connection },
    setHeader: (name, value) => sent.push(`${name}: ${value}`),
  };
  return { made, sent };
};

const done = (username: string | null): Step => ({ username, contextComplete: true });

/** Who signs in with a ticket of this principal; the challenge if nobody does. */
async function whoIs(principal: string | null, changes: Partial<KerberosSettings> = {}) {
  const { method } = await methodWith([done(principal)], changes);
  return await method.signIn(request('AAAA').made).then(
    (signedIn) => signedIn?.principal.username,
    (error) => error.challenge,
  );
}

describe('the principal of a ticket', () => {
  it.each([
    ['alice@EXAMPLE.COM', 'alice'],
    // The shortest name.
    ['b@EXAMPLE.COM', 'b'],
    ['host/alice@EXAMPLE.COM', REJECT],
    ['alice@OTHER.COM', REJECT],
    ['alice@example.com', REJECT],
    ['nobody@EXAMPLE.COM', REJECT],
    ['@EXAMPLE.COM', REJECT],
    ['EXAMPLE.COM', REJECT],
    ['al\\ice@EXAMPLE.COM', REJECT],
    [null, REJECT],
  ])('%j is %s', async (principal, expected) => {
    expect(await whoIs(principal)).toBe(expected);
  });

  it('is not empty when a suffix is all of its name', async () => {
    expect(await whoIs('@EXAMPLE.COM', { usernameSuffix: 'alice' })).toBe(REJECT);
  });

  it('signs in a user who was created here, and none of another source', async () => {
    const source = 'https://id.example';
    await createOutsideUser({
      ...{ tenant: 'default', username: 'theirs', name: null, role: 'USER', source, address: null },
    });
    expect(await whoIs('theirs@EXAMPLE.COM')).toBe(REJECT);
  });

  it('becomes a new user only when that is configured, and never for a service', async () => {
    expect(await whoIs('newcomer@EXAMPLE.COM')).toBe(REJECT);
    const createUsers = { role: 'GUEST' } as const;
    expect(await whoIs('newcomer@EXAMPLE.COM', { createUsers })).toBe('newcomer');
    expect(await whoIs('host/newcomer@EXAMPLE.COM', { createUsers })).toBe(REJECT);
    expect(await db.user.findFirst({ where: { usernameKey: 'newcomer' } })).toMatchObject({ role: 'GUEST' });
    await changeUser('newcomer', { disabledAt: new Date() });
    expect(await whoIs('newcomer@EXAMPLE.COM', { createUsers })).toBe(REJECT);
  });
});

describe('a ticket', () => {
  it.each<[name: string, token: string, isRead: boolean]>([
    ['base64', 'AAAA', true],
    ['base64 that ends with =', 'AAA=', true],
    ['the longest', 'A'.repeat(64_000), true],
    ['longer', 'A'.repeat(64_004), false],
    ['two characters short', 'AAAAAA', false],
    ['a character short', 'AAA', false],
    ['twenty characters, of which some are none', 'AAAAAAAAAA!!AAAAAAAA', false],
    ['nothing', '', false],
  ])(
    'reaches the library only if it is complete base64 of limited length: %s',
    async (_name, token, isRead) => {
      const { method, begun } = await methodWith([done('alice@EXAMPLE.COM')]);
      const answer = method.signIn(request(token).made);
      if (isRead) expect((await answer)?.principal.username).toBe('alice');
      else await expect(answer).rejects.toMatchObject({ challenge: REJECT });
      expect(begun.flat()).toEqual(isRead ? [token] : []);
    },
  );

  it('of which the library tells no end signs nobody in', async () => {
    const { method } = await methodWith([{ username: 'alice@EXAMPLE.COM', contextComplete: false }]);
    await expect(method.signIn(request('AAAA').made)).rejects.toMatchObject({ challenge: REJECT });
  });

  it('is answered with the proof of the server, if there is one', async () => {
    const { method } = await methodWith([
      { ...done('alice@EXAMPLE.COM'), response: 'cHJvb2Y=' },
      done('alice@EXAMPLE.COM'),
    ]);
    const [proved, plain] = [request('AAAA'), request('AAAA')];
    await method.signIn(proved.made);
    await method.signIn(plain.made);
    expect([proved.sent, plain.sent]).toEqual([['www-authenticate: Negotiate cHJvb2Y='], []]);
  });

  it('is not asked of a request with another scheme', async () => {
    const { method } = await methodWith([]);
    expect(await method.signIn({ ...request('').made, headers: { authorization: 'Basic AAAA' } })).toBeNull();
  });
});

describe('a negotiation', () => {
  const goesOn: Step = { fails: true, response: 'bW9yZQ==' };
  const challenge = 'Negotiate bW9yZQ==';

  it('goes on with the same acceptor on the same connection, and begins anew on another one', async () => {
    const { method, begun } = await methodWith([goesOn, goesOn, done('alice@EXAMPLE.COM')]);
    const connection = {};
    await expect(method.signIn(request('AAAA', connection).made)).rejects.toMatchObject({ challenge });
    await expect(method.signIn(request('BBBB').made)).rejects.toMatchObject({ challenge });
    expect((await method.signIn(request('CCCC', connection).made))?.principal.username).toBe('alice');
    expect(begun).toEqual([['AAAA', 'CCCC'], ['BBBB']]);
  });

  it.each<[name: string, step: Step]>([
    ['when the library has nothing more to say', { fails: true, response: null }],
    ['when it has failed at its end', { fails: true, response: 'bW9yZQ==', contextComplete: true }],
  ])('ends %s', async (_name, step) => {
    const { method, begun } = await methodWith([step, step]);
    const connection = {};
    for (const token of ['AAAA', 'BBBB'])
      await expect(method.signIn(request(token, connection).made)).rejects.toMatchObject({
        challenge: REJECT,
      });
    expect(begun).toEqual([['AAAA'], ['BBBB']]);
  });
});

describe('many tickets at the same time', () => {
  it('are checked two at a time; a hundred wait, and more are refused', async () => {
    let running = 0;
    const ends: (() => void)[] = [];
    const acceptor = {
      username: 'alice@EXAMPLE.COM',
      ...{ response: null, contextComplete: true },
      step: () => {
        running += 1;
        return new Promise<null>((resolve) => ends.push(() => resolve(null)));
      },
    };
    const kerberos = { initializeServer: async () => acceptor };
    const method = negotiate(settings, async () => ({ default: kerberos }));
    await method.prepare?.();
    const all = Array.from({ length: 102 }, () => method.signIn(request('AAAA').made));
    await eventually(
      () => running,
      (count) => count === 2,
    );
    await expect(method.signIn(request('AAAA').made)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(running).toBe(2);
    const settled = Promise.all(all);
    await eventually(
      () => {
        for (const end of ends.splice(0)) end();
        return running;
      },
      (count) => count === 102,
    );
    for (const end of ends.splice(0)) end();
    expect(await settled).toHaveLength(102);
  });
});

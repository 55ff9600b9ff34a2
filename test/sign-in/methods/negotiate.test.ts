/** Kerberos against a real KDC, with real tickets, through a running server. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KerberosSettings } from '../../../src/sign-in/methods/negotiate.ts';
import type { App } from '../../support/app.ts';
import { CLOCK_SKEW_SECONDS, Kdc } from '../../support/kdc.ts';
import { needs } from '../../support/require.ts';
import { eventually } from '../../support/waiting.ts';

const REJECT = 'oQcwBaADCgEC';
const ANOTHER_LEG = 'oRQwEqADCgEBoQsGCSqGSIb3EgECAg==';

/** The functions of a Kerberos client, from the package, whose types may not be installed. */
interface Client {
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string>;
}
interface Kerberos {
  readonly GSS_MECH_OID_KRB5: number;
  readonly GSS_MECH_OID_SPNEGO: number;
  initializeClient(service: string, options: object): Promise<Client>;
}

describe.runIf(needs('kerberos', 'Kerberos with a real KDC'))('Kerberos', () => {
  let kdc: Kdc;
  let app: App;
  let kerberos: Kerberos;
  let alice: string;
  let settings: KerberosSettings;
  /** A ticket that is valid for a second, and the time when it was created. */
  let shortLived: { token: string; at: number };

  beforeAll(async () => {
    kdc = await Kdc.start();
    Object.assign(process.env, kdc.environment, {
      KERBEROS_SERVICE: 'HTTP@localhost',
      KERBEROS_KEYTAB: kdc.keytab,
      KERBEROS_REALMS: 'SLIPWAY.TEST',
      ANONYMOUS_USER: 'ghost',
    });
    for (const name of ['alice', 'stranger', 'local-executor', 'alice/admin'])
      await kdc.addPrincipal(name, name);
    await kdc.addPrincipal('alice', 'alice', 'OTHER.TEST');
    await kdc.addPrincipal('HTTP/elsewhere', null);
    const name: string = 'kerberos';
    kerberos = (await import(name)).default;
    alice = await kdc.kinit('alice', 'alice');
    shortLived = {
      token: await tokenOf(await kdc.kinit('alice', 'alice', { seconds: 1 })),
      at: Date.now(),
    };
    // The configuration is read when the server's files are loaded.
    const { startApp } = await import('../../support/app.ts');
    app = await startApp({ scheduler: false });
    const { newUser } = await import('../../support/users.ts');
    await newUser({ username: 'alice', password: 'the password of alice' });
    const { serverConfig } = await import('../../../src/platform/config/server.ts');
    if (!serverConfig.kerberos) throw new Error('Kerberos is not configured');
    settings = serverConfig.kerberos;
  });
  afterAll(async () => {
    await app?.stop();
    await kdc?.stop();
  });

  /** A client with the tickets of a file. */
  async function clientOf(
    tickets: string,
    service = 'HTTP@localhost',
    mechOID = kerberos.GSS_MECH_OID_SPNEGO,
  ) {
    process.env['KRB5CCNAME'] = tickets;
    const client = await kerberos.initializeClient(service, { mechOID });
    return { client, token: await client.step('') };
  }
  const tokenOf = async (tickets: string, service?: string) => (await clientOf(tickets, service)).token;

  const viewer = '{ viewer { username role } }';
  const ask = (authorization: string | null, query = viewer) => app.ask(query, {}, authorization);
  const challenges = ({ headers }: { headers: Headers }) => headers.get('www-authenticate') ?? '';

  async function expectRefusal(authorization: string): Promise<void> {
    const answer = await ask(authorization);
    expect(answer.status).toBe(401);
    expect(answer.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(challenges(answer)).toMatch(new RegExp(`^Bearer .*, Basic .*, Negotiate ${REJECT}$`));
  }

  describe('a request without a ticket', () => {
    it('is answered with 401 and the challenge Negotiate after all others', async () => {
      const answer = await ask(null);
      expect(answer.status).toBe(401);
      expect(answer.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
      expect(challenges(answer)).toMatch(/^Bearer .*, Basic .*, Negotiate$/);
    });

    it('gets the same challenges after another scheme has failed, and can use the others', async () => {
      const answer = await ask(`Basic ${Buffer.from('admin:wrong').toString('base64')}`);
      expect([answer.status, challenges(answer)]).toEqual([401, expect.stringMatching(/, Negotiate$/)]);
      expect((await ask(app.admin)).data.viewer.username).toBe('admin');
    });
  });

  describe('a ticket', () => {
    it('signs in its user, and authenticates the server to the client', async () => {
      const { client, token } = await clientOf(alice);
      const answer = await ask(`Negotiate ${token}`);
      expect(answer.status).toBe(200);
      expect(answer.data.viewer).toEqual({ username: 'alice', role: 'USER' });
      const [, proof = ''] = /^Negotiate (\S+)$/.exec(challenges(answer)) ?? [];
      await client.step(proof);
      expect(client.contextComplete).toBe(true);
    });

    it('signs in with the name of the scheme in any case', async () => {
      expect((await ask(`nEgOtIaTe ${await tokenOf(alice)}`)).data.viewer.username).toBe('alice');
    });

    it('signs in curl, which answers the challenge', async () => {
      const url = `${app.url.replace('127.0.0.1', 'localhost')}/graphql`;
      const data = JSON.stringify({ query: viewer });
      const type = 'content-type: application/json';
      const options = [
        '--silent',
        '--negotiate',
        '--user',
        ':',
        '--anyauth',
        '--header',
        type,
        '--data',
        data,
      ];
      const env = { ...process.env, ...kdc.environment, KRB5CCNAME: alice };
      const { stdout } = await promisify(execFile)('curl', [...options, url], { env });
      expect(JSON.parse(stdout)).toMatchObject({ data: { viewer: { username: 'alice', role: 'USER' } } });
    });

    it('can be exchanged for a token with login, and for a session', async () => {
      const login = 'mutation { login { ... on LoginPayload { token } } }';
      const { data } = await ask(`Negotiate ${await tokenOf(alice)}`, login);
      expect((await ask(`Bearer ${data.login.token}`)).data.viewer.username).toBe('alice');
      const headers = {
        'content-type': 'application/json',
        authorization: `Negotiate ${await tokenOf(alice)}`,
      };
      const session = await fetch(`${app.url}/session`, { method: 'POST', headers, body: '{}' });
      expect(session.headers.get('set-cookie')).toMatch(/^slipway_session=\S+;/);
    });

    it('is taken once', async () => {
      const token = await tokenOf(alice);
      expect((await ask(`Negotiate ${token}`)).status).toBe(200);
      await expectRefusal(`Negotiate ${token}`);
    });

    it('signs in each of many requests at the same time', async () => {
      const tokens: string[] = [];
      for (let at = 0; at < 20; at += 1) tokens.push(await tokenOf(alice));
      const answers = await Promise.all(tokens.map((token) => ask(`Negotiate ${token}`)));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    });
  });

  /** Each of these, also if there is an anonymous user. */
  const refusals = () => {
    it('are refused when the ticket is for another service', async () => {
      await expectRefusal(`Negotiate ${await tokenOf(alice, 'HTTP@elsewhere')}`);
    });

    it('are refused when the ticket is of another realm, though its service has our key', async () => {
      const theirs = await kdc.kinit('alice', 'alice', { realm: 'OTHER.TEST' });
      await expectRefusal(`Negotiate ${await tokenOf(theirs)}`);
    });

    it.each(['stranger', 'local-executor', 'alice/admin'])(
      'are refused when %s is no user of ours',
      async (name) => {
        await expectRefusal(`Negotiate ${await tokenOf(await kdc.kinit(name, name))}`);
      },
    );

    it.each<[name: string, token: string]>([
      ['nothing', ''],
      ['no base64', '!!!!'],
      ['half of base64', 'YII'],
      ['bytes', 'AAAA'],
      ['the head of a ticket', 'YIIC5QYGKwYBBQUCoIIC2TCCAtWgDTAL'],
      ['NTLM', Buffer.from('NTLMSSP\0\u0001\0\0\0').toString('base64')],
      ['64 kB', 'A'.repeat(64_004)],
    ])('are refused when the ticket is %s', async (_name, token) => {
      await expectRefusal(`Negotiate ${token}`);
    });

    it('are refused when one byte of the ticket was changed', async () => {
      const ticket = Buffer.from(await tokenOf(alice), 'base64');
      const at = ticket.length - 20;
      ticket[at] = (ticket[at] ?? 0) ^ 1;
      await expectRefusal(`Negotiate ${ticket.toString('base64')}`);
    });
  };

  describe('invalid tickets', () => {
    refusals();

    it('do not disturb the server, however many are sent', async () => {
      const ticket = Buffer.from(await tokenOf(alice), 'base64');
      const flood = Array.from({ length: 80 }, (_, at) => {
        const broken = Buffer.from(ticket.subarray(0, ticket.length - (at % 7)));
        broken[(at * 37) % broken.length] = at;
        return ask(`Negotiate ${broken.toString('base64')}`);
      });
      const statuses = (await Promise.all(flood)).map(({ status }) => status);
      expect(statuses.filter((status) => status !== 401 && status !== 200)).toEqual([]);
      expect((await ask(`Negotiate ${await tokenOf(alice)}`)).status).toBe(200);
    });

    it('are refused when they have expired', async () => {
      const until = shortLived.at + (1 + 2 * CLOCK_SKEW_SECONDS) * 1000;
      await eventually(Date.now, (now) => now > until);
      await expectRefusal(`Negotiate ${shortLived.token}`);
    });
  });

  describe('a negotiation with a further leg', () => {
    /** SPNEGO that offers Kerberos without a ticket: NegTokenInit { mechTypes }. */
    const offer = 'YBsGBisGAQUFAqARMA+gDTALBgkqhkiG9xIBAgI=';

    /** One after the other on one connection. */
    async function onOneConnection(...tokens: string[]) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const body = JSON.stringify({ query: viewer });
      const answers: { status: number | undefined; challenges: string | undefined; text: string }[] = [];
      for (const token of tokens)
        answers.push(
          await new Promise((resolve, reject) => {
            const headers = { 'content-type': 'application/json', authorization: `Negotiate ${token}` };
            const options = { method: 'POST', agent, headers };
            const request = httpRequest(`${app.url}/graphql`, options, async (response) => {
              let text = '';
              for await (const chunk of response) text += chunk;
              const { statusCode: status, headers: given } = response;
              resolve({ status, challenges: given['www-authenticate'], text });
            });
            request.once('error', reject).end(body);
          }),
        );
      agent.destroy();
      return answers;
    }

    /** The ticket alone, as the answer to the server's choice: NegTokenResp { responseToken }. */
    async function response(): Promise<string> {
      const { token } = await clientOf(alice, 'HTTP@localhost', kerberos.GSS_MECH_OID_KRB5);
      const tagged = (tag: number, content: Buffer): Buffer => {
        const head = Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]);
        return Buffer.concat([head, content]);
      };
      const token4 = tagged(0x04, Buffer.from(token, 'base64'));
      return tagged(0xa1, tagged(0x30, tagged(0xa2, token4))).toString('base64');
    }

    it('continues on the same connection', async () => {
      const [first, second] = await onOneConnection(offer, await response());
      expect(first).toMatchObject({
        status: 401,
        challenges: expect.stringContaining(`, Negotiate ${ANOTHER_LEG}`),
      });
      expect(second?.status).toBe(200);
      expect(JSON.parse(second?.text ?? '').data.viewer.username).toBe('alice');
    });

    it('does not sign in on another connection, nor with a message that belongs to no negotiation', async () => {
      await onOneConnection(offer);
      const [alone] = await onOneConnection(await response());
      expect(alone).toMatchObject({
        status: 401,
        challenges: expect.stringContaining(`Negotiate ${REJECT}`),
      });
      const [, second, third] = await onOneConnection(offer, 'AAAA', await response());
      expect([second?.status, third?.status]).toEqual([401, 401]);
    });
  });

  describe('settings', () => {
    const signIn = async (changes: Partial<KerberosSettings>, authorization: string) => {
      const { negotiate } = await import('../../../src/sign-in/methods/negotiate.ts');
      const method = negotiate({ ...settings, ...changes });
      await method.prepare?.();
      const request = { headers: { authorization }, address: null, publicUrl: app.url, connection: {} };
      return await method.signIn(request).then(
        (signedIn) => signedIn?.principal.username,
        (error) => error.code,
      );
    };

    it('add a suffix to the name', async () => {
      const { newUser } = await import('../../support/users.ts');
      await newUser({ username: 'alice@corp', password: 'the password of alice@corp' });
      expect(await signIn({ usernameSuffix: '@corp' }, `Negotiate ${await tokenOf(alice)}`)).toBe(
        'alice@corp',
      );
      expect(await signIn({ usernameSuffix: '@lab' }, `Negotiate ${await tokenOf(alice)}`)).toBe(
        'UNAUTHENTICATED',
      );
    });

    it('can create users on their first ticket, once each, but not for services', async () => {
      await kdc.addPrincipal('newcomer', 'newcomer');
      const theirs = await kdc.kinit('newcomer', 'newcomer');
      const createUsers = { role: 'GUEST' } as const;
      const tokens = [await tokenOf(theirs), await tokenOf(theirs), await tokenOf(theirs)];
      const found = await Promise.all(tokens.map((token) => signIn({ createUsers }, `Negotiate ${token}`)));
      expect(found).toEqual(['newcomer', 'newcomer', 'newcomer']);
      const { db } = await import('../../../src/platform/database/client.ts');
      expect(await db.user.findMany({ where: { usernameKey: 'newcomer' } })).toMatchObject([
        { role: 'GUEST' },
      ]);
      const service = await tokenOf(await kdc.kinit('alice/admin', 'alice/admin'));
      expect(await signIn({ createUsers }, `Negotiate ${service}`)).toBe('UNAUTHENTICATED');
    });

    it('prevent the start with a reason when they contradict each other', async () => {
      const { negotiate } = await import('../../../src/sign-in/methods/negotiate.ts');
      const failure = (changes: Partial<KerberosSettings>, importPackage?: () => Promise<never>) =>
        expect(negotiate({ ...settings, ...changes }, importPackage).prepare?.()).rejects;
      await failure({ service: 'HTTP@elsewhere' }).toThrow('KERBEROS_KEYTAB: cannot read a key');
      await failure({ keytab: join(kdc.folder, 'none') }).toThrow('KERBEROS_KEYTAB: cannot read a key');
      const missing = Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND' });
      await failure({}, () => Promise.reject(missing)).toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringContaining('kerberos@7.0.0'),
      });
      await negotiate(settings).prepare?.();
    });
  });

  describe('tickets next to an anonymous user', () => {
    beforeAll(async () => {
      const { newUser } = await import('../../support/users.ts');
      await newUser({ username: 'ghost', role: 'GUEST', password: 'the password of ghost' });
    });

    it('are not required: requests without one are the anonymous user', async () => {
      expect((await ask(null)).data.viewer).toEqual({ username: 'ghost', role: 'GUEST' });
    });

    refusals();
  });

  it('are refused without a failure when the keytab is missing', async () => {
    const token = await tokenOf(alice);
    await rm(kdc.keytab);
    expect((await ask(`Negotiate ${token}`)).status).toBeGreaterThanOrEqual(401);
    expect((await ask(app.admin)).status).toBe(200);
  });
});

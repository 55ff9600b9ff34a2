/** What may be used once is used once, also by twenty requests at the same time. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { holdAnswers } from '../support/statements.ts';
import { newUser } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';
import { acceptConsent, acceptLogin, challengeIn, redirectOf, signIn, untilConsent } from './browser.ts';
import { consent, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

const TIMES = 20;
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start();
});
afterAll(() => stage.stop());

const times = <T>(work: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: TIMES }, (_, at) => work(at)));
const settled = async <T>(work: () => Promise<T>, count = TIMES) => {
  const results = await Promise.allSettled(Array.from({ length: count }, work));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
};

describe('twenty at the same time', () => {
  it('accept one login: one subject counts', async () => {
    const who = stage.actors();
    const challenge = challengeIn(await redirectOf(who.browser, (await stage.request(scope)).url));
    const answers = await times((at) => acceptLogin(who, { challenge, subject: `person-${at}` }));
    const accepted = answers.flatMap((answer: Answer, at) => (answer.redirectTo ? [{ ...answer, at }] : []));
    expect(accepted).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'FAILED_PRECONDITION')).toHaveLength(TIMES - 1);
    const next = challengeIn(await redirectOf(who.browser, accepted[0]?.redirectTo));
    expect((await stage.consentRequest(next)).subject).toBe(`person-${accepted[0]?.at}`);
  });

  it('accept one consent: one counts', async () => {
    const who = stage.actors();
    const challenge = await untilConsent(who, (await stage.request(scope)).url);
    const answers = await times(() => acceptConsent(who, { challenge, grantScopes: ['openid'] }));
    expect(answers.filter(({ redirectTo }) => redirectTo)).toHaveLength(1);
  });

  it('redeem one code: at most one gets tokens, and nothing is left of them', async () => {
    const { url, checks } = await stage.request(scope);
    const answer = await signIn(stage.actors(), url, { login: { subject: 'coded' }, consent });
    const made = await settled(() => client.authorizationCodeGrant(stage.web, new URL(answer), checks));
    expect(made.length).toBeLessThanOrEqual(1);
    expect(await tokensLeftOf('coded')).toBe(0);
  });

  it('use one refresh token: at most one gets tokens, and nothing is left of them', async () => {
    const { refresh_token = '' } = await stage.tokens(stage.actors(), { login: { subject: 'refreshed' } });
    const made = await settled(() => client.refreshTokenGrant(stage.web, refresh_token));
    expect(made.length).toBeLessThanOrEqual(1);
    expect(await tokensLeftOf('refreshed')).toBe(0);
  });

  it('show one client assertion: one gets a token', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
    const settings = { grantTypes: ['client_credentials'], tokenEndpointAuthMethod: 'private_key_jwt', jwks };
    await mutate(stage.app, 'createOAuth2Client', { clientId: 'keyed', client: settings });
    const assertion = (audience: string) =>
      new SignJWT({ jti: `for ${audience}` })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer('keyed')
        .setSubject('keyed')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const send = async (client_assertion: string, headers: Record<string, string> = {}) => {
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const body = { grant_type: 'client_credentials', client_assertion_type, client_assertion };
      const response = await fetch(`${stage.app.url}/oauth2/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams(body),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const one = await assertion(stage.app.url);
    const statuses = await times(() => send(one));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(TIMES - 1);
    // An assertion for another server counts nowhere, whatever the request says about the host.
    const foreign = await assertion('https://evil.example/oauth2/token');
    const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect(await send(foreign, forwarded)).toBe(401);
  });

  it('come back with one pushed request: one gets a code', async () => {
    const { url } = await stage.request(scope);
    const parameters = new URL(url).searchParams;
    const pushed = await client.buildAuthorizationUrlWithPAR(stage.web, parameters);
    const ready = await times(async () => {
      const who = stage.actors();
      const challenge = await untilConsent(who, pushed.href);
      const { redirectTo } = await acceptConsent(who, { challenge, ...consent });
      return { who, redirectTo };
    });
    const answers = await Promise.all(
      ready.map(({ who, redirectTo }) => redirectOf(who.browser, redirectTo)),
    );
    const told = answers.map((answer) => new URL(answer).searchParams);
    expect(told.filter((answer) => answer.has('code'))).toHaveLength(1);
    expect(told.filter((answer) => answer.get('error') === 'invalid_request_uri')).toHaveLength(TIMES - 1);
  });

  it('show one proof of a key at the token endpoint: one gets a token', async () => {
    const proof = await newProof(`${stage.app.url}/oauth2/token`, 'POST');
    const answers = await times(async () => {
      const response = await fetch(`${stage.app.url}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: basic('web', stage.webSecret), dpop: proof },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'write' }),
      });
      return (await response.json()) as Answer;
    });
    expect(answers.filter(({ token_type }) => token_type === 'DPoP')).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_grant')).toHaveLength(TIMES - 1);
  });
});

describe('tokens that are being made when their authorization ends', () => {
  /** A user of Slipway, because a token for Slipway itself is not looked up when it is used. */
  const tokensOf = async (asked: string) => {
    const { id: subject } = await newUser();
    const { url, checks } = await stage.request(asked, {}, everything);
    const grantScopes = asked.split(' ');
    const answer = await signIn(stage.actors(), url, { login: { subject }, consent: { grantScopes } });
    return { subject, redeem: () => client.authorizationCodeGrant(everything, new URL(answer), checks) };
  };
  let everything: client.Configuration;
  beforeAll(async () => {
    everything = await stage.addClient('everything', { ...webSettings, scope: `${scope} all` });
  });

  type Redeem = () => Promise<client.TokenEndpointResponse>;
  const ends: readonly [string, (subject: string, redeem: Redeem) => Promise<unknown>][] = [
    ['because the code or the refresh token is used again', (_subject, redeem) => settled(redeem, 1)],
    [
      'because the person takes the consent back',
      (subject) => mutate(stage.app, 'revokeConsentSessions', { subject, all: true }, 'revokedConsents'),
    ],
  ];
  it.each(ends.flatMap(([why, end]) => ['code', 'refresh token'].map((what) => [why, what, end] as const)))(
    'are not given, %s (%s)',
    async (_why, what, end) => {
      const { subject, redeem: redeemCode } = await tokensOf(`${scope} all`);
      const refreshToken = what === 'code' ? '' : ((await redeemCode()).refresh_token ?? '');
      const redeem = what === 'code' ? redeemCode : () => client.refreshTokenGrant(everything, refreshToken);
      // The first of the new tokens is stored, and the second one is not.
      const answers = holdAnswers(/insert into oauth2_records/);
      const made = settled(redeem, 1);
      await eventually(
        () => answers.held,
        (held) => held === 1,
      );
      await end(subject, redeem);
      answers.release();
      expect(await made).toEqual([]);
      expect(await tokensLeftOf(subject)).toBe(0);
    },
  );
});

/** How many records there are of what was given in the name of a person. */
async function tokensLeftOf(subject: string): Promise<number> {
  const kinds = ['Grant', 'AuthorizationCode', 'AccessToken', 'RefreshToken'] as const;
  return await db.oAuth2Record.count({
    where: { kind: { in: [...kinds] }, accountId: { endsWith: `/${subject}` } },
  });
}

/** A proof of DPoP by a new key. */
async function newProof(htu: string, htm: string): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return await new SignJWT({ htm, htu, jti: 'once' })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
}

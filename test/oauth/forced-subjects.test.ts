/** What a login app calls people at clients with pairwise subjects. */
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type Answer, basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { newUser } from '../support/users.ts';
import { acceptLogin, Browser, challengeIn, redirectOf, signIn } from './browser.ts';
import { consent, Stage, scope, webSettings } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

const pairwise = { ...webSettings, subjectType: 'pairwise' };
const isMade = expect.stringMatching(/^pair-[\w-]{43}$/);

let stage: Stage;
let shop: client.Configuration;
beforeAll(async () => {
  stage = await Stage.start();
  shop = await stage.addClient('shop', pairwise);
});
afterAll(() => stage.stop());

/** Signs a person in. @returns `sub` for the client. */
async function subjectOf(login: object, by = shop, who = stage.actors()): Promise<string | undefined> {
  const { url, checks } = await stage.request(scope, {}, by);
  const answer = await signIn(who, url, { login: { remember: true, ...login }, consent });
  return (await client.authorizationCodeGrant(by, new URL(answer), checks)).claims()?.sub;
}

/** A login that waits for its app. */
const newLogin = async (by = shop) =>
  challengeIn(await redirectOf(new Browser(), (await stage.request(scope, {}, by)).url));
const accept = async (login: object): Promise<Answer> => await acceptLogin(stage.actors(), login);

async function storedOf(clientId: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select identifier from oauth2_forced_subjects
       join oauth2_clients on oauth2_clients.id = client_row_id where client_id = $1 order by identifier`,
    [clientId],
  );
  return rows.map(({ identifier }) => identifier);
}

describe('forceSubjectIdentifier of acceptLoginRequest', () => {
  it('is what the client knows the person by, also at later logins that say nothing', async () => {
    const login = { subject: 'anna' };
    expect(await subjectOf({ ...login, forceSubjectIdentifier: 'customer 1' })).toBe('customer 1');
    expect(await subjectOf(login)).toBe('customer 1');
    expect(await subjectOf({ ...login, forceSubjectIdentifier: '' })).toBe('customer 1');
    expect(await subjectOf({ subject: 'somebody else' })).toEqual(isMade);
  });

  it('takes the place of what was given before, which may then be of somebody else', async () => {
    expect(await subjectOf({ subject: 'bert', forceSubjectIdentifier: 'customer 2' })).toBe('customer 2');
    expect(await subjectOf({ subject: 'bert', forceSubjectIdentifier: 'customer 3' })).toBe('customer 3');
    expect(await subjectOf({ subject: 'carl', forceSubjectIdentifier: 'customer 2' })).toBe('customer 2');
  });

  it('can be given with a session that is used again', async () => {
    const who = stage.actors();
    expect(await subjectOf({ subject: 'dora' }, shop, who)).toEqual(isMade);
    expect(await subjectOf({ subject: 'dora', forceSubjectIdentifier: 'd' }, shop, who)).toBe('d');
  });

  it('counts at its client only, and not at others of the sector', async () => {
    const other = await stage.addClient('other', pairwise);
    expect(await subjectOf({ subject: 'emil', forceSubjectIdentifier: 'e' })).toBe('e');
    expect(await subjectOf({ subject: 'emil' }, other)).toEqual(isMade);
    expect(await subjectOf({ subject: 'fred', forceSubjectIdentifier: 'e' }, other)).toBe('e');
  });

  it('does nothing for a client with public subjects, also when it gets pairwise ones later', async () => {
    const by = await stage.addClient('open', webSettings);
    expect(await subjectOf({ subject: 'gina', forceSubjectIdentifier: 'g' }, by)).toBe('gina');
    const patch = [{ op: 'replace', path: '/subject_type', value: 'pairwise' }];
    await mutate(stage.app, 'patchOAuth2Client', { by: { clientId: 'open' }, patch });
    expect(await subjectOf({ subject: 'gina' }, by)).toEqual(isMade);
  });

  it('is never that of two people: the login is refused, and can be accepted in another way', async () => {
    expect(await subjectOf({ subject: 'hans', forceSubjectIdentifier: 'h' })).toBe('h');
    const challenge = await newLogin();
    const login = { challenge, subject: 'ines', forceSubjectIdentifier: 'h' };
    expect(await accept(login)).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'forceSubjectIdentifier'] },
      message: expect.stringContaining('another person'),
    });
    expect(await accept({ ...login, forceSubjectIdentifier: 'i' })).toHaveProperty('redirectTo');
  });

  it('goes to one of twenty people who get it at the same time', async () => {
    const challenges = await Promise.all(Array.from({ length: 20 }, () => newLogin()));
    const answers = await Promise.all(
      challenges.map((challenge, index) =>
        accept({ challenge, subject: `twin ${index}`, forceSubjectIdentifier: 'twin' }),
      ),
    );
    expect(answers.filter(({ redirectTo }) => redirectTo)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'INVALID_ARGUMENT')).toHaveLength(19);
  });

  it('is not stored if somebody else has answered the challenge', async () => {
    const challenge = await newLogin();
    await accept({ challenge, subject: 'jens' });
    const late = { challenge, subject: 'jens', forceSubjectIdentifier: 'too late' };
    expect(await accept(late)).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await storedOf('shop')).not.toContain('too late');
  });

  it.each([
    ['too long', 'x'.repeat(256)],
    ['not ASCII', 'zoë'],
    ['a line', 'a\nb'],
    ['like those that the server makes', 'pair-x'],
  ])('must not be %s', async (_what, forceSubjectIdentifier) => {
    const challenge = await newLogin();
    expect(await accept({ challenge, subject: 'kurt', forceSubjectIdentifier })).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', path: ['input', 'forceSubjectIdentifier'] },
    });
  });

  it('may have 255 characters, and spaces', async () => {
    const longest = `a ${'x'.repeat(253)}`;
    expect(await subjectOf({ subject: 'kurt', forceSubjectIdentifier: longest })).toBe(longest);
  });

  it('goes with its client', async () => {
    const by = await stage.addClient('short-lived', pairwise);
    await subjectOf({ subject: 'lars', forceSubjectIdentifier: 'l' }, by);
    expect(await storedOf('short-lived')).toEqual(['l']);
    const count = async () =>
      (await pool.query("select from oauth2_forced_subjects where identifier = 'l'")).rowCount;
    await mutate(stage.app, 'deleteOAuth2Client', { by: { clientId: 'short-lived' } });
    expect(await count()).toBe(0);
  });

  it('goes with its user', async () => {
    const by = await stage.addClient('staff', pairwise);
    const [one, two] = [await newUser(), await newUser()];
    await subjectOf({ subject: one.id, forceSubjectIdentifier: 'one' }, by);
    await subjectOf({ subject: two.id, forceSubjectIdentifier: 'two' }, by);
    expect(await storedOf('staff')).toEqual(['one', 'two']);
    const { username, password } = stage.app.secrets.administrator;
    const input = { by: { id: one.id } };
    const deleted = await mutate(stage.app, 'deleteUser', input, '', basic(username, password));
    expect(deleted).toMatchObject({ __typename: 'DeleteUserPayload' });
    expect(await storedOf('staff')).toEqual(['two']);
  });
});

/** Ways by which a caller could get more rights than granted. Each of them worked once. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';
import { holdAnswers } from '../support/statements.ts';
import { changeUser, newTenant, newUser, tokenOf } from '../support/users.ts';
import { eventually } from '../support/waiting.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const errorFields = '... on Error { code message }';
async function outcome(document: string, input: object, authorization: string): Promise<Answer> {
  const { data, errors } = await app.ask(document, { input }, authorization);
  return errors?.[0]?.extensions.code ?? Object.values(data as object)[0];
}
const createUser = (input: object, authorization: string) =>
  outcome(
    `mutation ($input: CreateUserInput!) { createUser(input: $input) {
       ... on CreateUserPayload { user { id } } ${errorFields} } }`,
    input,
    authorization,
  );

async function as(authorization: string, headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: JSON.stringify({ query: '{ viewer { username email } }' }),
  });
  await response.text();
  return response.status;
}

describe('an administrator', () => {
  it('cannot give an existing service account the role SYSTEM', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    const { user } = await createUser({ username: 'climber', kind: 'SERVICE_ACCOUNT' }, admin.authorization);
    const edit = `mutation ($input: EditUserInput!) { editUser(input: $input) { __typename ${errorFields} } }`;
    const promoted = await outcome(edit, { by: { id: user.id }, role: 'SYSTEM' }, admin.authorization);
    expect(promoted).toBe('PERMISSION_DENIED');
  });

  it('gets no further rights by impersonation with a limited key or a confined token', async () => {
    const target = await newUser({ role: 'USER' });
    const header = { 'x-slipway-impersonate-as': target.username };
    const wide = await newUser({ role: 'ADMIN' });
    expect(await as(wide.authorization, header)).toBe(200);
    const narrow = await newUser({ role: 'ADMIN', scopes: ['execution:read'] });
    expect(await as(narrow.authorization, header)).toBe(403);
    const id = await registerProject(app, 'confined-to');
    const confined = await tokenOf(app, wide.authorization, { resources: [{ type: 'PROJECT', id }] });
    expect(await as(confined, header)).toBe(403);
  });

  it('cannot create users with further rights when it uses a limited key', async () => {
    const narrow = await newUser({ role: 'ADMIN', scopes: ['user:*'] });
    const password = 'long enough for anybody';
    expect(await createUser({ username: 'w1', password }, narrow.authorization)).toBe('PERMISSION_DENIED');
    expect(await createUser({ username: 'w2', role: 'ADMIN' }, narrow.authorization)).toBe(
      'PERMISSION_DENIED',
    );
    expect((await createUser({ username: 'w3' }, narrow.authorization)).user).toBeTruthy();
  });

  it('of another tenant can use a name of the first tenant without affecting the sign-in there', async () => {
    const tenantId = await newTenant('crowded');
    const theirs = await newUser({ role: 'ADMIN', tenantId });
    const password = 'the same name, elsewhere';
    expect((await createUser({ username: 'admin', password }, theirs.authorization)).user).toBeTruthy();
    const first = `Basic ${Buffer.from(`admin:${app.secrets.administrator.password}`).toString('base64')}`;
    expect((await app.ask('{ viewer { username } }', {}, first)).status).toBe(200);
  });
});

describe('an access key', () => {
  it('cannot create a key that expires later', async () => {
    const { authorization, accessKey } = await newUser({ role: 'USER' });
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const edit = `mutation ($input: EditCredentialsInput!) { editCredentials(input: $input) { __typename } }`;
    await outcome(edit, { by: { accessKey }, expiresAt }, app.admin);
    const create = `mutation ($input: CreateCredentialsInput!) { createCredentials(input: $input) {
      ... on CreateCredentialsPayload { credential { expiresAt } } ${errorFields} } }`;
    expect(await outcome(create, {}, authorization)).toEqual({ credential: { expiresAt } });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await outcome(create, { expiresAt: later }, authorization)).toBe('PERMISSION_DENIED');
  });
});

describe('a request whose body comes long after its headers', () => {
  it('is decided by the rights of its caller when the body has arrived', async () => {
    const admin = await newUser({ role: 'ADMIN' });
    const body = JSON.stringify({
      query: 'mutation { createUser(input: { username: "too-late" }) { __typename } }',
    });
    const { port } = new URL(app.url);
    const signIns = holdAnswers(/^select account\.id as "userId"/);
    let finish = () => {};
    const answer = new Promise<string>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          path: '/graphql',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            authorization: admin.authorization,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece) => {
            text += piece;
          });
          response.on('end', () => resolve(text));
        },
      ).on('error', reject);
      sent.write(body.slice(0, 10));
      finish = () => sent.end(body.slice(10));
    });
    // The server has already read the caller from the headers.
    await eventually(
      () => signIns.held,
      (held) => held === 1,
    );
    await changeUser(admin.username, { disabledAt: new Date() });
    signIns.release();
    finish();
    expect(JSON.parse(await answer).errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});

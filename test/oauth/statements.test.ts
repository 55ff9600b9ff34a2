/** How many statements the endpoints take that resource servers and programs call most. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { countStatements } from '../support/statements.ts';
import { Stage } from './stage.ts';

vi.hoisted(() => {
  process.env['OAUTH_LOGIN_URL'] = 'https://login.example/login';
  process.env['OAUTH_CONSENT_URL'] = 'https://login.example/consent';
});

/** How the statements begin. */
const client = 'select client.id';
const stored = 'insert into oauth2_records';
const found = 'select kind::text, payload';
const consent = 'SELECT "t0"."grant_id"';

let stage: Stage;
let secrets: Readonly<Record<string, string>>;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  stage = await Stage.start();
  const settings = { grantTypes: ['client_credentials'], scope: 'write project:read' };
  const add = async (clientId: string, more: object) => {
    const input = { clientId, client: { ...settings, ...more } };
    return (await mutate(stage.app, 'createOAuth2Client', input, 'clientSecret')).clientSecret;
  };
  secrets = {
    opaque: await add('opaque', {}),
    jwt: await add('jwt', { accessTokenStrategy: 'jwt' }),
    web: stage.webSecret,
    [stage.app.secrets.executor.accessKey]: stage.app.secrets.executor.secretKey,
  };
  const made = await stage.tokens();
  tokens['an access token of a person'] = made.access_token;
  tokens['a refresh token of a person'] = made.refresh_token ?? '';
  for (const clientId of ['opaque', 'jwt', 'web'])
    tokens[`an access token of the client ${clientId}`] = (await tokenOf(clientId)).access_token;
});
afterAll(() => stage.stop());

async function post(path: string, clientId: string, form: Record<string, string>) {
  const response = await fetch(`${stage.app.url}${path}`, {
    method: 'POST',
    headers: { authorization: basic(clientId, secrets[clientId] ?? '') },
    body: new URLSearchParams(form),
  });
  return (await response.json()) as { access_token: string; active: boolean };
}
const tokenOf = (clientId: string, form: Record<string, string> = {}) =>
  post('/oauth2/token', clientId, { grant_type: 'client_credentials', ...form });

describe('client_credentials', () => {
  it.each(['opaque', 'jwt'])(
    'reads the client %s and stores the token, and asks nothing else',
    async (clientId) => {
      const wanted = [client, stored];
      const { result, statements } = await countStatements(() => tokenOf(clientId));
      expect(result.access_token).toBeDefined();
      expect(beginnings(statements, wanted)).toEqual(wanted);
    },
  );

  it('reads nothing of an access key that it knows, and stores a token and its audit record', async () => {
    const { accessKey } = stage.app.secrets.executor;
    await tokenOf(accessKey);
    const { result, statements } = await countStatements(() => tokenOf(accessKey));
    expect(result.access_token).toBeDefined();
    const wanted = [stored, 'BEGIN', 'insert into audit_events', 'COMMIT'];
    expect(beginnings(statements, wanted)).toEqual(wanted);
  });
});

describe('introspection', () => {
  it.each([
    ['an access token of the client opaque', 'opaque', [client, found]],
    ['an access token of the client jwt', 'jwt', [client, found]],
    ['an access token of a person', 'web', [client, found, found, consent]],
    ['a refresh token of a person', 'web', [client, found, found, consent]],
  ])('of %s', async (name, clientId, wanted) => {
    const ask = () => post('/oauth2/introspect', clientId, { token: tokens[name] ?? '' });
    const { result, statements } = await countStatements(ask);
    expect(result.active).toBe(true);
    expect(beginnings(statements, wanted)).toEqual(wanted);
  });

  it('of an unknown text reads the client and looks for all kinds of tokens at once', async () => {
    const ask = () => post('/oauth2/introspect', 'web', { token: 'abc' });
    const { result, statements } = await countStatements(ask);
    expect(result).toEqual({ active: false });
    expect(beginnings(statements, [client, found])).toEqual([client, found]);
  });
});

/** The statements, each cut to the length of the one that is expected there. */
const beginnings = (statements: readonly string[], wanted: readonly string[]) =>
  statements.map((text, at) => text.slice(0, wanted[at]?.length ?? 200));

/** What anybody may read about how to sign in, as GraphQL and over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const document = async (path: string) => {
  const response = await fetch(`${app.url}${path}`);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return await response.json();
};
const stranger = async (query: string) => (await app.ask(query, {}, null)).data;

const fields: readonly [field: string, member: string][] = [
  ['issuer', 'issuer'],
  ['authorizationEndpoint', 'authorization_endpoint'],
  ['tokenEndpoint', 'token_endpoint'],
  ['deviceAuthorizationEndpoint', 'device_authorization_endpoint'],
  ['jwksUri', 'jwks_uri'],
  ['userinfoEndpoint', 'userinfo_endpoint'],
  ['revocationEndpoint', 'revocation_endpoint'],
  ['introspectionEndpoint', 'introspection_endpoint'],
  ['endSessionEndpoint', 'end_session_endpoint'],
  ['responseTypesSupported', 'response_types_supported'],
  ['scopesSupported', 'scopes_supported'],
  ['grantTypesSupported', 'grant_types_supported'],
  ['tokenEndpointAuthMethodsSupported', 'token_endpoint_auth_methods_supported'],
  ['codeChallengeMethodsSupported', 'code_challenge_methods_supported'],
];

describe('oauth2Metadata', () => {
  it.each(fields)('says %s to a stranger, as the document says %s', async (field, member) => {
    const { oauth2Metadata } = await stranger(`{ oauth2Metadata { ${field} } }`);
    const written = await document('/.well-known/oauth-authorization-server');
    expect(oauth2Metadata).toEqual({ [field]: written[member] ?? null });
  });

  it('names the endpoints of this server, and only PKCE with S256', async () => {
    const { oauth2Metadata } = await stranger(
      '{ oauth2Metadata { issuer authorizationEndpoint tokenEndpoint jwksUri codeChallengeMethodsSupported } }',
    );
    expect(oauth2Metadata).toEqual({
      issuer: app.url,
      authorizationEndpoint: `${app.url}/oauth2/auth`,
      tokenEndpoint: `${app.url}/oauth2/token`,
      jwksUri: `${app.url}/.well-known/jwks.json`,
      codeChallengeMethodsSupported: ['S256'],
    });
  });
});

const selected = 'clientId redirectUri scopes authorizationMetadataKey serviceHttpEndpoint audience';
const ask = async () => (await stranger(`{ publicClientConfig { ${selected} } }`)).publicClientConfig;

describe('publicClientConfig', () => {
  it('makes the client once, however many strangers ask first at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, ask));
    for (const answer of answers)
      expect(answer).toEqual({
        clientId: 'flytectl',
        redirectUri: 'http://localhost:53593/callback',
        scopes: ['all', 'offline'],
        authorizationMetadataKey: 'authorization',
        serviceHttpEndpoint: app.url,
        audience: app.url,
      });
    const { rows } = await pool.query("select 1 from oauth2_clients where client_id = 'flytectl'");
    expect(rows).toHaveLength(1);
  });

  it('says the same over HTTP, in the names of Flyte', async () => {
    expect(await document('/config/v1/flyte_client')).toEqual({
      client_id: 'flytectl',
      redirect_uri: 'http://localhost:53593/callback',
      scopes: ['all', 'offline'],
      authorization_metadata_key: 'authorization',
      service_http_endpoint: app.url,
      audience: app.url,
    });
  });

  it('has a client that is public, in the first tenant, and can be changed by its administrator', async () => {
    const { data } = await app.ask(
      '{ oauth2Client(by: { clientId: "flytectl" }) { tokenEndpointAuthMethod redirectUris } }',
    );
    expect(data.oauth2Client).toEqual({
      tokenEndpointAuthMethod: 'none',
      redirectUris: ['http://localhost:53593/callback'],
    });
    const redirect = 'http://localhost:8089/back';
    const path = '/redirect_uris/0';
    const by = { clientId: 'flytectl' };
    await mutate(app, 'patchOAuth2Client', { by, patch: [{ op: 'replace', path, value: redirect }] });
    expect(await ask()).toMatchObject({ redirectUri: redirect });
    await mutate(app, 'patchOAuth2Client', { by, patch: [{ op: 'remove', path }] });
    expect(await ask()).toBeNull();
    expect((await fetch(`${app.url}/config/v1/flyte_client`)).status).toBe(404);
  });

  it('keeps its id from others, also before the client is made', async () => {
    await mutate(app, 'deleteOAuth2Client', { by: { clientId: 'flytectl' } });
    const refused = await mutate(app, 'createOAuth2Client', { clientId: 'flytectl', client: {} });
    expect(refused).toMatchObject({ problems: [{ path: ['input', 'clientId'], code: 'InvalidValue' }] });
    expect(await ask()).toMatchObject({ redirectUri: 'http://localhost:53593/callback' });
  });
});

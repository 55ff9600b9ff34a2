/** Identity providers, and accounts there, for tests that only need some to exist. */
import type { App } from './app.ts';
import { make } from './mutate.ts';

/** A provider, with the account of the administrator. @returns the id of the link. */
export async function linkIdentity(app: App, name = 'okta', more: object = {}): Promise<string> {
  const identityProvider = { name, issuer: `https://${name}.example`, clientId: 'slipway', ...more };
  await make(app, 'createIdentityProvider', { identityProvider }, 'identityProvider');
  const { username } = app.secrets.administrator;
  const link = { identityProvider: { name }, user: { username }, subject: `subject-of-${name}` };
  return await make(app, 'createIdentityLink', link, 'identityLink');
}

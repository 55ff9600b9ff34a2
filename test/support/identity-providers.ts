/** Identity providers, and accounts there, for tests that only need some to exist. */
import type { App } from './app.ts';
import { make } from './mutate.ts';
import { newUser } from './users.ts';

/** A provider with a group and with the account of a new user. @returns the id of the link. */
export async function linkIdentity(app: App, name = 'okta'): Promise<string> {
  const group = await make(app, 'createGroup', { name: `people of ${name}` }, 'group');
  const identityProvider = {
    ...{ name, issuer: `https://${name}.example`, clientId: 'slipway', groupsClaim: 'groups' },
    groups: [{ value: 'all', group: { id: group } }],
  };
  await make(app, 'createIdentityProvider', { identityProvider }, 'identityProvider');
  const { id } = await newUser();
  const link = { identityProvider: { name }, user: { id }, subject: `subject-of-${name}` };
  return await make(app, 'createIdentityLink', link, 'identityLink');
}

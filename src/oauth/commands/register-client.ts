import { findTenant } from '../../identity/store/tenants.ts';
import { type Caller, systemCaller } from '../../platform/caller.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { metadataName } from '../domain/client-patch.ts';
import { readSettings } from '../domain/client-settings.ts';
import { type Metadata, metadataIn, RegistrationFault, settingsIn } from '../domain/registration.ts';
import { newRegistrationToken, registrationUriOf } from '../registration-tokens.ts';
import type { ClientRow } from '../store/clients.ts';
import { findRegisteredClient, replaceRegistrationToken } from '../store/registered-clients.ts';
import { changeClient } from './change-client.ts';
import { createOAuth2Client } from './create-oauth2-client.ts';
import { deleteOAuth2Client } from './delete-oauth2-client.ts';

/** Clients that register themselves, and manage their registration. Source: RFC 7591, RFC 7592. */

/** What a client reads about itself. */
export type Registration = Readonly<Record<string, unknown>>;

/** The registration token does not open this client; perhaps there is no such client. */
export class WrongRegistrationTokenError extends Error {}

/** How a client shows later that it is the one that has registered itself. */
interface Key {
  readonly clientId: string;
  readonly token: string;
}

/** The registration is recorded in the audit log as done by the client, because nobody else is known. */
const callerOf = (tenantId: string, clientId: string, address: string | null): Caller => ({
  ...systemCaller(tenantId, newId()),
  ...{ username: `oauth2 client ${clientId}`, address },
});

/** The settings in the metadata of a client. @throws RegistrationFault, InvalidArgumentError */
const settingsOf = (metadata: Metadata) =>
  readSettings(settingsIn(metadata, serverConfig.oauth.registration.scopes), [], metadataName);

/** @throws RegistrationFault with the first problem of the metadata. */
async function namingFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [problem] = error instanceof InvalidArgumentError ? error.problems : [];
    if (!problem) throw error;
    // The command knows the settings by the names of its own input.
    const place = problem.path.filter((part) => part !== 'input' && part !== 'client').map(metadataName);
    const isRedirect = place[0] === 'redirect_uris';
    const message = `${place.join('.')} ${problem.message}`;
    throw new RegistrationFault(message, isRedirect ? 'invalid_redirect_uri' : undefined);
  }
}

/**
 * Registers a client in the tenant of OAUTH_REGISTRATION_TENANT.
 *
 * @param issuer  the URL of the server for its callers.
 * @throws RegistrationFault
 */
export async function registerClient(
  issuer: string,
  metadata: Metadata,
  address: string | null,
): Promise<Registration> {
  const { tenant: name } = serverConfig.oauth.registration;
  const tenant = await findTenant({ name });
  if (!tenant) throw new Error(`the tenant ${name} of OAUTH_REGISTRATION_TENANT does not exist`);
  const clientId = newId();
  const caller = callerOf(tenant.id, clientId, address);
  const made = await namingFaults(async () => {
    const settings = settingsOf(metadata);
    return await createOAuth2Client(caller, { clientId, clientSecret: null, settings });
  });
  const { client, clientSecret, registrationToken: token } = made;
  if (token === null) throw new Error('clients cannot register themselves unless OAUTH_REGISTRATION is on');
  return answerOf(issuer, client, { clientId, token }, clientSecret);
}

/** @throws WrongRegistrationTokenError */
export async function readRegistration(issuer: string, key: Key): Promise<Registration> {
  return answerOf(issuer, await requireClient(key), key, null);
}

/**
 * Replaces all settings, and the registration token. Of two updates with the same token, one succeeds.
 *
 * @throws WrongRegistrationTokenError; RegistrationFault, then the token stays valid.
 */
export async function updateRegistration(
  issuer: string,
  key: Key,
  metadata: Metadata,
  address: string | null,
): Promise<Registration> {
  const client = await requireClient(key);
  if (metadata['client_id'] !== key.clientId)
    throw new RegistrationFault('client_id must be the id of this client');
  if (metadata['client_secret'] !== undefined)
    throw new RegistrationFault('client_secret cannot be chosen; leave it out to keep it');
  const next = { clientId: key.clientId, token: newRegistrationToken() };
  const caller = callerOf(client.tenantId, key.clientId, address);
  const change = await namingFaults(async () => {
    const settings = settingsOf(metadata);
    return await changeClient(caller, client, (before) => ({ ...before, ...settings }), {
      placeOf: (setting) => [metadataName(setting)],
      async also(tx) {
        if (!(await replaceRegistrationToken(tx, client.id, key.token, next.token)))
          throw new WrongRegistrationTokenError();
      },
    });
  });
  return answerOf(issuer, change.client, next, change.clientSecret);
}

/** @throws WrongRegistrationTokenError */
export async function deleteRegistration(key: Key, address: string | null): Promise<void> {
  const client = await requireClient(key);
  await deleteOAuth2Client(callerOf(client.tenantId, key.clientId, address), client);
}

async function requireClient({ clientId, token }: Key): Promise<ClientRow> {
  const client = await findRegisteredClient(clientId, token);
  if (!client) throw new WrongRegistrationTokenError();
  return client;
}

const answerOf = (
  issuer: string,
  { clientId, settings, createdAt }: ClientRow,
  { token }: Key,
  clientSecret: string | null,
): Registration => ({
  client_id: clientId,
  client_id_issued_at: Math.floor(createdAt.getTime() / 1000),
  ...(clientSecret === null ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 }),
  ...metadataIn(settings),
  registration_access_token: token,
  registration_client_uri: registrationUriOf(issuer, clientId),
});

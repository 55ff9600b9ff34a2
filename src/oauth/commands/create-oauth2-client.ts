import { recordChange } from '../../authorization/audit.ts';
import { nameUnavailable } from '../../authorization/name-conflict.ts';
import type { Caller } from '../../platform/caller.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { hashChosenSecret, makeSecret } from '../client-secrets.ts';
import {
  clientIdProblems,
  noLifespans,
  readSettings,
  secretProblems,
  usesSecret,
} from '../domain/client-settings.ts';
import { isOwnClient } from '../domain/own-clients.ts';
import { newRegistrationToken } from '../registration-tokens.ts';
import { readSectorDocument } from '../sector-document.ts';
import { type ClientRow, insertClient, insertSecret, readClients } from '../store/clients.ts';
import { hashOf } from '../store/records.ts';
import { requireServiceAccount } from './require-service-account.ts';

/** A client, and its secret if the call has made or set one. */
export interface ClientWithSecret {
  readonly client: ClientRow;
  /** Shown once. */
  readonly clientSecret: string | null;
}

export interface NewClient extends ClientWithSecret {
  /** With which the client manages its registration, shown once; null if the server does not let clients do so. */
  readonly registrationToken: string | null;
}

/**
 * Registers a client in the caller's tenant. A client that needs a secret and brings none gets one.
 *
 * @param wanted.clientId  null: the server chooses one.
 * @throws InvalidArgumentError with all problems; PermissionDeniedError if the caller may not let it act as its service
 * account; AlreadyExistsError if the tenant has a client with this id;
 * InvalidArgumentError `NameUnavailable` if another tenant has one. Source: Hydra's createOAuth2Client.
 */
export async function createOAuth2Client(
  caller: Caller,
  wanted: {
    readonly clientId: string | null;
    readonly clientSecret: string | null;
    readonly settings: object;
  },
): Promise<NewClient> {
  const { tenantId } = caller;
  const clientId = wanted.clientId ?? newId();
  const path = ['input', 'client'];
  const settings = readSettings(wanted.settings, path);
  const problems = clientIdProblems(clientId, ['input', 'clientId']);
  if (isOwnClient(clientId))
    problems.push({
      path: ['input', 'clientId'],
      code: 'InvalidValue',
      message: 'is the id of a client that the server makes itself, when it is first used',
    });
  const chosen = usesSecret(settings) ? wanted.clientSecret : null;
  if (chosen !== null) problems.push(...secretProblems(chosen, ['input', 'clientSecret']));
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  await readSectorDocument(null, settings, (setting) => [...path, setting]);
  const newSecret = async () => (chosen === null ? makeSecret() : await hashChosenSecret(chosen));
  const secret = usesSecret(settings) ? await newSecret() : null;
  const registrationToken = serverConfig.oauth.registration.isOn ? newRegistrationToken() : null;
  try {
    const client = await inTransaction(async (tx) => {
      const stored = { ...settings, lifespans: noLifespans };
      const registrationTokenHash = registrationToken === null ? null : hashOf(registrationToken);
      const row = await insertClient(tx, { tenantId, clientId, registrationTokenHash }, stored);
      if (secret) await insertSecret(tx, row, secret.hash);
      await requireServiceAccount(tx, caller, row);
      await recordChange(tx, caller, {
        action: 'oauth2Client:administer',
        target: { type: 'oauth2 client', id: row.id, name: clientId },
        after: settings,
      });
      return row;
    });
    return { client, clientSecret: secret?.secret ?? null, registrationToken };
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const path = ['input', 'clientId'];
    const [own] = await readClients(tenantId, [{ clientId }]);
    throw own
      ? new AlreadyExistsError(`oauth2 client ${clientId} already exists`, { path })
      : nameUnavailable(path);
  }
}

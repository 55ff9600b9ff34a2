import type { Caller } from '../../platform/caller.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { hashChosenSecret, makeSecret } from '../client-secrets.ts';
import { secretProblems, usesSecret } from '../domain/client-settings.ts';
import type { PlaceOf } from '../domain/sectors.ts';
import { readSectorDocument, requireInSector } from '../sector-document.ts';
import {
  type ClientRow,
  hasSecrets,
  insertSecret,
  keepSecrets,
  type StoredSettings,
  storeSettings,
} from '../store/clients.ts';
import { removeServiceTokens } from '../store/token-records.ts';
import type { ClientWithSecret } from './create-oauth2-client.ts';
import { onLockedClient } from './on-locked-client.ts';
import { requireServiceAccount } from './require-service-account.ts';

export interface ClientChange {
  /** Where the caller finds a setting in the input. */
  readonly placeOf: PlaceOf;
  /** The only secret from now on; null keeps the secrets. */
  readonly chosen?: string | null;
  /** More work in the same transaction. If it throws, nothing is changed. */
  readonly also?: (tx: Tx) => Promise<void>;
}

/**
 * Changes the settings of a client. A client that begins to use a secret and brings none gets one; a client that stops
 * using a secret loses its secrets; if it acts as another service account or none, its tokens of the earlier one end.
 *
 * @param decide  the settings from now on. It may throw, and is called twice.
 * @throws NotFoundError; InvalidArgumentError; PermissionDeniedError if the caller may not let the client act as its service
 * account.
 */
export async function changeClient(
  caller: Caller,
  { id, clientId, settings }: Pick<ClientRow, 'id' | 'clientId' | 'settings'>,
  decide: (before: StoredSettings) => StoredSettings,
  { placeOf, chosen = null, also = async () => {} }: ClientChange,
): Promise<ClientWithSecret> {
  const problems = chosen === null ? [] : secretProblems(chosen, ['input', 'clientSecret']);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const hashed = chosen === null ? null : await hashChosenSecret(chosen);
  const document = await readSectorDocument(settings, decide(settings), placeOf);
  return await onLockedClient(caller, { id, clientId }, async (tx, before) => {
    await also(tx);
    const after = decide(before.settings);
    requireInSector(document, before.settings, after, placeOf);
    const client = await storeSettings(tx, id, after);
    await requireServiceAccount(tx, caller, client);
    if (before.settings.serviceAccount && before.settings.serviceAccount !== after.serviceAccount)
      await removeServiceTokens(tx, id);
    const isAsked = usesSecret(after) && (hashed !== null || !(await hasSecrets(tx, id)));
    const secret = isAsked ? (hashed ?? makeSecret()) : null;
    if (secret) await insertSecret(tx, client, secret.hash);
    if (!usesSecret(after)) await keepSecrets(tx, id, 0);
    else if (hashed) await keepSecrets(tx, id, 1);
    const changed = (Object.keys(after) as (keyof StoredSettings)[]).filter(
      (name) => JSON.stringify(before.settings[name]) !== JSON.stringify(after[name]),
    );
    const pick = (settings: StoredSettings) =>
      Object.fromEntries(changed.map((name) => [name, settings[name]]));
    return {
      result: { client, clientSecret: secret?.secret ?? null },
      before: pick(before.settings),
      after: { ...pick(after), ...(secret ? { hasNewSecret: true } : {}) },
    };
  });
}

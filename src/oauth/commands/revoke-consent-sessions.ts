import { recordChange } from '../../authorization/audit.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { type ConsentSelection, removeConsents } from '../store/consent-sessions.ts';
import { endGrants } from '../store/records.ts';

export interface RevokedConsents extends ConsentSelection {
  /** True: of all clients. */
  readonly all: boolean;
}

/**
 * Takes back what a person has allowed: the consents are deleted, and the tokens of their authorizations end.
 *
 * @returns how many consents there were; 0 is no error.
 * @throws InvalidArgumentError unless the input says which ones: a subject alone could mean too much. Source: Hydra's
 * revokeConsentSessions.
 */
export async function revokeConsentSessions(caller: Caller, input: RevokedConsents): Promise<number> {
  const { all, ...selection } = input;
  const { subject, clientId, consentRequestId } = selection;
  const path = ['input'];
  if (consentRequestId === null && subject === null)
    throw InvalidArgumentError.of(path, 'give a subject or a consentRequestId');
  if (consentRequestId === null && (clientId === null) !== all)
    throw InvalidArgumentError.of(path, 'give either a clientId or all: true');
  return await inTransaction(async (tx) => {
    const grantIds = await removeConsents(tx, caller.tenantId, selection);
    await endGrants(tx, grantIds);
    await recordChange(tx, caller, {
      action: 'consentSession:revoke',
      target: { type: 'consent session', id: null, name: subject ?? consentRequestId },
      after: { clientId, all, consentRequestId, revokedConsents: grantIds.length },
    });
    return grantIds.length;
  });
}

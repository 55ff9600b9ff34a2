import { createHmac } from 'node:crypto';
import { accountOf } from './domain/accounts.ts';
import { MADE_PREFIX } from './domain/forced-subjects.ts';
import { isPairwise, type SectorSettings, sectorOf } from './domain/sectors.ts';
import { findForcedSubject, saltOf } from './store/pairwise-subjects.ts';

/** The part of a client that decides what people are called there. */
export interface SubjectClient {
  readonly id: string;
  readonly tenantId: string;
  readonly settings: SectorSettings;
}

/**
 * What a client knows a person by: `sub` in everything that it gets. With pairwise subjects it is what a login app has
 * said, or else a text that is the same for all clients of the sector, and says nothing about the person.
 *
 * Source: OpenID Connect Core §8, and Hydra.
 */
export async function subjectFor(client: SubjectClient, accountId: string): Promise<string> {
  if (!isPairwise(client.settings)) return accountOf(accountId).subject;
  return (await findForcedSubject(client.id, accountId)) ?? (await madeSubject(client, accountId));
}

/**
 * All that a person may be called in ID tokens of a client: these were issued before, and a login app or an administrator
 * may have changed something since. Source: Hydra.
 */
export async function subjectsInIdTokens(client: SubjectClient, accountId: string): Promise<string[]> {
  const { subject } = accountOf(accountId);
  if (!isPairwise(client.settings)) return [subject];
  return [subject, await subjectFor(client, accountId), await madeSubject(client, accountId)];
}

async function madeSubject({ tenantId, settings }: SubjectClient, accountId: string): Promise<string> {
  const sector = sectorOf(settings);
  // The settings of clients are checked before they are stored.
  if (sector === null) throw new Error('a client with pairwise subjects has no sector');
  const hash = createHmac('sha256', await saltOf(tenantId)).update(`${sector}\0${accountId}`);
  return `${MADE_PREFIX}${hash.digest('base64url')}`;
}

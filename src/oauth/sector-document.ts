import { serverConfig } from '../platform/config/server.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { guardedFetch } from '../platform/guarded-fetch.ts';
import {
  needsSectorDocument,
  type PlaceOf,
  redirectUrisIn,
  type SectorDocument,
  type SectorSettings,
  sectorProblems,
} from './domain/sectors.ts';

/**
 * Reads what the owner of the sector of a client has written, if the client did not belong to the sector before.
 *
 * @returns null if nothing had to be read.
 * @throws InvalidArgumentError if it cannot be read, or if a redirect URI of the client is not in it.
 */
export async function readSectorDocument(
  before: SectorSettings | null,
  after: SectorSettings,
  placeOf: PlaceOf,
): Promise<SectorDocument | null> {
  const { sectorIdentifierUri: uri } = after;
  if (!uri || !needsSectorDocument(before, after)) return null;
  const unreadable = (message: string) => InvalidArgumentError.of(placeOf('sectorIdentifierUri'), message);
  const headers = { accept: 'application/json' };
  const response = await guardedFetch(uri, { headers }, serverConfig.oauth.privateAddresses).catch(
    () => null,
  );
  if (!response) throw unreadable('the server at this address does not answer');
  if (response.status !== 200)
    throw unreadable(`the server at this address answers with the status ${response.status}`);
  const redirectUris = redirectUrisIn(await response.json().catch(() => null));
  if (!redirectUris) throw unreadable('the document at this address is not a JSON array of redirect URIs');
  const document = { uri, redirectUris };
  requireInSector(document, before, after, placeOf);
  return document;
}

/**
 * Checks once more what is stored now, because somebody may have changed the client while the document was read.
 *
 * @throws InvalidArgumentError
 */
export function requireInSector(
  document: SectorDocument | null,
  before: SectorSettings | null,
  after: SectorSettings,
  placeOf: PlaceOf,
): void {
  const problems = needsSectorDocument(before, after) ? sectorProblems(document, after, placeOf) : [];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}

import type { Problem } from '../../platform/errors.ts';
import { webUriFault } from './client-uris.ts';

/**
 * Clients with pairwise subjects know a person by a name that only the clients of one sector share, so nobody can put
 * together what clients of different sectors know. Source: OpenID Connect Core §8.1.
 */

export const subjectTypes = ['public', 'pairwise'] as const;

/** The settings that decide about the sector of a client. */
export interface SectorSettings {
  readonly subjectType: string;
  /** Clients that were stored by older releases do not have it. */
  readonly sectorIdentifierUri?: string | null;
  readonly redirectUris: readonly string[];
}

export const isPairwise = ({ subjectType }: Pick<SectorSettings, 'subjectType'>): boolean =>
  subjectType === 'pairwise';

/** The hosts of the redirect URIs. The scheme of an application has none, whatever follows it. */
const hostsOf = (redirectUris: readonly string[]): string[] => {
  const urls = redirectUris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri));
  return [...new Set(urls.map(({ protocol, hostname }) => (/^https?:$/.test(protocol) ? hostname : '')))];
};

/** The host that stands for the sector of a client; null if its settings do not name one. */
export function sectorOf({ sectorIdentifierUri, redirectUris }: SectorSettings): string | null {
  if (sectorIdentifierUri) return new URL(sectorIdentifierUri).hostname;
  const [host, ...others] = hostsOf(redirectUris);
  return others.length === 0 ? (host ?? '') || null : null;
}

export const sectorUriFault = (uri: string): string | null =>
  webUriFault(uri) ?? (new URL(uri).protocol === 'https:' ? null : 'must begin with https://');

/** What is wrong with a sector identifier URI that is left out; null if nothing is. */
export const missingSectorFault = (settings: SectorSettings): string | null =>
  isPairwise(settings) && sectorOf({ ...settings, sectorIdentifierUri: null }) === null
    ? 'is required for pairwise subjects, unless the redirect URIs have one host'
    : null;

/** What the owner of a sector has written at its URI. */
export interface SectorDocument {
  readonly uri: string;
  readonly redirectUris: readonly string[];
}

/** Null if it is not a list of redirect URIs. */
export const redirectUrisIn = (json: unknown): string[] | null =>
  Array.isArray(json) && json.every((one) => typeof one === 'string') ? json : null;

/** Whether the document of the sector must be read before a client gets these settings. */
export function needsSectorDocument(before: SectorSettings | null, after: SectorSettings): boolean {
  if (!after.sectorIdentifierUri) return false;
  const isSame =
    before?.sectorIdentifierUri === after.sectorIdentifierUri &&
    after.redirectUris.every((uri) => before.redirectUris.includes(uri));
  return !isSame;
}

/** Where the caller finds a setting in the input. */
export type PlaceOf = (setting: string) => readonly string[];

/** @param document  null if it was not read. */
export function sectorProblems(
  document: SectorDocument | null,
  { sectorIdentifierUri, redirectUris }: SectorSettings,
  placeOf: PlaceOf,
): Problem[] {
  const fault = (message: string): Problem[] => [
    { path: placeOf('sectorIdentifierUri'), code: 'InvalidValue', message },
  ];
  if (document === null || document.uri !== sectorIdentifierUri)
    return fault('was changed by somebody else at the same time; try again');
  const missing = redirectUris.find((uri) => !document.redirectUris.includes(uri));
  return missing === undefined ? [] : fault(`the document at this address does not contain ${missing}`);
}

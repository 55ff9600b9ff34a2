import type { OAuth2RecordKind } from '../../generated/prisma/enums.ts';
import { findRecords, type StoredRecord } from '../store/records.ts';

interface Search {
  readonly kinds: OAuth2RecordKind[];
  readonly records: ReturnType<typeof findRecords>;
}

/** The searches that have not begun, by the id of the token. */
const searches = new Map<string, Search>();

/**
 * The record of a token. The engine does not know of which kind a token is, and looks for all kinds at the same moment:
 * one statement answers this.
 */
export async function findTokenRecord(kind: OAuth2RecordKind, id: string): Promise<StoredRecord | null> {
  const search = searches.get(id) ?? begin(id);
  search.kinds.push(kind);
  return (await search.records).find((record) => record.kind === kind) ?? null;
}

function begin(id: string): Search {
  const kinds: OAuth2RecordKind[] = [];
  const records = Promise.resolve().then(() => {
    searches.delete(id);
    return findRecords(kinds, id);
  });
  const search = { kinds, records };
  searches.set(id, search);
  return search;
}

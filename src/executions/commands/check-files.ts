import { blobIdOf, isBlobUri } from '../../blobs/domain/blob-uri.ts';
import { useBlobs } from '../../blobs/store/blobs.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { LiteralMap } from '../../values/literals.ts';
import { urisIn } from '../../values/uris.ts';

interface FileOwner {
  readonly tenantId: string;
  readonly projectId: string;
}

/**
 * The files of ours in some values that are not available: not uploaded, or of another project. If an input could name
 * a file of another project, a user could read it by running something.
 */
export async function missingFiles(project: FileOwner, values: LiteralMap, tx?: Tx): Promise<string[]> {
  const [missing] = await missingFilesOfEach(project, [values], tx);
  return missing ?? [];
}

/** The same for several values, in one statement; in none if they name no file of ours. */
export async function missingFilesOfEach(
  project: FileOwner,
  each: readonly LiteralMap[],
  tx?: Tx,
): Promise<string[][]> {
  const uris = each.map((values) => urisIn(values).filter(isBlobUri));
  const ids = [...new Set(uris.flat().flatMap((uri) => blobIdOf(uri) ?? []))];
  const sizes = await useBlobs(
    ids.map((id) => ({ ...project, id })),
    tx,
  );
  const uploaded = new Set(ids.filter((_, at) => sizes[at] !== null));
  return uris.map((named) => named.filter((uri) => !uploaded.has(blobIdOf(uri) ?? '')));
}

export function missingFilesText(uris: readonly string[]): string {
  return `these files are not uploaded: ${firstFew(uris)}`;
}

/** For people, who need only the first few. */
export function firstFew(uris: readonly string[]): string {
  return `${uris.slice(0, 5).join(', ')}${uris.length > 5 ? ` and ${uris.length - 5} more` : ''}`;
}

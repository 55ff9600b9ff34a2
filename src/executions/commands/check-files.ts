import { blobIdOf, isBlobUri } from '../../blobs/domain/blob-uri.ts';
import { listSizes } from '../../blobs/store.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import type { LiteralMap } from '../../registry/domain/literals.ts';
import { urisIn } from '../domain/blob-uris.ts';

/**
 * The files of ours that the values name and that are not there: not uploaded, or another project's. Who could name
 * another project's file in an input could read it by running something.
 */
export async function missingFiles(
  project: { tenantId: string; projectId: string },
  values: LiteralMap,
  tx?: Tx,
): Promise<string[]> {
  const uris = urisIn(values).filter(isBlobUri);
  const ids = uris.flatMap((uri) => blobIdOf(uri) ?? []);
  const uploaded = await listSizes(project, ids, tx);
  return uris.filter((uri) => !uploaded.has(blobIdOf(uri) ?? ''));
}

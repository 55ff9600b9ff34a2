import { deleteBlobs, keepBlobs, lockUnusedBlobs, UNUSED_PAGE } from '../../blobs/store/unused.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import { namedFiles } from '../store/named-files.ts';

/** How much content one transaction deletes from the database, or one larger file. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Takes one turn of the sweep of files: of those that were last used before this moment, it keeps the ones that some
 * value names, and deletes the others.
 *
 * Who is about to refer to a file uses it first (`useBlobs`), and the files are locked before the values are read. So
 * either the reference is older, and found here, or its author waits, and then finds no file.
 *
 * @returns whether there is more to do at once.
 */
export async function sweepBlobs(before: Date): Promise<boolean> {
  const { deleted, hasMore } = await inTransaction(async (tx) => {
    const blobs = await lockUnusedBlobs(tx, before);
    const [first] = blobs;
    if (!first) return { deleted: [], hasMore: false };
    const named = await namedFiles(
      tx,
      first.tenantId,
      blobs.map(({ id }) => id),
    );
    await keepBlobs(tx, [...named]);
    const unnamed = blobs.filter(({ id }) => !named.has(id));
    let bytes = 0;
    const end = unnamed.findIndex(({ storedBytes }, at) => {
      bytes += storedBytes;
      return at > 0 && bytes > MAX_BYTES;
    });
    const ids = (end < 0 ? unnamed : unnamed.slice(0, end)).map(({ id }) => id);
    await deleteBlobs(tx, ids);
    return { deleted: ids, hasMore: end >= 0 || blobs.length === UNUSED_PAGE };
  });
  if (deleted.length > 0) log.info({ blobIds: deleted }, 'files were deleted, because nothing names them');
  return hasMore;
}

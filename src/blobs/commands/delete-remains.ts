import { deleteObject } from '../object-storage.ts';
import { forgetRemains, listRemains } from '../store/unused.ts';

/**
 * Deletes the objects of some deleted blobs. An object is deleted before its row, so none is forgotten, whatever dies.
 *
 * @returns whether there may be more. @throws UnavailableError if the bucket does not answer.
 */
export async function deleteRemains(limit: number): Promise<boolean> {
  const remains = await listRemains(limit);
  for (const { blobId, location } of remains) {
    await deleteObject(location);
    await forgetRemains(blobId);
  }
  return remains.length === limit;
}

import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { inPieces } from '../in-pieces.ts';
import { putObject } from '../object-storage.ts';
import { type BlobRow, CHUNK_BYTES, finishBlob, finishObject, storeChunk } from '../store.ts';

/**
 * Stores the content of a blob, whose hash was already checked: in the bucket of the installation, or else in the
 * database. Two copies at the same time write the same; the next copy completes one that stopped half-way.
 *
 * @throws UnavailableError if the bucket does not take it.
 */
export async function storeContent(
  blob: Pick<BlobRow, 'id' | 'tenantId' | 'sizeBytes'>,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (controlPlaneConfig.blobBucket) await finishObject(blob.id, await putObject(blob, content));
  else await storeChunks(blob, content);
}

/** Each piece is a separate statement, so that no transaction lasts as long as the whole copy. */
async function storeChunks(
  blob: Pick<BlobRow, 'id' | 'sizeBytes'>,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  let position = 0;
  for await (const piece of inPieces(content, CHUNK_BYTES)) {
    await storeChunk(blob.id, position, piece);
    position += 1;
  }
  if (!(await finishBlob(blob.id, position, blob.sizeBytes)))
    throw new Error(`blob ${blob.id} is incomplete: it has ${position} pieces, not ${blob.sizeBytes} bytes`);
}

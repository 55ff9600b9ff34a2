import { type BlobRow, CHUNK_BYTES, finishBlob, storeChunk } from '../store.ts';

/**
 * Keeps a blob's content, whose hash was checked, piece by piece, each in a statement of its own: no transaction lasts
 * as long as the copy does. The blob is whole when all of it is there. Two copies at once write the same; one that
 * stopped half-way is finished by the next.
 */
export async function storeContent(
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

/** The same bytes in pieces of one size, but the last, however they come. */
async function* inPieces(content: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, bytes - length);
      rest = rest.subarray(taken.length);
      waiting.push(taken);
      length += taken.length;
      if (length < bytes) continue;
      yield Buffer.concat(waiting);
      waiting = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}

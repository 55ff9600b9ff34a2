import { type BlobRow, CHUNK_BYTES, finishBlob, storeChunk } from '../store.ts';

/**
 * Stores the content of a blob, whose hash was already checked, in pieces. Each piece is a separate statement, so that
 * no transaction lasts as long as the whole copy. The blob is complete when all pieces are stored. Two copies at the
 * same time write the same pieces; the next copy completes one that stopped half-way.
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

/** Cuts the same bytes into pieces of equal size, except the last one. */
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

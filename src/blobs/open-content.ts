import { openObject } from './object-storage.ts';
import { type BlobRow, readContent } from './store.ts';

/** The content of a complete blob, wherever it is. @throws UnavailableError if its bucket does not answer with it. */
export async function openContent({
  id,
  location,
  ...content
}: Pick<BlobRow, 'id' | 'location' | 'sha256' | 'sizeBytes'>): Promise<AsyncGenerator<Uint8Array>> {
  return location === null ? readContent(id) : await openObject({ location, ...content });
}

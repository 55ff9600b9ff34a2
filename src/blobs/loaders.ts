import { addressLoader } from '../platform/loaders.ts';
import { type BlobOfProject, readSizes } from './store/blobs.ts';

export function blobLoaders() {
  return { blobSize: addressLoader<BlobOfProject, bigint | null>((blobs) => readSizes(blobs)) };
}

type BlobLoaders = ReturnType<typeof blobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends BlobLoaders {}
}

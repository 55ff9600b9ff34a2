import DataLoader from 'dataloader';
import { groupBy } from '../platform/group-by.ts';
import { listSizes } from './store.ts';

/** A blob, asked for on behalf of a project: another project's is as if it were not there. */
export interface BlobOfProject {
  readonly tenantId: string;
  readonly projectId: string;
  readonly id: string;
}

const projectOf = ({ tenantId, projectId }: BlobOfProject) => `${tenantId}/${projectId}`;

/** Size in bytes of a blob of a project that is whole, else null: one statement a project. */
export function blobLoaders() {
  return {
    blobSize: new DataLoader<BlobOfProject, bigint | null, string>(
      async (blobs) => {
        const sizes = new Map<string, ReadonlyMap<string, bigint>>();
        await Promise.all(
          [...groupBy(blobs, projectOf)].map(async ([project, [first, ...others]]) => {
            if (!first) return;
            const ids = [first, ...others].map((blob) => blob.id);
            sizes.set(project, await listSizes(first, ids));
          }),
        );
        return blobs.map((blob) => sizes.get(projectOf(blob))?.get(blob.id) ?? null);
      },
      { cacheKeyFn: (blob) => `${projectOf(blob)}/${blob.id}` },
    ),
  };
}

type BlobLoaders = ReturnType<typeof blobLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends BlobLoaders {}
}

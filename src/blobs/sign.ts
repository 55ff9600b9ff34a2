import { config } from '../platform/config.ts';
import { blobIdOf } from './domain/blob-uri.ts';
import { signedBlobUrl } from './signed-url.ts';
import { listSizes } from './store.ts';

/** Every text in a plain value, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value !== null && typeof value === 'object') return Object.values(value).flatMap(textsIn);
  return [];
}

/** The files of ours that plain values name, of one project, each with an address to fetch it from for a while. */
export async function signBlobs(
  project: { tenantId: string; projectId: string | null },
  values: unknown,
  publicUrl: string,
): Promise<{ uri: string; downloadUrl: string; sizeBytes: bigint }[]> {
  const uris = [...new Set(textsIn(values))].filter((uri) => blobIdOf(uri) !== null);
  if (uris.length === 0 || project.projectId === null) return [];
  const ids = uris.flatMap((uri) => blobIdOf(uri) ?? []);
  const sizes = await listSizes({ tenantId: project.tenantId, projectId: project.projectId }, ids);
  const expiresAt = new Date(Date.now() + config.blobUrlSeconds * 1000);
  return uris.flatMap((uri) => {
    const id = blobIdOf(uri) ?? '';
    const sizeBytes = sizes.get(id);
    return sizeBytes === undefined
      ? []
      : [
          {
            uri,
            downloadUrl: signedBlobUrl(publicUrl, 'GET', id, expiresAt),
            sizeBytes,
          },
        ];
  });
}

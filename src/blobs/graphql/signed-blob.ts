import { builder } from '../../graphql/builder.ts';
import type { Loaders } from '../../graphql/context.ts';
import { serverConfig } from '../../platform/config/server.ts';
import { blobIdOf } from '../domain/blob-uri.ts';
import { signedBlobUrl } from '../signed-url.ts';

/** A stored file that belongs to the project whose value names it. */
export interface SignedBlob {
  readonly uri: string;
  readonly id: string;
  readonly sizeBytes: bigint;
}

export const SignedBlobType = builder.objectRef<SignedBlob>('SignedBlob').implement({
  description: 'A file that is stored on this server, with a URL to download it.',
  fields: (t) => ({
    uri: t.exposeString('uri', {
      description: 'The URI of the file, for inputs and outputs: `slipway://blobs/…`.',
    }),
    downloadUrl: t.string({
      description:
        'The URL to download the file with GET. Everybody who has the URL can download the file. It is valid for a few minutes.',
      resolve: (blob, _args, { publicUrl }) =>
        signedBlobUrl(publicUrl, 'GET', blob.id, new Date(Date.now() + serverConfig.blobUrlSeconds * 1000)),
    }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', description: 'The length of the file in bytes.' }),
  }),
});

/**
 * The files among the texts of some values, if they are stored and belong to the project. Other texts give nothing, so
 * a value that names a file of another project does not get a URL of it.
 */
export async function signedBlobs(
  project: { readonly tenantId: string; readonly projectId: string | null },
  texts: readonly string[],
  { blobSize }: Pick<Loaders, 'blobSize'>,
): Promise<SignedBlob[]> {
  const { tenantId, projectId } = project;
  if (projectId === null) return [];
  const found = [...new Set(texts)].map(async (uri) => {
    const id = blobIdOf(uri);
    const sizeBytes = id === null ? null : await blobSize.load({ tenantId, projectId, id });
    return id === null || sizeBytes === null ? [] : [{ uri, id, sizeBytes }];
  });
  return (await Promise.all(found)).flat();
}

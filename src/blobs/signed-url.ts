import { isSignature, sign } from '../platform/secrets.ts';

/** What a signed URL allows. */
export type BlobAction = 'GET' | 'PUT';

const textOf = (action: BlobAction, id: string, expires: number) => `${action} ${id} ${expires}`;

/** A URL under `base` that allows one action on one blob until `expiresAt`, for everybody who has the URL. */
export function signedBlobUrl(base: string, action: BlobAction, id: string, expiresAt: Date): string {
  const expires = Math.floor(expiresAt.getTime() / 1000);
  const signature = sign('blob-url', textOf(action, id, expires));
  return `${base}/blobs/${id}?expires=${expires}&signature=${signature}`;
}

/** Whether we have signed this URL and it has not expired. */
export function isSignedBlobUrl(
  action: BlobAction,
  id: string,
  query: { expires: string | null; signature: string | null },
  now: Date,
): boolean {
  const expires = Number(query.expires);
  if (!query.signature || expires * 1000 < now.getTime()) return false;
  return isSignature('blob-url', textOf(action, id, expires), query.signature);
}

import { isSignature, open, seal, sign } from '../platform/secrets.ts';

/** What a signed URL allows. */
export type BlobAction = 'GET' | 'PUT';

/** The parameters of a signed URL, as they came; null for one that is left out. */
export interface SignedParameters {
  readonly expires: string | null;
  /** Who asked for the URL, encrypted. */
  readonly from: string | null;
  readonly signature: string | null;
}

const PURPOSE = 'blob-url';

const textOf = (action: BlobAction, id: string, expires: number, from: string | null) =>
  `${action} ${id} ${expires}${from === null ? '' : ` ${from}`}`;

/**
 * A URL under `base` that allows one action on one blob until `expiresAt`, for everybody who has the URL.
 *
 * @param userId  of the user who asks for it, if somebody will want to know this. It is encrypted, each time differently,
 * so nobody learns whether two URLs are for the same user.
 */
export function signedBlobUrl(
  base: string,
  action: BlobAction,
  id: string,
  expiresAt: Date,
  userId: string | null = null,
): string {
  const expires = Math.floor(expiresAt.getTime() / 1000);
  const from = userId === null ? null : seal(PURPOSE, userId).toString('base64url');
  const signature = sign(PURPOSE, textOf(action, id, expires, from));
  return `${base}/blobs/${id}?expires=${expires}${from === null ? '' : `&from=${from}`}&signature=${signature}`;
}

/** Whether we have signed this URL and it has not expired. */
export function isSignedBlobUrl(
  action: BlobAction,
  id: string,
  { expires: until, from, signature }: SignedParameters,
  now: Date,
): boolean {
  const expires = Number(until);
  if (!signature || expires * 1000 < now.getTime()) return false;
  return isSignature(PURPOSE, textOf(action, id, expires, from), signature);
}

/** The user who asked for a URL that we have signed; null if the URL does not say this. */
export const userOfSignedUrl = ({ from }: SignedParameters): string | null =>
  from === null ? null : open(PURPOSE, Buffer.from(from, 'base64url'));

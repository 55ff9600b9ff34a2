import { isId } from '../../platform/ids.ts';

const PREFIX = 'slipway://blobs/';

/** The value of a file. A value is never a path on one machine. */
export function blobUri(id: string): string {
  return `${PREFIX}${id}`;
}

/** The id in one of our URIs; null for all other URIs, which we do not check. */
export function blobIdOf(uri: string): string | null {
  if (!uri.startsWith(PREFIX)) return null;
  const id = uri.slice(PREFIX.length);
  return isId(id) ? id : null;
}

/** Whether a URI looks like one of ours. */
export function isBlobUri(uri: string): boolean {
  return uri.startsWith(PREFIX);
}

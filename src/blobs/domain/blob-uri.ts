import { isId } from '../../platform/ids.ts';

const PREFIX = 'slipway://blobs/';

/** How a file is written as a value: no path of one machine ever is. */
export function blobUri(id: string): string {
  return `${PREFIX}${id}`;
}

/** The id in a uri of ours; null for any other uri, which is the user's own affair. */
export function blobIdOf(uri: string): string | null {
  if (!uri.startsWith(PREFIX)) return null;
  const id = uri.slice(PREFIX.length);
  return isId(id) ? id : null;
}

/** Whether a uri claims to be one of ours. */
export function isBlobUri(uri: string): boolean {
  return uri.startsWith(PREFIX);
}

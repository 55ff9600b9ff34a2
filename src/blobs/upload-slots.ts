import { ResourceExhaustedError } from '../platform/errors.ts';

/** Uploads side by side in one process: each has a temporary file and, while it is copied, a connection. */
export const MAX_UPLOADS = 8;
/** When to try again: what `Retry-After` says. */
export const UPLOAD_RETRY_SECONDS = 2;

let running = 0;

/**
 * Runs the taking in of one file, from its first byte to its last statement.
 *
 * @throws ResourceExhaustedError at once when too many are under way; then `receive` was not called.
 */
export async function inUploadSlot<T>(receive: () => Promise<T>): Promise<T> {
  if (running >= MAX_UPLOADS)
    throw new ResourceExhaustedError(`${MAX_UPLOADS} uploads are already running, try again`);
  running += 1;
  try {
    return await receive();
  } finally {
    running -= 1;
  }
}

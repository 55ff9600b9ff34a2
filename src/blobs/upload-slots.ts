import { ResourceExhaustedError } from '../platform/errors.ts';

/**
 * How many uploads one process accepts at the same time. Each needs a temporary file and, while it is copied, a
 * connection.
 */
export const MAX_UPLOADS = 8;
/** The value of `Retry-After`. */
export const UPLOAD_RETRY_SECONDS = 2;

let running = 0;

/**
 * Runs one upload, from its first byte to its last statement.
 *
 * @throws ResourceExhaustedError at once if too many uploads run. Then `receive` is not called.
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

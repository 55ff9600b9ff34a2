import { ResourceExhaustedError } from '../platform/errors.ts';

/**
 * How many uploads one process accepts at the same time. Each needs a temporary file and, while it is copied, a
 * connection.
 */
export const MAX_UPLOADS = 16;
/** How many of them one tenant may have, so that it leaves some for the others. */
export const MAX_UPLOADS_OF_TENANT = 8;
/** The value of `Retry-After`. */
export const UPLOAD_RETRY_SECONDS = 2;

/** The tenant of each file that is being received, by the id of the file. */
const running = new Map<string, string>();

/**
 * Runs one upload, from its first byte to its last statement. A file has one upload at a time, because everybody who
 * knows its link can begin any number of them.
 *
 * @throws ResourceExhaustedError at once if too many uploads run. Then `receive` is not called.
 */
export async function inUploadSlot<T>(
  { id, tenantId }: { readonly id: string; readonly tenantId: string },
  receive: () => Promise<T>,
): Promise<T> {
  if (running.has(id))
    throw new ResourceExhaustedError('another upload of this file is already running, try again');
  const ofTenant = [...running.values()].filter((tenant) => tenant === tenantId).length;
  const most = ofTenant >= MAX_UPLOADS_OF_TENANT ? MAX_UPLOADS_OF_TENANT : MAX_UPLOADS;
  if (running.size >= most)
    throw new ResourceExhaustedError(`${most} uploads are already running, try again`);
  running.set(id, tenantId);
  try {
    return await receive();
  } finally {
    running.delete(id);
  }
}

import { ResourceExhaustedError } from '../platform/errors.ts';

/**
 * How many uploads one process accepts at the same time. Each needs a temporary file and, while it is copied, a
 * connection.
 */
export const MAX_UPLOADS = 16;
/** How many of them one tenant may have, so that it leaves some for the others. */
export const MAX_UPLOADS_OF_TENANT = 8;
/** How many of these one user may have. */
export const MAX_UPLOADS_OF_USER = 4;
/** The value of `Retry-After`. */
export const UPLOAD_RETRY_SECONDS = 2;

export interface Upload {
  /** The id of the file. */
  readonly id: string;
  readonly tenantId: string;
  /** The user who asked for the link; null for an executor, for which only the limit of its tenant counts. */
  readonly userId: string | null;
}

/** The uploads that are being received, by the id of the file. */
const running = new Map<string, Upload>();

/**
 * Runs one upload, from its first byte to its last statement. A file has one upload at a time, because everybody who
 * knows its link can begin any number of them.
 *
 * @throws ResourceExhaustedError at once if too many uploads run. Then `receive` is not called.
 */
export async function inUploadSlot<T>(upload: Upload, receive: () => Promise<T>): Promise<T> {
  const { id, tenantId, userId } = upload;
  if (running.has(id))
    throw new ResourceExhaustedError('another upload of this file is already running, try again');
  requireFewer(MAX_UPLOADS, () => true);
  requireFewer(MAX_UPLOADS_OF_TENANT, (other) => other.tenantId === tenantId);
  if (userId !== null) requireFewer(MAX_UPLOADS_OF_USER, (other) => other.userId === userId);
  running.set(id, upload);
  try {
    return await receive();
  } finally {
    running.delete(id);
  }
}

function requireFewer(most: number, isCounted: (other: Upload) => boolean): void {
  if ([...running.values()].filter(isCounted).length >= most)
    throw new ResourceExhaustedError(`${most} uploads are already running, try again`);
}

import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, type Problem, ResourceExhaustedError } from '../../platform/errors.ts';
import { type BlobRow, ensureBlob } from '../store/blobs.ts';

export interface BlobUpload {
  readonly projectId: string;
  /** The SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: bigint;
}

/**
 * Prepares the upload of a file. The same content in the same project is the same blob and need not be sent again.
 *
 * @throws InvalidArgumentError; ResourceExhaustedError if the file is larger than `limitBytes`.
 */
export async function createBlobUpload(
  caller: Caller,
  upload: BlobUpload,
  limitBytes: number,
): Promise<BlobRow> {
  const problems: Problem[] = [];
  if (!/^[0-9a-f]{64}$/.test(upload.sha256))
    problems.push({
      path: ['input', 'sha256'],
      code: 'InvalidValue',
      message: 'must be 64 lower-case hexadecimal digits',
    });
  if (upload.sizeBytes < 0n)
    problems.push({
      path: ['input', 'sizeBytes'],
      code: 'InvalidValue',
      message: 'must not be negative',
    });
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  if (upload.sizeBytes > BigInt(limitBytes))
    throw new ResourceExhaustedError(`a file must have at most ${limitBytes} bytes`, {
      path: ['input', 'sizeBytes'],
    });
  const sha256 = new Uint8Array(Buffer.from(upload.sha256, 'hex'));
  const blob = await ensureBlob({
    tenantId: caller.tenantId,
    projectId: upload.projectId,
    sha256,
    sizeBytes: upload.sizeBytes,
  });
  if (blob.sizeBytes !== upload.sizeBytes)
    throw InvalidArgumentError.of(
      ['input', 'sizeBytes'],
      'a file with this SHA-256 is already stored, with another size',
    );
  return blob;
}

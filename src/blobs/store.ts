import { db } from '../platform/database/client.ts';
import { run, statement } from '../platform/database/statement.ts';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import { newId } from '../platform/ids.ts';

export interface BlobRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly sha256: Uint8Array;
  readonly sizeBytes: bigint;
  readonly uploadedAt: Date | null;
}

/** The blob of that content, made without content if it is the first time. */
export async function ensureBlob(blob: {
  tenantId: string;
  projectId: string;
  sha256: Uint8Array<ArrayBuffer>;
  sizeBytes: bigint;
}): Promise<BlobRow> {
  const { tenantId, projectId, sha256 } = blob;
  return await db.blob.upsert({
    where: { tenantId_projectId_sha256: { tenantId, projectId, sha256 } },
    create: { id: newId(), ...blob },
    update: {},
  });
}

export function findBlob(id: string): Promise<BlobRow | null> {
  return db.blob.findUnique({ where: { id } });
}

const sizesStatement = statement<{ id: string; sizeBytes: bigint }>(
  'blob_sizes',
  `select id, size_bytes as "sizeBytes" from blobs
    where tenant_id = $1::uuid and project_id = $2::uuid and id = any($3::uuid[]) and uploaded_at is not null`,
);

/** Those of the named blobs that are the project's and whole, with their sizes in bytes. */
export async function listSizes(
  project: { tenantId: string; projectId: string },
  ids: readonly string[],
  tx?: Tx,
): Promise<ReadonlyMap<string, bigint>> {
  if (ids.length === 0) return new Map();
  const rows = await run(sizesStatement, [project.tenantId, project.projectId, ids], tx);
  return new Map(rows.map((row) => [row.id, row.sizeBytes]));
}

/** Size of the pieces that content is kept in. */
export const CHUNK_BYTES = 512 * 1024;

/** Keeps a blob's content, piece by piece; the blob is whole when the transaction commits. A second copy is dropped. */
export async function storeContent(blob: BlobRow, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await inTransaction(async (tx) => {
    await run(lockStatement, [blob.id], tx);
    const current = await tx.blob.findUnique({
      where: { id: blob.id },
      select: { uploadedAt: true },
    });
    if (!current || current.uploadedAt) return;
    let position = 0;
    for await (const content of chunks) {
      await tx.blobChunk.create({
        data: {
          blobId: blob.id,
          tenantId: blob.tenantId,
          position,
          content: new Uint8Array(content),
        },
      });
      position += 1;
    }
    await tx.blob.update({
      where: { id: blob.id },
      data: { uploadedAt: new Date() },
    });
  });
}

const lockStatement = statement<{ id: string }>(
  'lock_blob',
  'select id from blobs where id = $1::uuid for update',
);

const chunkStatement = statement<{ content: Buffer }>(
  'blob_chunk',
  'select content from blob_chunks where blob_id = $1::uuid and position = $2',
);

/** A whole blob's content, in pieces, one read at a time as they are taken. */
export async function* readContent(blobId: string): AsyncGenerator<Buffer> {
  for (let position = 0; ; position += 1) {
    const [chunk] = await run(chunkStatement, [blobId, position]);
    if (!chunk) return;
    yield chunk.content;
  }
}

const projectOfRunStatement = statement<{ projectId: string | null }>(
  'project_of_run',
  `select queue.project_id as "projectId"
     from job_runs as run join jobs as job on job.id = run.job_id join queues as queue on queue.id = job.queue_id
    where run.id = $2::uuid and run.tenant_id = $1::uuid and run.ended_at is null`,
);

/** The project that a run works for; null when the run has ended, or works for none. */
export async function findProjectIdOfRun(tenantId: string, runId: string): Promise<string | null> {
  const [row] = await run(projectOfRunStatement, [tenantId, runId]);
  return row?.projectId ?? null;
}

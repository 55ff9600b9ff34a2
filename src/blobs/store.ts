import { eachAt } from '../platform/by-address.ts';
import { db } from '../platform/database/client.ts';
import { run, statement } from '../platform/database/statement.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { newId } from '../platform/ids.ts';

export interface BlobRow {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly sha256: Uint8Array;
  readonly sizeBytes: bigint;
  readonly uploadedAt: Date | null;
  /** Where the content is, if it is not in the database. */
  readonly location: string | null;
}

const announceStatement = statement<{ id: string }>(
  `insert into blobs as blob (id, tenant_id, project_id, sha256, size_bytes)
   values ($1::uuid, $2::uuid, $3::uuid, $4, $5)
   on conflict (tenant_id, project_id, sha256) do update set size_bytes = excluded.size_bytes
    where blob.uploaded_at is null and blob.size_bytes <> excluded.size_bytes
   returning id`,
);

/**
 * The blob with this content. It is created without the content the first time. Until the content is stored, the last
 * announced size counts, so nobody can block a hash by announcing a wrong size.
 */
export async function ensureBlob(blob: {
  tenantId: string;
  projectId: string;
  sha256: Uint8Array<ArrayBuffer>;
  sizeBytes: bigint;
}): Promise<BlobRow> {
  const { tenantId, projectId, sha256, sizeBytes } = blob;
  await run(announceStatement, [newId(), tenantId, projectId, sha256, sizeBytes]);
  return await db.blob.findUniqueOrThrow({
    where: { tenantId_projectId_sha256: { tenantId, projectId, sha256 } },
  });
}

export function findBlob(id: string): Promise<BlobRow | null> {
  return db.blob.findUnique({ where: { id } });
}

/** A blob and the project that asks for it. A blob of another project counts as absent. */
export interface BlobOfProject {
  readonly tenantId: string;
  readonly projectId: string;
  readonly id: string;
}

const sizesStatement = statement<BlobOfProject & { readonly sizeBytes: bigint }>(
  `select id, tenant_id as "tenantId", project_id as "projectId", size_bytes as "sizeBytes" from blobs
    where id = any($1::uuid[]) and uploaded_at is not null`,
);

/** The size in bytes of each blob that belongs to the project and is complete; null for the others. */
export async function readSizes(blobs: readonly BlobOfProject[], tx?: Tx): Promise<(bigint | null)[]> {
  if (blobs.length === 0) return [];
  const rows = await run(sizesStatement, [blobs.map(({ id }) => id)], tx);
  const textOf = ({ tenantId, projectId, id }: BlobOfProject) => JSON.stringify([tenantId, projectId, id]);
  return eachAt(
    blobs,
    textOf,
    rows.map((row) => [textOf(row), row.sizeBytes]),
  );
}

/** The size of the stored pieces, except the last one. */
export const CHUNK_BYTES = 512 * 1024;

const storeChunkStatement = statement<{ position: number }>(
  `insert into blob_chunks as chunk (blob_id, tenant_id, position, content)
   select blob.id, blob.tenant_id, $2::int, $3::bytea
     from (select id, tenant_id from blobs where id = $1::uuid and uploaded_at is null for share) as blob
   on conflict (blob_id, position) do update set content = excluded.content
    where chunk.content <> excluded.content
   returning position`,
);

/**
 * Stores one piece of an incomplete blob. An existing piece is overwritten: it is the same if the content comes twice,
 * or it comes from a release that cut the content differently.
 */
export async function storeChunk(blobId: string, position: number, content: Uint8Array): Promise<void> {
  await run(storeChunkStatement, [blobId, position, content]);
}

const finishStatement = statement<Record<string, never>>(
  `with blob as materialized (
     select id from blobs where id = $1::uuid and uploaded_at is null for update
   ),
   left_over as (
     delete from blob_chunks using blob where blob_id = blob.id and position >= $2
   ),
   kept as (
     select count(*) as pieces, coalesce(sum(octet_length(content)), 0) as bytes
       from blob_chunks where blob_id = $1::uuid and position < $2
   )
   update blobs set uploaded_at = now(), size_bytes = $3
     from blob, kept
    where blobs.id = blob.id and kept.pieces = $2 and kept.bytes = $3`,
);

/**
 * Marks a blob as complete if all its pieces are stored. @returns whether it is complete now, by this call or an
 * earlier one.
 */
export async function finishBlob(blobId: string, pieces: number, sizeBytes: bigint): Promise<boolean> {
  await run(finishStatement, [blobId, pieces, sizeBytes]);
  return (await findBlob(blobId))?.uploadedAt != null;
}

const finishObjectStatement = statement<{ id: string }>(
  `update blobs set uploaded_at = now(), location = $2 where id = $1::uuid and uploaded_at is null returning id`,
);

/** Marks a blob as complete whose content is in a bucket, unless another upload was faster. */
export async function finishObject(blobId: string, location: string): Promise<void> {
  await run(finishObjectStatement, [blobId, location]);
}

const chunkStatement = statement<{ content: Buffer }>(
  'select content from blob_chunks where blob_id = $1::uuid and position = $2',
);

/** The content of a complete blob, in pieces. A piece is read when the reader asks for it. */
export async function* readContent(blobId: string): AsyncGenerator<Buffer> {
  for (let position = 0; ; position += 1) {
    const [chunk] = await run(chunkStatement, [blobId, position]);
    if (!chunk) return;
    yield chunk.content;
  }
}

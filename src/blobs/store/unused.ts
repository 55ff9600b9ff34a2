import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';

/** Blobs that nobody has used for long. Whether something refers to them is for others to say. */

/** How many blobs one turn looks at. */
export const UNUSED_PAGE = 500;

export interface UnusedBlob {
  readonly id: string;
  readonly tenantId: string;
  /** How much of it is in the database. */
  readonly storedBytes: number;
}

const lockStatement = statement<UnusedBlob>(
  `with first as materialized (
     select tenant_id from blobs where used_at < $1::timestamptz order by used_at limit 1
   )
   select blob.id, blob.tenant_id as "tenantId",
          case when blob.location is null then blob.size_bytes else 0 end::float8 as "storedBytes"
     from first join blobs as blob on blob.tenant_id = first.tenant_id
    where blob.used_at < $1::timestamptz order by blob.used_at limit ${UNUSED_PAGE} for update of blob skip locked`,
);

/** Some blobs of one tenant that were last used before this moment, locked until the transaction ends. */
export const lockUnusedBlobs = (tx: Tx, before: Date): Promise<UnusedBlob[]> =>
  run(lockStatement, [before], tx);

const keepStatement = statement<{ id: string }>(
  'update blobs set used_at = now() where id = any($1::uuid[]) returning id',
);

/** Notes that something refers to these blobs. */
export async function keepBlobs(tx: Tx, ids: readonly string[]): Promise<void> {
  await run(keepStatement, [ids], tx);
}

const deleteStatement = statement<{ id: string }>(
  `with gone as (
     delete from blobs where id = any($1::uuid[]) returning id, tenant_id, location
   ),
   remains as (
     insert into blob_remains (blob_id, tenant_id, location)
     select id, tenant_id, location from gone where location is not null
   )
   select id from gone`,
);

/** Deletes these blobs. Their objects in a bucket remain until `deleteRemains` deletes them. */
export async function deleteBlobs(tx: Tx, ids: readonly string[]): Promise<void> {
  await run(deleteStatement, [ids], tx);
}

/** An object whose blob was deleted. */
export interface Remains {
  readonly blobId: string;
  readonly location: string;
}

const remainsStatement = statement<Remains>(
  'select blob_id as "blobId", location from blob_remains order by blob_id limit $1',
);

export const listRemains = (limit: number): Promise<Remains[]> => run(remainsStatement, [limit]);

const forgetStatement = statement<{ id: string }>(
  'delete from blob_remains where blob_id = $1::uuid returning blob_id as id',
);

/** Forgets an object that is deleted. */
export async function forgetRemains(blobId: string): Promise<void> {
  await run(forgetStatement, [blobId]);
}

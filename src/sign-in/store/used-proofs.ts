import { createHash } from 'node:crypto';
import { run, statement } from '../../platform/database/statement.ts';

const useProofStatement = statement<{ isFirst: boolean }>(
  `insert into used_proofs (id_hash, tenant_id, expires_at) values ($1, $2::uuid, to_timestamp($3))
   on conflict (id_hash) do nothing returning true as "isFirst"`,
);

/**
 * Remembers that a proof was used, on all servers.
 *
 * @param id  names the proof and its key.
 * @param expiresAt  when the proof is too old for a second use anyway, in seconds since 1970.
 * @returns false if it was used before.
 */
export async function useProof(id: string, tenantId: string, expiresAt: number): Promise<boolean> {
  const hash = createHash('sha256').update(id).digest();
  return (await run(useProofStatement, [hash, tenantId, expiresAt])).length > 0;
}

const sweepStatement = statement<Record<string, never>>(
  `/* behind the answers */ delete from used_proofs where id_hash in (
     select id_hash from used_proofs where expires_at < now() order by expires_at limit 10000
   )`,
);

/** Deletes proofs that have expired, at most 10,000 at a time. */
export async function sweepUsedProofs(): Promise<void> {
  await run(sweepStatement, []);
}

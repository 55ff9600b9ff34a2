import { LRUCache } from 'lru-cache';
import type { QualityOfService } from '../../attributes/domain/payloads.ts';
import { run, statement } from '../../platform/database/statement.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { workflowQuality } from '../domain/launch-plan-settings.ts';

const MAX_WORKFLOWS = 1000;
const known = new LRUCache<string, { readonly quality: QualityOfService | null }>({ max: MAX_WORKFLOWS });

const metadata = statement<{ metadata: unknown }>(
  `select closure #> '{primary,template,metadata,qualityOfService}' as metadata
     from workflows where id = $1::uuid`,
);

/**
 * The quality of service that a workflow asks for; null if it asks for none. Versions never change, so it is cached. It
 * is read without the rest of the workflow, which can be large and which a server does not need.
 */
export async function readWorkflowQuality(workflowId: string, tx?: Tx): Promise<QualityOfService | null> {
  const cached = known.get(workflowId);
  if (cached) return cached.quality;
  const [row] = await run(metadata, [workflowId], tx);
  const quality = workflowQuality(row?.metadata);
  known.set(workflowId, { quality });
  return quality;
}

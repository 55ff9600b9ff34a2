import type { ExecutionEngine } from '../../generated/prisma/enums.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { phasesThatMayMoveTo } from '../../platform/phase-table.ts';
import { executionPhases } from '../domain/phases.ts';
import { moveExecution } from '../store/moves.ts';
import { listOpenExecutions, lockLaunchPlanName } from '../store/slots.ts';

/** What a launch plan that limits its executions does when the limit is reached. */
export interface ConcurrencyPolicy {
  /** How many executions may run at the same time; 0 means no limit. */
  readonly max: number;
  readonly behavior: 'UNSPECIFIED' | 'SKIP' | 'QUEUE' | 'REPLACE';
}

/** What a new execution of a launch plan must do. */
export type Slot =
  | { readonly maxConcurrent: number | null; readonly awaitsSlot: boolean }
  /** It must not be created. */
  | { readonly running: number; readonly max: number };

const unlimited: Slot = { maxConcurrent: null, awaitsSlot: false };

/**
 * Takes a place among the executions of a launch plan that may run at the same time, or says what the new execution must
 * do: SKIP refuses it, QUEUE lets it wait, and REPLACE aborts the older ones, also those that wait, and lets it wait
 * until they have ended. All executions of all versions that have not ended count. The name of the launch plan stays
 * locked until the transaction ends, so that no two take the same place.
 *
 * An engine from outside does not wait, so every limit refuses its executions. Source: Flyte's ConcurrencyPolicy, which
 * has only SKIP, does not count new executions, and decides outside of the transaction.
 */
export async function takeSlot(
  tx: Tx,
  launchPlanId: string,
  { max, behavior }: ConcurrencyPolicy,
  { engine, principalId, now }: { engine: ExecutionEngine; principalId: string; now: Date },
): Promise<Slot> {
  if (max === 0 || behavior === 'UNSPECIFIED') return unlimited;
  const nameId = await lockLaunchPlanName(tx, launchPlanId);
  const open = nameId === null ? [] : await listOpenExecutions(tx, nameId);
  const running = open.filter(({ waits }) => !waits).length;
  if (behavior !== 'SKIP' && engine === 'SLIPWAY') {
    const isFull = open.length >= max;
    if (isFull && behavior === 'REPLACE')
      await abort(tx, open.slice(0, open.length - max + 1), principalId, now);
    return { maxConcurrent: max, awaitsSlot: isFull };
  }
  return running >= max ? { running, max } : { maxConcurrent: max, awaitsSlot: false };
}

async function abort(
  tx: Tx,
  executions: readonly { readonly id: string }[],
  principalId: string,
  now: Date,
): Promise<void> {
  const from = phasesThatMayMoveTo(executionPhases, 'ABORTING').filter((phase) => phase !== 'ABORTING');
  for (const { id } of executions)
    await moveExecution(
      {
        id,
        to: 'ABORTING',
        from,
        at: now,
        abort: { cause: 'a newer execution of the launch plan replaces it', principalId },
      },
      tx,
    );
}

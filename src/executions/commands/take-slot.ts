import type { ExecutionEngine, LaunchPlan } from '../../generated/prisma/client.ts';
import type { Tx } from '../../platform/database/transaction.ts';
import { type ConcurrencyPolicy, settingsIn } from '../../registry/domain/launch-plan-settings.ts';
import { phasesBeforeAbort } from '../domain/phases.ts';
import { moveExecutions } from '../store/moves.ts';
import { listOpenExecutions, lockLaunchPlanName } from '../store/slots.ts';

/** What a new execution of a launch plan must do. */
export type Slot =
  | { readonly maxConcurrent: number | null; readonly awaitsSlot: boolean }
  /** It must not be created, and this is the reason. */
  | { readonly refusal: string };

const unlimited: Slot = { maxConcurrent: null, awaitsSlot: false };

/** What limits the executions of a launch plan; null if nothing does. */
function limitOf({ spec }: LaunchPlan): ConcurrencyPolicy | null {
  const policy = settingsIn(spec as object).concurrencyPolicy;
  return policy && policy.max > 0 && policy.behavior !== 'UNSPECIFIED' ? policy : null;
}

/** Whether executions of a launch plan need a place. */
export const isLimited = (plan: LaunchPlan): boolean => limitOf(plan) !== null;

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
  plan: LaunchPlan,
  { engine = 'SLIPWAY', principalId }: { engine?: ExecutionEngine; principalId: string },
): Promise<Slot> {
  const limit = limitOf(plan);
  if (!limit) return unlimited;
  const { max, behavior } = limit;
  const nameId = await lockLaunchPlanName(tx, plan.id);
  const open = nameId === null ? [] : await listOpenExecutions(tx, nameId);
  const running = open.filter(({ waits }) => !waits).length;
  if (behavior !== 'SKIP' && engine === 'SLIPWAY') {
    const isFull = open.length >= max;
    if (isFull && behavior === 'REPLACE') await abort(tx, open.slice(0, open.length - max + 1), principalId);
    return { maxConcurrent: max, awaitsSlot: isFull };
  }
  if (running < max) return { maxConcurrent: max, awaitsSlot: false };
  return {
    refusal: `the launch plan ${plan.name} has ${running} executions that have not ended, and its concurrency policy allows ${max}`,
  };
}

async function abort(
  tx: Tx,
  executions: readonly { readonly id: string }[],
  principalId: string,
): Promise<void> {
  const abort = { cause: 'a newer execution of the launch plan replaces it', principalId };
  await moveExecutions(
    executions.map(({ id }) => id),
    { to: 'ABORTING', from: phasesBeforeAbort, at: new Date(), abort },
    tx,
  );
}

import { startTriggeredExecution } from '../executions/commands/start-triggered-execution.ts';
import {
  type ClaimedFiring,
  claimFiring,
  delayFiring,
  endFiring,
} from '../executions/store/trigger-firings.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import { inTransaction, type Tx } from '../platform/database/transaction.ts';
import { AlreadyExistsError, DomainError } from '../platform/errors.ts';
import {
  type ActiveTrigger,
  findTrigger,
  keepTrigger,
  recordTriggerFailure,
} from '../registry/store/triggers.ts';
import { getActivatedPlan, getActivator } from './activated-plan.ts';
import { logStartFailure, retrySecondsAfter, startFailureOf } from './start-failure.ts';

/** How often a firing is tried if the server fails. What the users did wrong is not tried again. */
const MAX_ATTEMPTS = 10;

/** The version is not active any more, its triggers were paused, or another scheduler has ended the firing. */
class FiringLostError extends Error {
  override name = 'FiringLostError';
}

/**
 * Starts the execution of a trigger after the end of another execution. The transaction that stores the execution deletes
 * the firing, so a scheduler that dies loses no firing and repeats none. The claim only keeps schedulers from doing the
 * same work.
 *
 * The caller is the user who activated the launch plan, with the rights of this moment. If this user may not read the
 * execution that has ended, nothing happens. An execution that cannot be started is given up, and the status of the
 * trigger says why; only failures of the server are tried again.
 */
export async function fireTrigger(id: string): Promise<void> {
  const firing = await claimFiring(id);
  if (!firing) return;
  const trigger = await findTrigger(firing.triggerId);
  if (!trigger || trigger.pausedAt) {
    await endFiring(id);
    return;
  }
  try {
    if (!(await start(firing, trigger))) await endFiring(id);
  } catch (error) {
    if (error instanceof FiringLostError) {
      await endIfOver(firing);
      return;
    }
    if (isDatabaseLost(error)) throw error;
    await recordFailure(firing, trigger, error);
  }
}

/** A firing does not outlive a deactivation or a pause. */
async function endIfOver({ id, triggerId }: ClaimedFiring): Promise<void> {
  const trigger = await findTrigger(triggerId);
  if (!trigger || trigger.pausedAt) await endFiring(id);
}

/** @returns false if nothing is to be started. */
async function start(firing: ClaimedFiring, trigger: ActiveTrigger): Promise<boolean> {
  const caller = await getActivator(trigger);
  const { plan, project } = await getActivatedPlan(trigger);
  return await startTriggeredExecution(caller, project, {
    plan,
    inputs: trigger.definition.inputs ?? [],
    sourceId: firing.sourceExecutionId,
    record: async (tx) => {
      const isOurs = (await endFiring(firing.id, tx)) && (await keepTrigger(tx, trigger.id));
      if (!isOurs) throw new FiringLostError('the trigger has changed');
    },
  });
}

async function recordFailure(firing: ClaimedFiring, trigger: ActiveTrigger, error: unknown): Promise<void> {
  const { id, attempts, sourceExecutionId } = firing;
  const isOver = error instanceof DomainError || attempts >= MAX_ATTEMPTS;
  const detail = { launchPlanId: trigger.launchPlanId, executionId: sourceExecutionId, attempts };
  logStartFailure(error, isOver ? 'trigger given up' : 'trigger failed', detail);
  if (!isOver) {
    await delayFiring(id, retrySecondsAfter(attempts));
    return;
  }
  await inTransaction(async (tx: Tx) => {
    // If the concurrency policy refuses the execution, the firing has ended already.
    const isOurs = await endFiring(id, tx);
    if (isOurs || error instanceof AlreadyExistsError)
      await recordTriggerFailure(tx, trigger.id, startFailureOf(error));
  });
}

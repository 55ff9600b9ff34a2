import { createExecution } from '../executions/commands/create-execution.ts';
import { scheduledExecutionName } from '../executions/domain/execution-name.ts';
import type { LaunchPlan, Project } from '../generated/prisma/client.ts';
import { isDatabaseLost } from '../platform/database/failures.ts';
import { AlreadyExistsError } from '../platform/errors.ts';
import { dueSlots, type Slots, slotsOf } from '../registry/domain/slots.ts';
import {
  type ClaimedSchedule,
  claimSchedule,
  recordSlotFailure,
  recordSlots,
} from '../registry/store/schedules.ts';
import { getActivatedPlan, getActivator } from './activated-plan.ts';
import { logStartFailure, retrySecondsAfter, startFailureOf } from './start-failure.ts';

/** How many slots one turn starts. More slots of a schedule wait for the next turn, here or in another scheduler. */
const SLOTS_PER_TURN = 20;

/** How often the execution of one slot is tried. Source: Flyte's scheduler. */
const MAX_ATTEMPTS = 30;

/** The schedule was ended, restarted or paused meanwhile, or another scheduler has it. */
class ClaimLostError extends Error {
  override name = 'ClaimLostError';
}

/**
 * Starts the executions of the due slots of one schedule, oldest first. Each execution is stored in one transaction with
 * the progress of the schedule, so a scheduler that dies loses no slot and repeats none. The claim only keeps schedulers
 * from doing the same work; that a slot has one execution follows from the progress and from the name.
 *
 * The caller is the user who activated the launch plan, with the rights of this moment. A slot that fails is tried
 * again, up to 30 times; until then, later slots wait. An archived project has nothing to do.
 *
 * @returns whether there is more to do at once.
 */
export async function fireSchedule(id: string): Promise<boolean> {
  const claimed = await claimSchedule(id);
  if (!claimed) return false;
  const { schedule, activatedAt, lastSlotAt, now } = claimed;
  const slots = slotsOf(schedule, activatedAt);
  const due = dueSlots(slots, schedule, lastSlotAt, now);
  const newest = due.slots.at(-1) ?? due.skipped;
  const { plan, project } = await getActivatedPlan(claimed);
  if (due.slots.length === 0 || project.state !== 'ACTIVE') {
    const lastSlot = newest ?? lastSlotAt;
    await recordSlots(claimed, { lastSlot, isFired: false, skipped: newest, wakeAt: slots.after(lastSlot) });
    return false;
  }
  let turn: Turn = { claimed, slots, plan, project };
  const taken = due.slots.slice(0, SLOTS_PER_TURN);
  for (const [index, slot] of taken.entries()) {
    const isLast = index === taken.length - 1;
    if (!(await fireSlot(turn, slot, due.skipped, isLast))) return false;
    // The attempts that failed were about the first slot.
    turn = { ...turn, claimed: { ...claimed, attempts: 0 } };
  }
  return due.slots.length > taken.length;
}

interface Turn {
  readonly claimed: ClaimedSchedule;
  readonly slots: Slots;
  readonly plan: LaunchPlan;
  readonly project: Project;
}

/** @returns whether the next slot may follow. */
async function fireSlot(turn: Turn, slot: Date, skipped: Date | null, isLast: boolean): Promise<boolean> {
  try {
    await createSlotExecution(turn, slot, skipped, isLast);
    return true;
  } catch (error) {
    // The slot has its execution, and the progress is stored.
    if (error instanceof AlreadyExistsError) return true;
    if (isDatabaseLost(error)) throw error;
    if (!(error instanceof ClaimLostError)) await recordFailure(turn.claimed, slot, error);
    return false;
  }
}

async function createSlotExecution(
  { claimed, slots, plan, project }: Turn,
  slot: Date,
  skipped: Date | null,
  isLast: boolean,
): Promise<void> {
  const caller = await getActivator(claimed);
  const { domain, name, version } = plan;
  const { kickoffTimeInput } = claimed.schedule;
  const kickoffTime = { scalar: { primitive: { datetime: slot.toISOString() } } };
  const wakeAt = isLast ? slots.after(slot) : undefined;
  await createExecution(caller, project, {
    domain,
    name: scheduledExecutionName({ project: project.identifier, domain, name, version }, slot),
    launchPlan: { by: { id: plan.id }, find: async () => plan },
    inputs: null,
    inputLiterals: kickoffTimeInput === undefined ? null : { [kickoffTimeInput]: kickoffTime },
    settings: {},
    engine: 'SLIPWAY',
    scheduled: {
      at: slot,
      async record(tx) {
        const isOurs = await recordSlots(claimed, { lastSlot: slot, isFired: true, skipped, wakeAt }, tx);
        if (!isOurs) throw new ClaimLostError('the schedule has changed');
      },
    },
  });
}

async function recordFailure(claimed: ClaimedSchedule, slot: Date, error: unknown): Promise<void> {
  const attempts = claimed.attempts + 1;
  const isLost = attempts >= MAX_ATTEMPTS;
  await recordSlotFailure(claimed, {
    ...startFailureOf(error),
    slot,
    isLost,
    retrySeconds: isLost ? 0 : retrySecondsAfter(attempts - 1),
  });
  const detail = { launchPlanId: claimed.launchPlanId, slot, attempts };
  logStartFailure(error, isLost ? 'slot given up' : 'slot failed', detail);
}

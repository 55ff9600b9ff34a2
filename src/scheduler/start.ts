import { freeSlots } from '../executions/commands/free-slots.ts';
import { givePlaces } from '../executions/commands/give-places.ts';
import { sweepCachedOutputs } from '../executions/commands/sweep-cached-outputs.ts';
import { listGroupsThatWait, listGroupsToLookAt } from '../executions/store/budget-shares.ts';
import { listPlansWithWaiting } from '../executions/store/slots.ts';
import { assignPool } from '../jobs/commands/assign-jobs.ts';
import { expireLeases } from '../jobs/commands/expire-leases.ts';
import { rejectImpossibleJobs } from '../jobs/commands/reject-impossible-jobs.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { schedulerConfig } from '../platform/config/scheduler.ts';
import { notifications } from '../platform/database/notify.ts';
import { advanceExecution } from './advance-executions.ts';
import { startCountLoop } from './fold-counts.ts';
import { Grace } from './grace.ts';
import { groupsInTurn } from './groups-in-turn.ts';
import { startScheduleLoop } from './launch-schedules.ts';
import { startTriggerLoop } from './launch-triggers.ts';
import { type Loop, startLoop } from './loop.ts';
import { failOrphans } from './orphans.ts';
import { OwnedJobSets } from './owned-job-sets.ts';
import { Pace } from './pace.ts';
import { startStatisticsLoop } from './refresh-statistics.ts';
import { rejectGangsOf, startGangLoop } from './reject-gangs.ts';
import { startShareLoop, startShareSweep } from './sample-queue-shares.ts';
import { startPlanLoop, startSendLoop } from './send-notifications.ts';
import { listDueExecutions, listOrphaned, listWaitingPools, poolOf } from './store.ts';
import { startBlobSweeps } from './sweep-blobs.ts';
import { startDeletedQueueSweep } from './sweep-deleted-queues.ts';
import { startExecutionSweep } from './sweep-executions.ts';
import { startFormerNodeSweep } from './sweep-former-nodes.ts';
import { startJobSetSweep } from './sweep-job-sets.ts';
import { startJobSweeps } from './sweep-jobs.ts';
import { startOAuth2Sweep } from './sweep-oauth2-records.ts';
import { startChainSweep } from './sweep-trigger-chains.ts';

/** How often a loop looks at the tables if there is no news, in case news was lost. */
const LOOK_MS = 1000;

/** How many launch plans with waiting executions one look finds. */
const MAX_WAITING_PLANS = 200;

/** How often runs of a pool may be asked to make room, because a look at all of them takes time. */
const PREEMPTION_MS = 1000;

/** How often to look for jobs that can never run. */
const REJECTION_MS = 1000;
/** How many calls reject such jobs before the pool gets its next round. */
const MAX_REJECTING = 10;

/** How many groups of executions that share a limit one look finds. */
const MAX_GROUPS = 200;

/** How often to look for what should not happen: nodes whose jobs are gone, places that nobody has given out. */
const ORPHANS_MS = 60_000;

/** How often to look for cached outputs that nobody uses, or that are too many. */
const CACHE_MS = 600_000;

/**
 * Starts all loops of the scheduler. There can be any number of schedulers, because each claims its rows and pools.
 *
 * @returns a function that stops the loops after the running turns.
 */
export function startScheduler(): { stop(): Promise<void> } {
  const advance = startLoop({
    name: 'advance-executions',
    everyMs: LOOK_MS,
    concurrency: 4,
    due: listDueExecutions,
    each: advanceExecution,
  });
  const jobSets = new OwnedJobSets((executionId) => advance.wake(executionId));
  const preemptions = new Pace(PREEMPTION_MS);
  const rejections = new Pace(REJECTION_MS);
  const { fleetMemorySeconds } = controlPlaneConfig;
  const rejectSome = async (pool: string): Promise<void> => {
    if (!rejections.mayBegin(pool)) return;
    await rejectGangsOf(pool);
    if (fleetMemorySeconds === 0) return;
    for (let calls = 1; calls <= MAX_REJECTING; calls += 1)
      if (!(await rejectImpossibleJobs(poolOf(pool), fleetMemorySeconds)).mayHaveMore) return;
  };
  const assign = startLoop({
    name: 'assign-jobs',
    everyMs: LOOK_MS,
    concurrency: 2,
    due: listWaitingPools,
    each: async (pool) => {
      const { leaseSeconds } = controlPlaneConfig;
      const { mayHaveMore } = await assignPool(poolOf(pool), leaseSeconds, preemptions.mayBegin(pool));
      await rejectSome(pool);
      return mayHaveMore;
    },
  });
  const { leaseSeconds, executorLimits } = controlPlaneConfig;
  const grace = new Grace(Math.min(leaseSeconds, executorLimits.lostSeconds));
  const expire = startLoop({
    name: 'expire-leases',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: async () => ['every executor'],
    each: () => grace.after(async () => (await expireLeases()) !== 0),
  });
  const orphans = startLoop({
    name: 'fail-orphans',
    everyMs: ORPHANS_MS,
    concurrency: 1,
    due: listOrphaned,
    // What it finds is ended at once, so there is nothing left.
    each: async (id) => {
      await failOrphans(id);
    },
  });
  const slots = startLoop({
    name: 'free-slots',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: () => listPlansWithWaiting(MAX_WAITING_PLANS),
    each: freeSlots,
  });
  // A turn gives out the places of its group by itself. This is for places that became free without a turn, and for
  // turns whose scheduler has died.
  const places = startLoop({
    name: 'give-places',
    everyMs: LOOK_MS,
    concurrency: 1,
    due: () => listGroupsToLookAt(MAX_GROUPS),
    each: givePlaces,
  });
  const lostPlaces = startLoop({
    name: 'give-lost-places',
    everyMs: ORPHANS_MS,
    concurrency: 1,
    due: groupsInTurn(listGroupsThatWait, MAX_GROUPS),
    each: givePlaces,
  });
  const cache = startLoop({
    name: 'sweep-cached-outputs',
    everyMs: CACHE_MS,
    concurrency: 1,
    due: async () => ['every project'],
    each: () => sweepCachedOutputs(schedulerConfig.cacheLimits, new Date()),
  });
  const schedules = startScheduleLoop();
  const triggers = startTriggerLoop();
  const plan = startPlanLoop();
  const send = startSendLoop();
  const sweep = startJobSetSweep();
  const sweepEnded = startExecutionSweep();
  const sweepQueues = startDeletedQueueSweep();
  const sweepChains = startChainSweep();
  const sweepNodes = startFormerNodeSweep();
  const shares = startShareLoop();
  const counts = startCountLoop();
  const sweepShares = startShareSweep();
  const loops: Loop[] = [
    advance,
    assign,
    expire,
    orphans,
    slots,
    places,
    lostPlaces,
    schedules,
    triggers,
    plan,
    send,
    cache,
    sweep,
    sweepEnded,
    sweepQueues,
    sweepChains,
    sweepNodes,
    shares,
    counts,
    sweepShares,
    startStatisticsLoop(),
    startGangLoop(),
    startOAuth2Sweep(),
    ...startJobSweeps(),
    ...startBlobSweeps(),
  ];
  const stops = [
    notifications.on('advance', null, (id) => advance.wake(id)),
    notifications.on('slot', null, (id) => slots.wake(id)),
    notifications.on('job-set', null, (id) => void jobSets.hear(id)),
    notifications.on('pool', null, (pool) => assign.wake(pool)),
    // A schedule was started or resumed: its next slot may come before the next look.
    notifications.on('schedule', null, () => schedules.look()),
    notifications.on('trigger', null, (id) => triggers.wake(id)),
    notifications.on('notice', null, (id) => plan.wake(id)),
    notifications.on('delivery', null, (id) => send.wake(id)),
    notifications.on('remains', null, (id) => sweep.wake(id)),
    notifications.onMissed(() => {
      for (const loop of loops) loop.look();
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** What becomes of a random pool when its plans are carried out. */
import { addJob } from '../../../src/jobs/domain/scheduling/fair-share.ts';
import type { NodeState } from '../../../src/jobs/domain/scheduling/fleet.ts';
import type { LiveRun } from '../../../src/jobs/domain/scheduling/plan-preemption.ts';
import {
  type Item,
  itemGoesBefore,
  type Plan,
  type QueueState,
} from '../../../src/jobs/domain/scheduling/plan-round.ts';
import type { Resources } from '../../../src/jobs/domain/scheduling/resources.ts';
import { groupBy } from '../../../src/platform/group-by.ts';
import type { World } from './fleets.ts';

/** These runs were asked to stop, and have not ended yet. */
export function withStopping(world: World, victims: readonly LiveRun[]): World {
  return {
    ...world,
    nodes: world.nodes.map((node) => ({
      ...node,
      stopping: sum(
        node.stopping,
        victims.filter((run) => isOn(run, node)),
        1,
      ),
    })),
    executors: world.executors.map((executor) => ({
      ...executor,
      stopping: executor.stopping + victims.filter(({ executorId }) => executorId === executor.id).length,
    })),
    runs: world.runs.filter((run) => !victims.includes(run)),
  };
}

/** These runs have ended, and their jobs wait again. */
export function withRequeued(world: World, victims: readonly LiveRun[]): World {
  const gangs = groupBy(victims, (run) => run.gangId ?? run.runId);
  const items = [...gangs.values()].map((runs): Item & { readonly queueId: string } => ({
    jobs: runs.map(({ jobId: id, shape, priority, leasedAt: submittedAt }) => ({
      ...{ id, shape, priority, submittedAt, avoidedNodes: [] },
    })),
    uniformityLabel: null,
    queueId: (runs[0] as LiveRun).queueId,
  }));
  const without = moved(world, victims, -1);
  return {
    ...without,
    runs: world.runs.filter((run) => !victims.includes(run)),
    queues: without.queues.map((queue) =>
      items
        .filter(({ queueId }) => queueId === queue.id)
        .reduce((changed, item) => withItem(changed, item), queue),
    ),
  };
}

/** What a plan assigns runs. */
export function withAssigned(world: World, { assignments }: Plan, now: number): World {
  const places = new Map(assignments.map((assignment) => [assignment.jobId, assignment]));
  const runs = world.queues.flatMap(({ id: queueId, waiting }) =>
    waiting.flatMap(({ items }) =>
      items.flatMap(({ jobs }) =>
        jobs.flatMap(({ id, shape, priority }): LiveRun[] => {
          const place = places.get(id);
          if (!place) return [];
          const { executorId, node } = place;
          const gangId = jobs.length > 1 ? `gang-of-${jobs[0]?.id}` : null;
          return [
            {
              runId: `${id}@${now}`,
              jobId: id,
              queueId,
              shape,
              priority,
              leasedAt: now,
              executorId,
              node,
              gangId,
            },
          ];
        }),
      ),
    ),
  );
  const changed = moved(world, runs, 1);
  return {
    ...changed,
    runs: [...world.runs, ...runs],
    queues: changed.queues.map((queue) => ({
      ...queue,
      waiting: queue.waiting.map((list) => ({
        ...list,
        items: list.items.filter(({ jobs }) => !places.has(jobs[0]?.id ?? '')),
      })),
    })),
  };
}

function moved(world: World, runs: readonly LiveRun[], times: 1 | -1): World {
  return {
    ...world,
    nodes: world.nodes.map((node) => ({
      ...node,
      held: sum(
        node.held,
        runs.filter((run) => isOn(run, node)),
        times,
      ),
    })),
    executors: world.executors.map((executor) => ({
      ...executor,
      room: executor.room - times * runs.filter(({ executorId }) => executorId === executor.id).length,
    })),
    queues: world.queues.map((queue) => {
      const mine = runs.filter(({ queueId }) => queueId === queue.id);
      const heldByClass = { ...queue.heldByClass };
      for (const run of mine) {
        const { priorityClass } = run.shape;
        heldByClass[priorityClass] = sum(heldByClass[priorityClass] ?? {}, [run], times);
      }
      return { ...queue, held: sum(queue.held, mine, times), heldByClass };
    }),
  };
}

function withItem(queue: QueueState, item: Item): QueueState {
  const digest = item.jobs.length > 1 ? 'gangs' : item.jobs[0]?.shape.digest;
  const kindOf = ({ jobs }: Item) => (jobs.length > 1 ? 'gangs' : jobs[0]?.shape.digest);
  const at = queue.waiting.findIndex(({ items }) => items[0] !== undefined && kindOf(items[0]) === digest);
  if (at < 0) return { ...queue, waiting: [...queue.waiting, { items: [item], hasMore: false }] };
  const waiting = queue.waiting.map((list, index) =>
    index === at
      ? { ...list, items: [...list.items, item].sort((one, other) => (itemGoesBefore(one, other) ? -1 : 1)) }
      : list,
  );
  return { ...queue, waiting };
}

const isOn = (run: LiveRun, node: NodeState) => run.executorId === node.executorId && run.node === node.name;

function sum(before: Resources, runs: readonly LiveRun[], times: 1 | -1): Resources {
  const amounts = { ...before };
  for (const { shape } of runs) addJob(amounts, shape.resources, times);
  return amounts;
}

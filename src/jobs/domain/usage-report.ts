import type { JobRunState } from '../../generated/prisma/enums.ts';
import type { Problem } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import type { Taint } from './scheduling/matching.ts';
import { type Amounts, amountOf, nodeNameOf, type Resources } from './scheduling/resources.ts';

/**
 * What an executor says about the use of its machines. Amounts of an input are Kubernetes quantities by resource;
 * stored ones are integers, as for scheduling.
 *
 * @typeParam Quantities  how amounts are written.
 */
export interface UsageReport<Quantities> {
  readonly nodeTypes: readonly NodeTypeUsage<Quantities>[];
  readonly runs: readonly RunUsage<Quantities>[];
}

/** Machines that are alike. */
export interface NodeTypeUsage<Quantities> {
  readonly id: string;
  readonly taints: readonly Taint[];
  readonly capacity: Quantities;
  readonly availableCapacity: Quantities;
  readonly cordonedUsage: Quantities;
  readonly totalNodes: number;
  readonly schedulableNodes: number;
  readonly queues: readonly QueueUsage<Quantities>[];
}

export interface QueueUsage<Quantities> {
  readonly name: string;
  /** What its runs have requested, and what they really use. */
  readonly resources: Quantities;
  readonly resourcesUsed: Quantities;
  readonly runsByState: readonly StateCount[];
}

export interface StateCount {
  readonly state: JobRunState;
  readonly count: number;
}

/** What one run used since the last report. */
export interface RunUsage<Quantities> {
  readonly runId: string;
  readonly maxResources: Quantities;
  readonly avgResources: Quantities;
  /** Since the run began, with seconds as the unit of time: `{"cpu": "90"}` are 90 seconds of one CPU. */
  readonly cumulativeUsage: Quantities;
}

const MAX_NODE_TYPES = 100;
const MAX_QUEUES = 1000;
const MAX_RUNS = 2500;
const MAX_TAINTS = 32;
const MAX_RESOURCES = 64;
const MAX_STATES = 16;
const MAX_TEXT = 317;

/** All problems of a report, as it arrives. */
export function usageProblems(report: UsageReport<unknown>): Problem[] {
  const problems: Problem[] = [];
  const fault = (at: readonly string[], message: string) =>
    problems.push({ path: ['input', ...at], code: 'InvalidValue', message });
  const few = (at: readonly string[], list: readonly unknown[], most: number) => {
    if (list.length > most) fault(at, `must have at most ${most} entries`);
    return list.length <= most;
  };
  const amounts = (at: readonly string[], value: unknown) => {
    const message = quantitiesFault(value);
    if (message) fault(at, message);
  };
  const count = (at: readonly string[], value: number) => {
    if (value < 0) fault(at, 'must not be negative');
  };
  const queueCount = report.nodeTypes.reduce((all, { queues }) => all + queues.length, 0);
  if (queueCount > MAX_QUEUES) fault(['nodeTypes'], `must have at most ${MAX_QUEUES} queues in all`);
  if (problems.length === 0 && few(['nodeTypes'], report.nodeTypes, MAX_NODE_TYPES))
    for (const [index, type] of report.nodeTypes.entries()) {
      const at = ['nodeTypes', String(index)];
      if (type.id.length > MAX_TEXT) fault([...at, 'id'], `must have at most ${MAX_TEXT} characters`);
      few([...at, 'taints'], type.taints, MAX_TAINTS);
      if (type.taints.some(({ key, value }) => key.length > MAX_TEXT || value.length > MAX_TEXT))
        fault([...at, 'taints'], `keys and values must have at most ${MAX_TEXT} characters`);
      for (const field of ['capacity', 'availableCapacity', 'cordonedUsage'] as const)
        amounts([...at, field], type[field]);
      for (const field of ['totalNodes', 'schedulableNodes'] as const) count([...at, field], type[field]);
      for (const [place, queue] of type.queues.entries()) {
        const here = [...at, 'queues', String(place)];
        if (queue.name === '' || queue.name.length > MAX_TEXT)
          fault([...here, 'name'], `must have 1 to ${MAX_TEXT} characters`);
        amounts([...here, 'resources'], queue.resources);
        amounts([...here, 'resourcesUsed'], queue.resourcesUsed);
        few([...here, 'runsByState'], queue.runsByState, MAX_STATES);
        for (const one of queue.runsByState) count([...here, 'runsByState'], one.count);
      }
    }
  if (few(['runs'], report.runs, MAX_RUNS)) {
    const known = new Set<string>();
    for (const [index, run] of report.runs.entries()) {
      const at = ['runs', String(index)];
      if (!isId(run.runId)) fault([...at, 'run'], 'a run id must be a UUIDv7');
      if (known.has(run.runId)) fault([...at, 'run'], 'the run is there twice');
      known.add(run.runId);
      for (const field of ['maxResources', 'avgResources', 'cumulativeUsage'] as const)
        amounts([...at, field], run[field]);
    }
  }
  return problems;
}

/** Why a value is not an object of quantities by resource; null if it is one. */
function quantitiesFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be an object of quantities by the name of the resource';
  const entries = Object.entries(value);
  if (entries.length > MAX_RESOURCES) return `must have at most ${MAX_RESOURCES} resources`;
  const bad = entries.find(
    ([name, text]) => name.length > MAX_TEXT || typeof text !== 'string' || amountOf(name, text) === null,
  );
  return bad ? `the amount of ${bad[0].slice(0, MAX_TEXT)} must be a quantity such as 2 or 16Gi` : null;
}

/** The amounts of such an object. Two names of one resource are added. */
export function amountsOf(quantities: unknown): Resources {
  const amounts: Amounts = {};
  for (const [name, text] of Object.entries(quantities as Readonly<Record<string, string>>)) {
    const node = nodeNameOf(name);
    amounts[node] = (amounts[node] ?? 0) + (amountOf(name, text) ?? 0);
  }
  return amounts;
}

/** The same report with amounts as integers. It has no problems. */
export const storedUsage = ({ nodeTypes, runs }: UsageReport<unknown>): UsageReport<Resources> => ({
  nodeTypes: nodeTypes.map((type) => ({
    ...type,
    capacity: amountsOf(type.capacity),
    availableCapacity: amountsOf(type.availableCapacity),
    cordonedUsage: amountsOf(type.cordonedUsage),
    queues: type.queues.map((queue) => ({
      ...queue,
      resources: amountsOf(queue.resources),
      resourcesUsed: amountsOf(queue.resourcesUsed),
    })),
  })),
  runs: runs.map((run) => ({
    ...run,
    maxResources: amountsOf(run.maxResources),
    avgResources: amountsOf(run.avgResources),
    cumulativeUsage: amountsOf(run.cumulativeUsage),
  })),
});

/** What a queue uses of one pool, by the last reports of its executors. */
export interface PoolUsage {
  readonly pool: string;
  readonly resources: Resources;
  readonly resourcesUsed: Resources;
  readonly runsByState: readonly StateCount[];
  /** The oldest of these reports. */
  readonly reportedAt: Date;
}

export interface ReportedQueueUsage extends QueueUsage<Resources> {
  readonly pool: string;
  readonly reportedAt: Date;
}

/** The usage of one queue by pool, by name. */
export function usageByPool(rows: readonly ReportedQueueUsage[]): PoolUsage[] {
  const pools = [...new Set(rows.map(({ pool }) => pool))].sort();
  return pools.map((pool) => {
    const mine = rows.filter((row) => row.pool === pool);
    const states = [...new Set(mine.flatMap((row) => row.runsByState.map(({ state }) => state)))].sort();
    const sum = (amounts: readonly Resources[]) => {
      const all: Amounts = {};
      for (const one of amounts)
        for (const [name, amount] of Object.entries(one)) all[name] = (all[name] ?? 0) + amount;
      return all;
    };
    return {
      pool,
      resources: sum(mine.map(({ resources }) => resources)),
      resourcesUsed: sum(mine.map(({ resourcesUsed }) => resourcesUsed)),
      runsByState: states.map((state) => ({
        state,
        count: mine
          .flatMap((row) => row.runsByState.filter((one) => one.state === state))
          .reduce((all, { count }) => all + count, 0),
      })),
      reportedAt: new Date(Math.min(...mine.map(({ reportedAt }) => reportedAt.getTime()))),
    };
  });
}

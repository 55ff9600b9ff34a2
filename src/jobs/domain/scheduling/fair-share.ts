import { type Amounts, add, type Resources } from './resources.ts';

/** The resources that count when queues are compared. Other resources only have to be there. */
export const SHARED_RESOURCES: readonly string[] = [
  'cpu',
  'memory',
  'nvidia.com/gpu',
  'amd.com/gpu',
  'ephemeral-storage',
];

/** The place for one run. It stands in for resources where no node says what it has. */
export const SLOT = 'slots';

/** Counts so many jobs with these requests. */
export function addJob(amounts: Amounts, requested: Resources, times = 1): void {
  add(amounts, requested, times);
  add(amounts, { [SLOT]: 1 }, times);
}

/**
 * Which part of a pool these resources are: the largest part over the resources that count, 0 … 1. Resources that the
 * pool does not have are left out. Source: Armada's dominant-resource fairness.
 */
export function dominantShare(held: Resources, totals: Resources): number {
  let share = 0;
  const names = SHARED_RESOURCES.some((name) => (totals[name] ?? 0) > 0) ? SHARED_RESOURCES : [SLOT];
  for (const name of names) {
    const total = totals[name] ?? 0;
    if (total > 0) share = Math.max(share, (held[name] ?? 0) / total);
  }
  return share;
}

/** Costs are compared as whole billionths, because 1/10 as a binary fraction would break ties. */
const PARTS = 1e9;

/** What a queue with this weight pays for what it holds. The queue with the lowest cost is next. */
export function costOf(held: Resources, totals: Resources, weight: number): number {
  return Math.round((dominantShare(held, totals) / weight) * PARTS);
}

export interface Claim {
  readonly weight: number;
  /** What the queue holds and waits for, as a part of the pool. */
  readonly demand: number;
}

export interface Share {
  /** By weight alone. */
  readonly fair: number;
  /** By weight, where nobody gets more than its demand, and others get what is left. */
  readonly adjusted: number;
}

const MAX_ROUNDS = 10;
/** When this little is left, it is not dealt again. */
const ENOUGH = 0.01;

/**
 * The shares of queues that take part in a pool. What a queue does not need is dealt to the others by weight, again and
 * again, until at most a hundredth is left. Source: Armada's adjusted fair share.
 */
export function fairShares(claims: readonly Claim[]): Share[] {
  const weightOfAll = claims.reduce((all, { weight }) => all + weight, 0);
  const adjusted = claims.map(() => 0);
  let left = 1;
  let hungry = claims.map((_, at) => at).filter((at) => (claims[at]?.demand ?? 0) > 0);
  for (
    let round = 0;
    round < MAX_ROUNDS && left > (round === 0 ? 0 : ENOUGH) && hungry.length > 0;
    round += 1
  ) {
    const weights = hungry.reduce((all, at) => all + (claims[at]?.weight ?? 0), 0);
    let given = 0;
    for (const at of hungry) {
      const { weight, demand } = claims[at] as Claim;
      const before = adjusted[at] as number;
      const after = Math.min(demand, before + (left * weight) / weights);
      adjusted[at] = after;
      given += after - before;
    }
    left -= given;
    hungry = hungry.filter((at) => (adjusted[at] as number) < (claims[at]?.demand ?? 0));
  }
  return claims.map(({ weight }, at) => ({ fair: weight / weightOfAll, adjusted: adjusted[at] as number }));
}

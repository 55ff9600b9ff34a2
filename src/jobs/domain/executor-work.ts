import { type Amounts, add, nodeNameOf, type Resources } from './scheduling/resources.ts';

/** What the runs on one node of an executor hold. */
export interface NodeWork {
  readonly executorId: string;
  /** Null for the runs of an executor that reports no nodes. */
  readonly node: string | null;
  readonly runs: number;
  /** How many of them the executor has not named yet. */
  readonly unacknowledged: number;
  readonly held: Resources | null;
}

/** The work on several nodes together. */
export function totalOf(works: readonly NodeWork[]): Pick<NodeWork, 'runs' | 'unacknowledged'> & {
  readonly held: Resources;
} {
  const held: Amounts = {};
  for (const work of works) add(held, work.held ?? {});
  return {
    runs: works.reduce((all, { runs }) => all + runs, 0),
    unacknowledged: works.reduce((all, { unacknowledged }) => all + unacknowledged, 0),
    held,
  };
}

/** What is left of `all`, by resource: nothing where more is held than there is. */
export function remainderOf(all: Resources, held: Resources): Resources {
  return Object.fromEntries(
    Object.entries(all).map(([name, amount]) => [name, Math.max(0, amount - (held[name] ?? 0))]),
  );
}

/** The amounts as Kubernetes quantities, sorted by name. CPUs are thousandths, such as `1500m`. */
export function quantitiesOf(amounts: Resources): Readonly<Record<string, string>> {
  const names = Object.keys(amounts).sort();
  return Object.fromEntries(
    names.map((name) => [name, `${amounts[name]}${nodeNameOf(name) === 'cpu' ? 'm' : ''}`]),
  );
}

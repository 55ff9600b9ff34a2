/**
 * The `maxParallelism` of an execution is also the number of tasks that may run at the same time in it and in all
 * executions below it. An execution below others is under the limits of all of them, so the smallest counts; but a
 * smaller limit further down is only for the executions under it, so several can count at the same time.
 *
 * A node that runs a launch plan takes no place for a task: it only waits, and with a limit of 1 the tasks that it waits
 * for could never start.
 */
export interface Budgets {
  /** The executions whose limits count, outermost first. Each has a smaller limit than those before it. */
  readonly budgetIds: readonly string[];
  /** The smallest of these limits; null if there is none. */
  readonly budgetLimit: number | null;
}

/** The budgets of the tasks of an execution, and of all executions that its nodes start. */
export function budgetsOf({
  id,
  maxParallelism,
  budgetIds,
  budgetLimit,
}: Budgets & { readonly id: string; readonly maxParallelism: number }): Budgets {
  const isSmaller = maxParallelism > 0 && (budgetLimit === null || maxParallelism < budgetLimit);
  return isSmaller
    ? { budgetIds: [...budgetIds, id], budgetLimit: maxParallelism }
    : { budgetIds, budgetLimit };
}

/**
 * The limit of an execution that a node starts: that of its parent, or that of its own launch plan if this is smaller. 0
 * means no limit.
 */
export function limitOfChild(ofParent: number, ofLaunchPlan = 0): number {
  if (ofParent === 0 || ofLaunchPlan === 0) return ofParent || ofLaunchPlan;
  return Math.min(ofParent, ofLaunchPlan);
}

/**
 * How many tasks an execution may start. A place whose task has ended is used again at once only if nobody else waits for
 * one: otherwise an execution with many tasks would keep its places until the last of them has ended.
 */
export function freePlaces(
  { held, fresh, othersWait }: { held: number; fresh: number; othersWait: boolean },
  activeTasks: number,
): number {
  const unused = held - activeTasks;
  return othersWait ? Math.min(unused, fresh) : unused;
}

/** An execution that waits for places. */
export interface WaitingShare {
  readonly id: string;
  readonly budgetIds: readonly string[];
  /** How many places it needs. */
  readonly wanted: number;
}

/**
 * Divides free places: in each round, each execution gets one, in the given order, as long as all its budgets have one
 * free.
 *
 * @param free  how many places of each budget are free. An unknown budget has no limit.
 * @returns how many places each execution gets, without those that get none, and how many places are left.
 */
export function dividePlaces(
  waiting: readonly WaitingShare[],
  free: ReadonlyMap<string, number>,
): { readonly given: ReadonlyMap<string, number>; readonly left: ReadonlyMap<string, number> } {
  const left = new Map(free);
  const given = new Map<string, number>();
  const mayHave = ({ id, budgetIds, wanted }: WaitingShare) =>
    (given.get(id) ?? 0) < wanted && budgetIds.every((budget) => (left.get(budget) ?? 1) > 0);
  let round = [...waiting];
  while (round.length > 0) {
    // Whoever gets nothing in a round gets nothing later either: places only become fewer.
    round = round.filter((share) => {
      if (!mayHave(share)) return false;
      given.set(share.id, (given.get(share.id) ?? 0) + 1);
      for (const budget of share.budgetIds) {
        const places = left.get(budget);
        if (places !== undefined) left.set(budget, places - 1);
      }
      return true;
    });
  }
  return { given, left };
}

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { JobSpec } from './job-spec.ts';
import type { PriorityClass } from './priority-classes.ts';
import type { Labels, Toleration } from './scheduling/matching.ts';
import { type Amounts, amountOf, nodeNameOf, type Resources } from './scheduling/resources.ts';

/** What decides where a job can run, as it is stored with the job. */
export interface Placement {
  readonly priorityClass: string;
  readonly classPriority: number;
  readonly isPreemptible: boolean;
  readonly resources: Resources;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  /** A digest of all the rest. Jobs with the same digest fit the same nodes. */
  readonly shape: string;
}

/** The placement of a job. Its requests are known to be quantities. */
export function placementOf(
  { container }: Pick<JobSpec, 'container'>,
  priorityClass: PriorityClass,
  nodeSelector: Labels,
  tolerations: readonly Toleration[],
): Placement {
  const placement = {
    priorityClass: priorityClass.name,
    classPriority: priorityClass.priority,
    isPreemptible: priorityClass.isPreemptible,
    resources: requestedAmounts(container.resources.requests),
    nodeSelector,
    tolerations,
  };
  return { ...placement, shape: shapeOf(placement) };
}

/** The digest of a placement. It is the same whoever computes it, also for a job whose requests have changed. */
export function shapeOf(placement: Omit<Placement, 'shape'>): string {
  const { priorityClass, classPriority, isPreemptible, resources, nodeSelector, tolerations } = placement;
  const all = { priorityClass, classPriority, isPreemptible, resources, nodeSelector, tolerations };
  return createHash('sha256').update(canonicalJson(all)).digest('base64url').slice(0, 22);
}

function requestedAmounts(requests: readonly { readonly name: string; readonly value: string }[]): Resources {
  const amounts: Amounts = {};
  for (const { name, value } of requests) {
    const amount = amountOf(name, value);
    // Flyte's storage outlasts the container, so it is not the node that has it.
    if (name !== 'STORAGE' && amount !== null && amount > 0) amounts[nodeNameOf(name)] = amount;
  }
  return amounts;
}

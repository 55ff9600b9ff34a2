import type { Place } from '../../values/problem-list.ts';
import {
  isEqual,
  isGreater,
  isNegative,
  isWhole,
  parseQuantity,
  type Quantity,
} from '../../values/quantities.ts';
import type { ResourceEntry, Resources } from './task-templates.ts';

type Amounts = ReadonlyMap<ResourceEntry['name'], Quantity>;

/**
 * Reports the problems of the resources of a container: a name twice in a list, an amount that is not a quantity or is
 * negative, a part of a GPU, a request above its limit, and a GPU request that differs from its limit.
 *
 * Source: Flyte v1.16, `flyteadmin/pkg/manager/impl/validation/task_validator.go`.
 */
export function checkResources(resources: Resources, place: Place): void {
  const requests = readAmounts(resources.requests, place.at('requests'));
  const limits = readAmounts(resources.limits, place.at('limits'));
  for (const [name, request] of requests) {
    const limit = limits.get(name);
    if (limit === undefined) continue;
    const at = place.at('requests', name);
    if (isGreater(request, limit))
      at.report('InvalidValue', `the request of ${name} is higher than its limit`);
    else if (name === 'GPU' && !isEqual(request, limit)) {
      at.report('InvalidValue', 'the request of GPU must equal its limit');
    }
  }
}

/** Reports all requests and limits above the limits of the platform. Source: see `checkResources`. */
export function checkPlatformLimits(
  resources: Resources,
  platformLimits: readonly ResourceEntry[],
  place: Place,
): void {
  const platform = readAmounts(platformLimits, place.apart());
  for (const list of ['requests', 'limits'] as const) {
    for (const [name, amount] of readAmounts(resources[list], place.apart())) {
      const limit = platform.get(name);
      if (limit !== undefined && isGreater(amount, limit)) {
        place.at(list, name).report('InvalidValue', `${name} is higher than the platform's limit`);
      }
    }
  }
}

function readAmounts(entries: readonly ResourceEntry[], place: Place): Amounts {
  const amounts = new Map<ResourceEntry['name'], Quantity>();
  for (const { name, value } of entries) {
    const at = place.at(name);
    const amount = parseQuantity(value);
    if (amounts.has(name)) at.report('InvalidValue', `${name} is listed twice`);
    else if (amount === null) at.report('InvalidValue', `${value} is not a Kubernetes quantity`);
    else if (isNegative(amount)) at.report('InvalidValue', `${value} is negative`);
    else if (name === 'GPU' && !isWhole(amount))
      at.report('InvalidValue', `the number of GPUs must be whole, got ${value}`);
    else amounts.set(name, amount);
  }
  return amounts;
}

import type { Place } from '../../../values/problem-list.ts';
import { isGreater, isNegative, parseQuantity, type Quantity } from '../../../values/quantities.ts';
import { SLOT } from '../scheduling/fair-share.ts';
import { amountOf, nodeNameOf } from '../scheduling/resources.ts';
import type { GivenResources, ResourceAmount } from './given-job.ts';

/** What the operator says about the resources of jobs, as quantities by the name of the resource. */
export interface ResourceRules {
  /** For resources that a job names neither in its requests nor in its limits. */
  readonly defaults: Readonly<Record<string, string>>;
  /** The least that a job must request. */
  readonly minimums: Readonly<Record<string, string>>;
  /** How many times its request a limit may be; 1 for resources that are not named. */
  readonly oversubscription: Readonly<Record<string, string>>;
}

export interface ReadResources {
  readonly requests: readonly ResourceAmount[];
  readonly limits: readonly ResourceAmount[];
}

const NAME = /^[a-z0-9]([a-z0-9./-]{0,251}[a-z0-9])?$/;
/** The names without a domain that nodes have. Source: Kubernetes. */
const STANDARD = /^(cpu|memory|ephemeral-storage|hugepages-[0-9].*)$/;
const MAX_RESOURCES = 16;
const ONE: Quantity = { numerator: 1n, denominator: 1n };

/**
 * The resources of a container under the names of nodes, sorted by name. If only requests or only limits are given, they
 * count as both. Then requests and limits must name the same resources, and what neither names gets the default.
 *
 * Source: Armada's submission. Its older generation fills in the missing side, its newer one has the other rules.
 */
export function readResources(given: GivenResources, rules: ResourceRules, place: Place): ReadResources {
  const requests = readAmounts(given.requests ?? [], place.at('requests'));
  const limits = readAmounts(given.limits ?? [], place.at('limits'));
  if (requests.size === 0) copy(limits, requests);
  if (limits.size === 0) copy(requests, limits);
  requireBoth(requests, limits, place);
  for (const [name, value] of Object.entries(rules.defaults)) {
    if (requests.has(name) || limits.has(name)) continue;
    requests.set(name, value);
    limits.set(name, value);
  }
  for (const name of requests.keys()) checkAmounts(name, requests, limits, rules, place);
  return { requests: sorted(requests), limits: sorted(limits) };
}

type Amounts = Map<string, string>;

function readAmounts(entries: readonly ResourceAmount[], place: Place): Amounts {
  const amounts: Amounts = new Map();
  if (entries.length > MAX_RESOURCES)
    place.report('TooLarge', `must have at most ${MAX_RESOURCES} resources`);
  for (const entry of entries.slice(0, MAX_RESOURCES)) {
    const name = resourceName(entry.name);
    const at = place.at(entry.name);
    const isKnown = name.includes('/') || STANDARD.test(name);
    if (!isKnown || !NAME.test(name) || name === SLOT)
      at.report(
        'InvalidValue',
        'this is not the name of a resource: use cpu, memory, gpu, ephemeral-storage, or a name with a domain such as nvidia.com/gpu',
      );
    if (amounts.has(name)) at.report('DuplicateId', `${name} is given twice`);
    const quantity = parseQuantity(entry.value);
    if (quantity && isNegative(quantity)) at.report('InvalidValue', `${name} must not be negative`);
    else if (amountOf(name, entry.value) === null)
      at.report('InvalidValue', `the amount of ${name} is not a Kubernetes quantity such as 500m, 2 or 1Gi`);
    amounts.set(name, entry.value);
  }
  return amounts;
}

/** The names of tasks are known too, in capital or small letters: `GPU` and `gpu` mean `nvidia.com/gpu`. */
function resourceName(given: string): string {
  const ofTasks = given.toUpperCase().replaceAll('-', '_');
  const name = nodeNameOf(ofTasks);
  return name === ofTasks ? given : name;
}

const copy = (from: Amounts, to: Amounts) => {
  for (const [name, value] of from) to.set(name, value);
};

function requireBoth(requests: Amounts, limits: Amounts, place: Place): void {
  for (const name of requests.keys())
    if (!limits.has(name))
      place.at('limits', name).report('MissingField', `${name} has a request, but no limit`);
  for (const name of limits.keys())
    if (!requests.has(name))
      place.at('requests', name).report('MissingField', `${name} has a limit, but no request`);
}

function checkAmounts(
  name: string,
  requests: Amounts,
  limits: Amounts,
  rules: ResourceRules,
  place: Place,
): void {
  const request = quantityOf(requests.get(name));
  const limit = quantityOf(limits.get(name));
  const least = quantityOf(rules.minimums[name]);
  if (request && least && isGreater(least, request))
    place.at('requests', name).report('InvalidValue', `${name} must be at least ${rules.minimums[name]}`);
  if (!request || !limit) return;
  const at = place.at('limits', name);
  const factor = quantityOf(rules.oversubscription[name]) ?? ONE;
  if (isGreater(request, limit)) at.report('InvalidValue', `the limit of ${name} is lower than its request`);
  else if (isGreater(limit, times(request, factor)))
    at.report(
      'InvalidValue',
      `the limit of ${name} must be at most ${rules.oversubscription[name] ?? 1} times its request`,
    );
}

const quantityOf = (text: string | undefined) => (text === undefined ? null : parseQuantity(text));

const times = (one: Quantity, other: Quantity): Quantity => ({
  numerator: one.numerator * other.numerator,
  denominator: one.denominator * other.denominator,
});

const sorted = (amounts: Amounts): ResourceAmount[] =>
  [...amounts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => ({ name, value }));

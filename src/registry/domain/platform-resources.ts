import type { TaskResourceAttributes, TaskResourceSpec } from '../../attributes/domain/payloads.ts';
import { isGreater, parseQuantity } from '../../values/quantities.ts';
import { type ResourceEntry, type Resources, resourceNames } from './task-templates.ts';

const fieldOf: Readonly<Record<ResourceEntry['name'], keyof TaskResourceSpec>> = {
  CPU: 'cpu',
  GPU: 'gpu',
  MEMORY: 'memory',
  STORAGE: 'storage',
  EPHEMERAL_STORAGE: 'ephemeralStorage',
};

/** The amounts that are set, as a task has them. */
export const resourceEntries = (spec: TaskResourceSpec = {}): ResourceEntry[] =>
  resourceNames.flatMap((name) => {
    const value = spec[fieldOf[name]];
    return value === undefined ? [] : [{ name, value }];
  });

/** Every container needs these. */
const isNeeded = (name: ResourceEntry['name']) => name === 'CPU' || name === 'MEMORY';

/**
 * What a container gets. A request that is missing is its limit, or else the default of the platform; a limit that is
 * missing is the request. Neither is above the limit of the platform. A GPU and storage are there only if the task asks
 * for them or the platform has a default. CPU and memory without a default get the limit of the platform, if it has one.
 * Source: Flyte v1.16, `flyteplugins/go/tasks/pluginmachinery/flytek8s/container_helper.go`; there, CPU and memory
 * without a default are 0.
 */
export function resourcesOnPlatform(
  { requests, limits }: Resources,
  platform: TaskResourceAttributes,
): Resources {
  const amountOf = (entries: readonly ResourceEntry[], name: ResourceEntry['name']) =>
    entries.find((one) => one.name === name)?.value;
  const resolved = [...resourceNames].sort().flatMap((name) => {
    const most = platform.limits?.[fieldOf[name]];
    const byPlatform = platform.defaults?.[fieldOf[name]] ?? (isNeeded(name) ? most : undefined);
    const request = amountOf(requests, name) ?? amountOf(limits, name) ?? byPlatform;
    if (request === undefined) return [];
    const limit = amountOf(limits, name) ?? request;
    return [{ name, request: atMost(request, most), limit: atMost(limit, most) }];
  });
  return {
    requests: resolved.map(({ name, request }) => ({ name, value: request })),
    limits: resolved.map(({ name, limit }) => ({ name, value: limit })),
  };
}

function atMost(amount: string, most = amount): string {
  const [one, other] = [parseQuantity(amount), parseQuantity(most)];
  return one && other && isGreater(one, other) ? most : amount;
}

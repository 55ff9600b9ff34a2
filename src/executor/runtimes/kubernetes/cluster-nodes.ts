import { isRecord } from '../../../values/json.ts';
import { parseQuantity, type Quantity } from '../../../values/quantities.ts';
import type { RuntimeNode, Taint } from '../../host/runtime.ts';
import { labels } from './pod-manifest.ts';

/** Pure rules: which nodes a cluster has for runs of this executor. */

type Amounts = Map<string, Quantity>;
type Json = Record<string, unknown>;

/** The most that the server takes of a node. */
const MAX_LABELS = 128;
const MAX_TAINTS = 32;
const MAX_NODES = 5000;

const ZERO: Quantity = { numerator: 0n, denominator: 1n };
const EFFECTS: readonly string[] = [
  'NoSchedule',
  'PreferNoSchedule',
  'NoExecute',
] satisfies Taint['effect'][];

/**
 * The nodes with what they have for the runs of this executor: what Kubernetes can give to pods, without what the pods
 * of others request. A node that is not ready or is cordoned takes no new runs.
 */
export function clusterNodes(
  nodes: readonly unknown[],
  pods: readonly unknown[],
  executor: string,
): RuntimeNode[] {
  const taken = new Map<string, Amounts>();
  for (const pod of pods.map(recordOf)) {
    const { spec, metadata, status } = pod;
    const node = recordOf(spec)['nodeName'];
    const isOurs = recordOf(recordOf(metadata)['labels'])[labels.executor] === executor;
    const isOver = ['Succeeded', 'Failed'].includes(String(recordOf(status)['phase']));
    if (typeof node !== 'string' || isOurs || isOver) continue;
    taken.set(node, plus(taken.get(node) ?? new Map(), requestsOf(recordOf(spec))));
  }
  return nodes
    .map(recordOf)
    .flatMap((node) => readNode(node, taken) ?? [])
    .slice(0, MAX_NODES);
}

function readNode({ metadata, spec, status }: Json, taken: ReadonlyMap<string, Amounts>): RuntimeNode | null {
  const { name, labels: own } = recordOf(metadata);
  if (typeof name !== 'string' || name === '') return null;
  const foreign = taken.get(name) ?? new Map<string, Quantity>();
  const allocatable = [...amountsOf(recordOf(status)['allocatable'])]
    // Labels and runs decide how many pods there are, not requests.
    .filter(([resource]) => resource !== 'pods')
    .map(
      ([resource, amount]) =>
        [resource, textOf(resource, minus(amount, foreign.get(resource) ?? ZERO))] as const,
    );
  const { unschedulable, taints } = recordOf(spec);
  return {
    name,
    allocatable: Object.fromEntries(allocatable),
    labels: Object.fromEntries(
      Object.entries(recordOf(own))
        .flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []))
        .slice(0, MAX_LABELS),
    ),
    taints: listOf(taints)
      .flatMap((taint) => readTaint(recordOf(taint)) ?? [])
      .slice(0, MAX_TAINTS),
    unschedulable: unschedulable === true || !isReady(status),
  };
}

/** Whether the kubelet of a node says that it is ready. */
export function isReady(status: unknown): boolean {
  const conditions = listOf(recordOf(status)['conditions']).map(recordOf);
  return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

function readTaint({ key, value, effect }: Json): Taint | null {
  if (typeof key !== 'string' || typeof effect !== 'string' || !EFFECTS.includes(effect)) return null;
  return { key, value: typeof value === 'string' ? value : '', effect: effect as Taint['effect'] };
}

/**
 * What a pod requests: its containers together, or the largest of those that run before them, and what the pod itself
 * costs. A container that runs beside the others although it starts before them counts with the others.
 */
function requestsOf(spec: Json): Amounts {
  const isSidecar = (container: Json) => container['restartPolicy'] === 'Always';
  const initial = listOf(spec['initContainers']).map(recordOf);
  const sidecars = sum(initial.filter(isSidecar).map(requested));
  const together = plus(sum(listOf(spec['containers']).map(recordOf).map(requested)), sidecars);
  const before = initial.filter((one) => !isSidecar(one)).map((one) => plus(requested(one), sidecars));
  return plus([together, ...before].reduce(largest), amountsOf(spec['overhead']));
}

const requested = (container: Json): Amounts => amountsOf(recordOf(container['resources'])['requests']);

function amountsOf(quantities: unknown): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, text] of Object.entries(recordOf(quantities))) {
    const amount = typeof text === 'string' ? parseQuantity(text) : null;
    if (amount !== null) amounts.set(name, amount);
  }
  return amounts;
}

const merged = (one: Amounts, other: Amounts, merge: (a: Quantity, b: Quantity) => Quantity): Amounts =>
  new Map(
    [...new Set([...one.keys(), ...other.keys()])].map((name) => [
      name,
      merge(one.get(name) ?? ZERO, other.get(name) ?? ZERO),
    ]),
  );

const plus = (one: Amounts, other: Amounts): Amounts =>
  merged(one, other, (a, b) =>
    // The numbers stay small if many amounts are added that are written in the same way.
    a.denominator === b.denominator
      ? { numerator: a.numerator + b.numerator, denominator: a.denominator }
      : {
          numerator: a.numerator * b.denominator + b.numerator * a.denominator,
          denominator: a.denominator * b.denominator,
        },
  );

const sum = (all: readonly Amounts[]): Amounts => all.reduce(plus, new Map());

const largest = (one: Amounts, other: Amounts): Amounts =>
  merged(one, other, (a, b) => (a.numerator * b.denominator >= b.numerator * a.denominator ? a : b));

const minus = (a: Quantity, b: Quantity): Quantity => ({
  numerator: a.numerator * b.denominator - b.numerator * a.denominator,
  denominator: a.denominator * b.denominator,
});

/** Rounded down, at least 0: thousandths of CPUs, and whole units of everything else. */
function textOf(resource: string, { numerator, denominator }: Quantity): string {
  const factor = resource === 'cpu' ? 1000n : 1n;
  const amount = numerator <= 0n ? 0n : (numerator * factor) / denominator;
  return resource === 'cpu' ? `${amount}m` : String(amount);
}

const recordOf = (value: unknown): Json => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

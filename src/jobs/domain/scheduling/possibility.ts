import { addJob } from './fair-share.ts';
import { MAY_BE_UNSAID, type NodeState, type NodeView, type Shape } from './fleet.ts';
import { mismatch } from './matching.ts';
import { obstaclesText, surveyOf } from './obstacles.ts';
import type { Item, WaitingJob } from './plan-round.ts';
import { type Amounts, add, amountText, type Resources } from './resources.ts';

/** All nodes that a pool has, or had not long ago. */
export interface KnownFleet {
  /** Nothing counts of what they hold, and whether they are cordoned does not either. */
  readonly nodes: readonly NodeState[];
  /** What all of them have. */
  readonly totals: Resources;
}

/**
 * Why jobs that start together could not even run if nothing else ran; null if they could, or if that is not certain.
 * So a job that is rejected for this reason would have waited for ever.
 *
 * Jobs of one shape are judged exactly. A gang of several shapes is impossible only if already one of its shapes, or the
 * sum of one resource, does not fit.
 *
 * @param limits  how much of the pool the jobs of a class may hold together, as for a round with these totals.
 */
export function whyImpossible(
  item: Item,
  fleet: KnownFleet,
  limits: Readonly<Record<string, Resources>>,
): string | null {
  return whyNoNodes(item, fleet) ?? whyOverLimit(item, fleet, limits);
}

function whyNoNodes(item: Item, { nodes }: KnownFleet): string | null {
  const counts = countShapes(item.jobs);
  for (const { shape } of counts)
    if (!nodes.some((node) => capacityFor(shape, node) > 0)) return noNodeText(shape, nodes);
  if (item.jobs.length === 1) return null;
  const label = item.uniformityLabel;
  if (label === null) return fitTogether(counts, nodes) ? null : gangText(item.jobs.length, null);
  const groups = new Map<string, NodeState[]>();
  for (const node of nodes) {
    const value = node.labels[label];
    if (value === undefined) continue;
    const group = groups.get(value);
    if (group) group.push(node);
    else groups.set(value, [node]);
  }
  return [...groups.values()].some((group) => fitTogether(counts, group))
    ? null
    : gangText(item.jobs.length, label);
}

interface ShapeCount {
  readonly shape: Shape;
  count: number;
}

function countShapes(jobs: readonly WaitingJob[]): ShapeCount[] {
  const counts = new Map<string, ShapeCount>();
  for (const { shape } of jobs) {
    const known = counts.get(shape.digest);
    if (known) known.count += 1;
    else counts.set(shape.digest, { shape, count: 1 });
  }
  return [...counts.values()];
}

/** How many jobs of a shape an empty node has room for. */
function capacityFor(shape: Shape, node: NodeState): number {
  if (mismatch(node, shape) !== null) return 0;
  if (!node.allocatable) return Number.POSITIVE_INFINITY;
  let capacity = Number.POSITIVE_INFINITY;
  for (const [name, amount] of Object.entries(shape.resources)) {
    const has = node.allocatable[name] ?? MAY_BE_UNSAID[name] ?? 0;
    if (amount > 0) capacity = Math.min(capacity, Math.floor(has / amount));
  }
  return capacity;
}

function fitTogether(counts: readonly ShapeCount[], nodes: readonly NodeState[]): boolean {
  for (const { shape, count } of counts) {
    let room = 0;
    for (const node of nodes) {
      room += capacityFor(shape, node);
      if (room >= count) break;
    }
    if (room < count) return false;
  }
  if (counts.length === 1) return true;
  const useful = nodes.filter((node) => counts.some(({ shape }) => capacityFor(shape, node) > 0));
  if (useful.some(({ allocatable }) => !allocatable)) return true;
  const wanted: Amounts = {};
  for (const { shape, count } of counts) add(wanted, shape.resources, count);
  return Object.entries(wanted).every(([name, amount]) => {
    const has = useful.reduce((all, node) => all + (node.allocatable?.[name] ?? MAY_BE_UNSAID[name] ?? 0), 0);
    return amount <= has;
  });
}

function noNodeText(shape: Shape, nodes: readonly NodeState[]): string {
  const views = nodes.map(
    (state): NodeView => ({
      state: { ...state, isOpen: true },
      free: state.allocatable,
      room: Number.POSITIVE_INFINITY,
    }),
  );
  const { obstacles } = surveyOf({ shape, avoidedNodes: [] }, views);
  return `no node could ever run the job: ${obstaclesText(obstacles)}`;
}

function gangText(jobs: number, label: string | null): string {
  const where =
    label === null ? 'the nodes of the pool' : `any nodes with the same value of the label ${label}`;
  return `the ${jobs} jobs of the gang could never fit on ${where} together`;
}

/** Limits are parts of what the pool has, so they say nothing certain if a node does not say what it has. */
function whyOverLimit(
  { jobs }: Item,
  { nodes }: KnownFleet,
  limits: Readonly<Record<string, Resources>>,
): string | null {
  const name = jobs[0]?.shape.priorityClass ?? '';
  const limit = limits[name];
  if (!limit || nodes.some(({ allocatable }) => !allocatable)) return null;
  const wanted: Amounts = {};
  for (const { shape } of jobs) addJob(wanted, shape.resources);
  const over = Object.keys(limit).find((resource) => (wanted[resource] ?? 0) > (limit[resource] ?? 0));
  if (over === undefined) return null;
  const [asked, most] = [wanted[over], limit[over]].map((amount) => amountText(over, amount ?? 0));
  const who = jobs.length === 1 ? 'the job asks' : `the ${jobs.length} jobs of the gang ask`;
  return `the queue may hold at most ${most} ${over} of the pool with jobs of the class ${name}, and ${who} for ${asked}`;
}

import { MAY_BE_UNSAID, type NodeView, nodeAddress, type Wanted } from './fleet.ts';
import { mismatch } from './matching.ts';
import { amountText, type Resources } from './resources.ts';

/** What keeps a job away from a node. */
export type ObstacleKind = 'SILENT' | 'CORDONED' | 'SELECTOR' | 'TAINT' | 'AVOIDED' | 'ROOM' | 'RESOURCE';

/** What keeps a job away from so many nodes. */
export interface Obstacle {
  readonly kind: ObstacleKind;
  readonly nodes: number;
  /** For people. */
  readonly text: string;
}

export interface Survey {
  /** On how many nodes there is room for the job. */
  readonly fitting: number;
  /** Those of most nodes first. */
  readonly obstacles: readonly Obstacle[];
}

/** How many different obstacles are named. The rest is one number. */
const MAX_OBSTACLES = 10;

interface Reason {
  readonly kind: ObstacleKind;
  readonly text: string;
  /** Set if there is not enough of this resource: what is free of it. */
  readonly resource?: string;
  readonly free?: number;
}

/**
 * What keeps a job away from each node, in numbers of nodes. The nodes are asked the same questions, in the same order,
 * as when the job is placed.
 */
export function surveyOf(wanted: Wanted, views: readonly NodeView[]): Survey {
  const isOpenTo = ({ state }: NodeView) => state.isOpen && mismatch(state, wanted.shape) === null;
  const isAvoided = ({ state }: NodeView) =>
    wanted.avoidedNodes.includes(nodeAddress(state.executor, state.name));
  const matching = views.filter(isOpenTo);
  // A job that avoids all nodes avoids none.
  const avoids = wanted.avoidedNodes.length > 0 && !matching.every(isAvoided);
  const groups = new Map<string, { reason: Reason; nodes: number; most: number }>();
  let fitting = 0;
  for (const view of views) {
    const reason = reasonOf(wanted, view, avoids && isAvoided(view));
    if (!reason) {
      fitting += 1;
      continue;
    }
    const key = reason.resource ?? reason.text;
    const group = groups.get(key) ?? { reason, nodes: 0, most: 0 };
    groups.set(key, {
      reason,
      nodes: group.nodes + 1,
      most: Math.max(group.most, reason.free ?? 0),
    });
  }
  const obstacles = [...groups.values()].map(({ reason, nodes, most }): Obstacle => {
    const { kind, resource, text } = reason;
    if (resource === undefined) return { kind, nodes, text };
    return { kind, nodes, text: lackText(resource, wanted.shape.resources[resource] ?? 0, most) };
  });
  return { fitting, obstacles: shorten(obstacles.sort((one, other) => other.nodes - one.nodes)) };
}

function reasonOf({ shape }: Wanted, { state, free, room }: NodeView, isAvoided: boolean): Reason | null {
  if (!state.isOpen) return { kind: 'CORDONED', text: 'cordoned' };
  const different = mismatch(state, shape);
  if (different) return different;
  if (isAvoided) return { kind: 'AVOIDED', text: 'an attempt of the job was lost there' };
  if (room <= 0) return { kind: 'ROOM', text: 'the executor takes no more runs' };
  const resource = free && lacking(shape.resources, free);
  return resource == null ? null : { kind: 'RESOURCE', text: '', resource, free: free?.[resource] ?? 0 };
}

/** A resource of which there is not enough; undefined if there is enough of all. */
export const lacking = (requested: Resources, free: Resources): string | undefined =>
  Object.keys(requested).find((name) => {
    const amount = requested[name] ?? 0;
    return amount > 0 && amount > (free[name] ?? MAY_BE_UNSAID[name] ?? 0);
  });

const lackText = (resource: string, asked: number, most: number) =>
  `not enough ${resource} (asks ${amountText(resource, asked)}, most free ${amountText(resource, Math.max(most, 0))})`;

function shorten(obstacles: readonly Obstacle[]): readonly Obstacle[] {
  if (obstacles.length <= MAX_OBSTACLES) return obstacles;
  const rest = obstacles.slice(MAX_OBSTACLES - 1);
  const nodes = rest.reduce((all, one) => all + one.nodes, 0);
  const kind = (rest[0] as Obstacle).kind;
  return [...obstacles.slice(0, MAX_OBSTACLES - 1), { kind, nodes, text: `${rest.length} other reasons` }];
}

/** '12 nodes: cordoned; 1 node: …' */
export const obstaclesText = (obstacles: readonly Obstacle[]): string =>
  obstacles.map(({ nodes, text }) => `${nodes} ${nodes === 1 ? 'node' : 'nodes'}: ${text}`).join('; ');

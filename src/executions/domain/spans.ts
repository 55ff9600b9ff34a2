import type { TaskExecutionPhase } from '../../generated/prisma/enums.ts';
import { groupBy } from '../../platform/group-by.ts';

/**
 * Where the time of an execution went, as a tree: the execution, the nodes in it, the attempts of each, and what an
 * attempt did. What lies between the parts of something is a span of its own, so that the parts together take all of
 * its time.
 *
 *   execution   ├ SETUP ┤├──── node ────┤├ OVERHEAD ┤├── node ──┤├ TEARDOWN ┤
 *   node                 ├ attempt ┤├ OVERHEAD ┤├ attempt ┤
 *   attempt              ├ QUEUED ┤├ SETUP ┤├ RUNNING ┤
 *
 * Source: Flyte's GetExecutionMetrics.
 */

/** What a span without an object of its own is. */
export type SpanOperation = 'QUEUED' | 'SETUP' | 'RUNNING' | 'OVERHEAD' | 'TEARDOWN';

/** The times of something. Times that are not known yet are null. */
export interface Times {
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface SpanNode extends Times {
  readonly id: string;
  readonly nodeId: string;
  readonly parentId: string | null;
}

export interface SpanAttempt extends Times {
  readonly nodeExecutionId: string;
  readonly retryAttempt: number;
  /** Its phases in their order; empty if they are not known. */
  readonly phases: readonly { readonly phase: TaskExecutionPhase; readonly at: Date }[];
}

export interface SpanSource {
  readonly execution: Times;
  /** In any order. A node whose parent is not among them is left out. */
  readonly nodes: readonly SpanNode[];
  readonly attempts: readonly SpanAttempt[];
  /** Whether the execution has more nodes or attempts than these. */
  readonly isCut: boolean;
}

export interface Span {
  readonly kind: 'EXECUTION' | 'NODE' | 'ATTEMPT' | 'OPERATION';
  readonly nodeId: string | null;
  readonly retryAttempt: number | null;
  readonly operation: SpanOperation | null;
  readonly startedAt: Date;
  /** Null while it goes on. */
  readonly endedAt: Date | null;
  readonly spans: readonly Span[];
  /** Whether spans are missing inside of it. */
  readonly isCut: boolean;
}

/** @param depth  how many levels the tree has, at least 1. */
export function spansOf({ execution, nodes, attempts, isCut }: SpanSource, depth: number): Span {
  const nodesInside = groupBy(nodes, ({ parentId }) => parentId ?? '');
  const attemptsInside = groupBy(attempts, ({ nodeExecutionId }) => nodeExecutionId);

  const ofNode = (node: SpanNode, levels: number): Span => {
    const { id, nodeId } = node;
    const inside = (): Span[] => {
      const parts = [
        ...(attemptsInside.get(id) ?? []).map((attempt) => ofAttempt(attempt, nodeId, levels - 1)),
        ...(nodesInside.get(id) ?? []).map((inner) => ofNode(inner, levels - 1)),
      ];
      return parts.length > 0 ? withGaps(node, parts) : operationsOf(node, []);
    };
    return cutAt(levels, { ...base, ...extentOf(node), kind: 'NODE', nodeId }, inside);
  };

  const whole = { ...base, ...extentOf(execution), kind: 'EXECUTION' as const };
  const tree = cutAt(depth, whole, () => {
    const parts = (nodesInside.get('') ?? []).map((node) => ofNode(node, depth - 1));
    return parts.length > 0 ? withGaps(execution, parts) : operationsOf(execution, []);
  });
  return { ...tree, isCut: tree.isCut || isCut };
}

const base = { nodeId: null, retryAttempt: null, operation: null };

const extentOf = ({ createdAt, endedAt }: Times) => ({ startedAt: createdAt, endedAt });

function cutAt(levels: number, span: Omit<Span, 'spans' | 'isCut'>, inside: () => readonly Span[]): Span {
  return levels > 1 ? { ...span, spans: inside(), isCut: false } : { ...span, spans: [], isCut: true };
}

function ofAttempt(attempt: SpanAttempt, nodeId: string, levels: number): Span {
  const { retryAttempt, phases } = attempt;
  const span = { ...base, ...extentOf(attempt), kind: 'ATTEMPT' as const, nodeId, retryAttempt };
  return cutAt(levels, span, () => operationsOf(attempt, phases));
}

const operation = (name: SpanOperation, startedAt: Date, endedAt: Date | null): Span => ({
  ...base,
  kind: 'OPERATION',
  operation: name,
  startedAt,
  endedAt,
  spans: [],
  isCut: false,
});

/** What something that contains nothing else did. Final phases begin nothing. */
const operationIn: Readonly<Partial<Record<TaskExecutionPhase, SpanOperation>>> = {
  QUEUED: 'QUEUED',
  WAITING_FOR_RESOURCES: 'QUEUED',
  INITIALIZING: 'SETUP',
  RUNNING: 'RUNNING',
};

function operationsOf(times: Times, phases: SpanAttempt['phases']): Span[] {
  const { createdAt, startedAt, endedAt } = times;
  const begun = phases.flatMap(({ phase, at }) => {
    const name = operationIn[phase];
    return name ? [{ name, at }] : [];
  });
  const known: readonly { readonly name: SpanOperation; readonly at: Date }[] =
    begun.length > 0
      ? begun
      : [
          { name: 'QUEUED', at: createdAt },
          ...(startedAt ? [{ name: 'RUNNING' as const, at: startedAt }] : []),
        ];
  const changes = known.filter(({ name }, index) => known[index - 1]?.name !== name);
  return changes
    .map(({ name, at }, index) => operation(name, at, changes[index + 1]?.at ?? endedAt))
    .filter((span) => span.endedAt === null || span.endedAt > span.startedAt);
}

/** The parts of something by their start, and what lies before, between and after them. */
function withGaps({ createdAt, endedAt }: Times, parts: readonly Span[]): Span[] {
  const sorted = [...parts].sort((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
  const spans: Span[] = [];
  /** The end of what has been covered; null if a part goes on. */
  let covered: Date | null = createdAt;
  for (const part of sorted) {
    if (covered && part.startedAt > covered)
      spans.push(operation(spans.length === 0 ? 'SETUP' : 'OVERHEAD', covered, part.startedAt));
    spans.push(part);
    covered = covered && part.endedAt && later(covered, part.endedAt);
  }
  // Without an end, nobody knows yet whether another part follows.
  if (covered && endedAt && endedAt > covered) spans.push(operation('TEARDOWN', covered, endedAt));
  return spans;
}

const later = (one: Date, other: Date) => new Date(Math.max(one.getTime(), other.getTime()));

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Span, type SpanAttempt, type SpanNode, spansOf } from '../../src/executions/domain/spans.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const times = (created: number, started: number | null, ended: number | null) => ({
  createdAt: at(created),
  startedAt: started === null ? null : at(started),
  endedAt: ended === null ? null : at(ended),
});
const node = (nodeId: string, parentId: string | null, ...given: Parameters<typeof times>): SpanNode => ({
  id: nodeId,
  nodeId,
  parentId,
  ...times(...given),
});
const attempt = (
  nodeExecutionId: string,
  retryAttempt: number,
  given: Parameters<typeof times>,
  phases: SpanAttempt['phases'] = [],
): SpanAttempt => ({ nodeExecutionId, retryAttempt, ...times(...given), phases });

/** One line for each span: how deep it is, what it is, and from when to when. */
function linesOf(span: Span, depth = 0): string[] {
  const seconds = (date: Date | null) => (date ? (date.getTime() - at(0).getTime()) / 1000 : '…');
  const name =
    span.operation ?? [span.kind, span.nodeId, span.retryAttempt].filter((part) => part !== null).join(' ');
  const line = `${'  '.repeat(depth)}${name} ${seconds(span.startedAt)}–${seconds(span.endedAt)}`;
  return [`${line}${span.isCut ? ' cut' : ''}`, ...span.spans.flatMap((inner) => linesOf(inner, depth + 1))];
}

interface Case {
  readonly execution: Parameters<typeof times>;
  readonly nodes?: readonly SpanNode[];
  readonly attempts?: readonly SpanAttempt[];
  readonly depth?: number;
  readonly isCut?: boolean;
  readonly expected: readonly string[];
}

const phase = (name: SpanAttempt['phases'][number]['phase'], second: number) => ({
  phase: name,
  at: at(second),
});

const cases: Readonly<Record<string, Case>> = {
  'an execution that waits': { execution: [0, null, null], expected: ['EXECUTION 0–…', '  QUEUED 0–…'] },
  'an execution that ended without nodes': {
    execution: [0, 2, 5],
    expected: ['EXECUTION 0–5', '  QUEUED 0–2', '  RUNNING 2–5'],
  },
  'what lies before, between and after nodes': {
    execution: [0, 1, 20],
    nodes: [node('b', null, 10, 10, 15), node('a', null, 2, 2, 8)],
    expected: [
      ...['EXECUTION 0–20', '  SETUP 0–2', '  NODE a 2–8', '    RUNNING 2–8', '  OVERHEAD 8–10'],
      ...['  NODE b 10–15', '    RUNNING 10–15', '  TEARDOWN 15–20'],
    ],
  },
  'nodes that overlap': {
    execution: [0, 0, 10],
    nodes: [node('a', null, 0, 0, 9), node('b', null, 1, 1, 3), node('c', null, 9, 9, 10)],
    expected: [
      ...['EXECUTION 0–10', '  NODE a 0–9', '    RUNNING 0–9', '  NODE b 1–3', '    RUNNING 1–3'],
      ...['  NODE c 9–10', '    RUNNING 9–10'],
    ],
  },
  'nothing after a node that still runs': {
    execution: [0, 0, null],
    nodes: [node('a', null, 0, 0, null), node('b', null, 1, 1, 3), node('c', null, 7, null, null)],
    expected: [
      ...['EXECUTION 0–…', '  NODE a 0–…', '    RUNNING 0–…', '  NODE b 1–3', '    RUNNING 1–3'],
      ...['  NODE c 7–…', '    QUEUED 7–…'],
    ],
  },
  'no end that is not known yet': {
    execution: [0, 0, null],
    nodes: [node('a', null, 0, 0, 3)],
    expected: ['EXECUTION 0–…', '  NODE a 0–3', '    RUNNING 0–3'],
  },
  'the phases of an attempt, those that follow each other in one span': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 0, 9)],
    attempts: [
      attempt(
        'a',
        0,
        [0, 5, 9],
        [
          ...[phase('QUEUED', 0), phase('WAITING_FOR_RESOURCES', 2), phase('INITIALIZING', 3)],
          ...[phase('RUNNING', 5), phase('SUCCEEDED', 9)],
        ],
      ),
    ],
    expected: [
      ...['EXECUTION 0–9', '  NODE a 0–9', '    ATTEMPT a 0 0–9'],
      ...['      QUEUED 0–3', '      SETUP 3–5', '      RUNNING 5–9'],
    ],
  },
  'an attempt that lost its lease and waited again': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 0, 9)],
    attempts: [
      attempt(
        'a',
        0,
        [0, 1, 9],
        [phase('QUEUED', 0), phase('RUNNING', 1), phase('QUEUED', 4), phase('RUNNING', 6)],
      ),
    ],
    expected: [
      ...['EXECUTION 0–9', '  NODE a 0–9', '    ATTEMPT a 0 0–9'],
      ...['      QUEUED 0–1', '      RUNNING 1–4', '      QUEUED 4–6', '      RUNNING 6–9'],
    ],
  },
  'an attempt whose phases are not known, and its retry': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 1, 9)],
    attempts: [attempt('a', 0, [0, 1, 3]), attempt('a', 1, [5, 5, 8])],
    expected: [
      ...['EXECUTION 0–9', '  NODE a 0–9', '    ATTEMPT a 0 0–3', '      QUEUED 0–1', '      RUNNING 1–3'],
      ...['    OVERHEAD 3–5', '    ATTEMPT a 1 5–8', '      RUNNING 5–8', '    TEARDOWN 8–9'],
    ],
  },
  'nodes inside of others': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 0, 9), node('a:x', 'a', 1, 1, 9), node('lost', 'unknown', 0, 0, 9)],
    expected: ['EXECUTION 0–9', '  NODE a 0–9', '    SETUP 0–1', '    NODE a:x 1–9', '      RUNNING 1–9'],
  },
  'only as many levels as were asked for': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 0, 9)],
    attempts: [attempt('a', 0, [0, 0, 9])],
    depth: 2,
    expected: ['EXECUTION 0–9', '  NODE a 0–9 cut'],
  },
  'one level': { execution: [0, 0, 9], depth: 1, expected: ['EXECUTION 0–9 cut'] },
  'that nodes are missing': {
    execution: [0, 0, 9],
    nodes: [node('a', null, 0, 0, 9)],
    isCut: true,
    expected: ['EXECUTION 0–9 cut', '  NODE a 0–9', '    RUNNING 0–9'],
  },
};

describe('the spans of an execution', () => {
  it.each(Object.entries(cases))(
    'show %s',
    (_, { execution, nodes = [], attempts = [], depth = 4, isCut = false, expected }) => {
      expect(linesOf(spansOf({ execution: times(...execution), nodes, attempts, isCut }, depth))).toEqual(
        expected,
      );
    },
  );

  it('take all of the time of an execution that has ended, and its gaps never overlap a node', () => {
    const span = fc
      .tuple(fc.nat(50), fc.nat(50))
      .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 8 }), (given) => {
        const nodes = given.map(([from, to], index) => node(`n${index}`, null, from, from, to));
        const { spans } = spansOf({ execution: times(0, 0, 50), nodes, attempts: [], isCut: false }, 2);
        const covers = (one: Span, second: number) =>
          one.startedAt <= at(second) && at(second + 1) <= (one.endedAt ?? at(50));
        for (let second = 0; second < 50; second += 1) {
          const covering = spans.filter((one) => covers(one, second));
          const gaps = covering.filter(({ operation }) => operation !== null);
          expect(covering.length).toBeGreaterThan(0);
          expect(gaps.length).toBe(covering.length === gaps.length ? 1 : 0);
        }
      }),
    );
  });
});

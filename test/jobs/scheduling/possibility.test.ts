/** Which jobs could never run, whatever ends. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet, type NodeState } from '../../../src/jobs/domain/scheduling/fleet.ts';
import type { Item } from '../../../src/jobs/domain/scheduling/plan-round.ts';
import { whyImpossible } from '../../../src/jobs/domain/scheduling/possibility.ts';
import { executor, gang, item, node, type ShapeLike, totalsOf } from './pools.ts';

const why = (asked: Item, nodes: readonly NodeState[], limits = {}) =>
  whyImpossible(asked, { nodes, totals: totalsOf(nodes) }, limits);

const gpu = { labels: { gpu: 'a100' } };
const tainted = { taints: [{ key: 'team', value: 'vision', effect: 'NoSchedule' as const }] };

describe('a single job', () => {
  it.each<[string, ShapeLike, string | null]>([
    ['fits on the largest node', { resources: { cpu: 4000 } }, null],
    [
      'asks for more than any node has',
      { resources: { cpu: 4001 } },
      '3 nodes: not enough cpu (asks 4.001, most free 4); 1 node: the job does not tolerate the taint team=vision:NoSchedule',
    ],
    [
      'asks for a resource that no node has',
      { resources: { 'nvidia.com/gpu': 1 } },
      '3 nodes: not enough nvidia.com/gpu (asks 1, most free 0)',
    ],
    ['asks for disk, of which nodes do not speak', { resources: { 'ephemeral-storage': 1 } }, null],
    ['selects a label that a node has', { nodeSelector: { gpu: 'a100' } }, null],
    [
      'selects a label that no node has',
      { nodeSelector: { gpu: 'h100' } },
      '4 nodes: the label gpu=h100 is missing',
    ],
    [
      'fits only on a node that is not the one that it selects',
      { nodeSelector: { gpu: 'a100' }, resources: { cpu: 3000 } },
      '3 nodes: the label gpu=a100 is missing; 1 node: not enough cpu (asks 3, most free 2)',
    ],
  ])('that %s', (_what, shape, expected) => {
    const nodes = [
      node('small', { cpu: 1000 }),
      node('large', { cpu: 4000 }),
      node('gpu', { cpu: 2000 }, gpu),
      node('theirs', { cpu: 64_000 }, tainted),
    ];
    const said = why(item(shape), nodes);
    if (expected === null) expect(said).toBeNull();
    else {
      expect(said).toMatch(/^no node could ever run the job: /);
      expect(said).toContain(expected);
    }
  });

  it('waits for a node that is full, cordoned, or was avoided', () => {
    const full = node('full', { cpu: 2 }, { held: { cpu: 2 }, isOpen: false });
    expect(why(item({ resources: { cpu: 2 } }, 0, ['executor/full']), [full])).toBeNull();
  });

  it('waits if an executor does not say what it has', () => {
    expect(
      why(item({ resources: { cpu: 10 ** 9 } }), [node('small', { cpu: 1 }), node('mute', null)]),
    ).toBeNull();
  });

  it('runs on a tainted node if it tolerates the taint', () => {
    const tolerations = [{ key: 'team', operator: 'Exists' as const, value: '', effect: null }];
    expect(why(item({ tolerations }), [node('theirs', { cpu: 1 }, tainted)])).toBeNull();
  });

  it('names at most ten reasons', () => {
    const nodes = Array.from({ length: 30 }, (_, at) =>
      node(`n${at}`, { cpu: 1 }, { taints: [{ key: `k${at}`, value: '', effect: 'NoExecute' }] }),
    );
    expect(why(item(), nodes)?.split('; ')).toHaveLength(10);
    expect(why(item(), nodes)).toMatch(/; 21 nodes: 21 other reasons$/);
  });
});

describe('limits of a queue', () => {
  const nodes = [node('one', { cpu: 8000 })];

  it('make a job impossible that is larger than they are', () => {
    const limits = { 'class-1000': { cpu: 2000 } };
    expect(why(item({ resources: { cpu: 2000 } }), nodes, limits)).toBeNull();
    expect(why(item({ resources: { cpu: 2001 } }), nodes, limits)).toBe(
      'the queue may hold at most 2 cpu of the pool with jobs of the class class-1000, and the job asks for 2.001',
    );
    expect(why(gang(3, { resources: { cpu: 1000 } }), nodes, limits)).toContain(
      'the 3 jobs of the gang ask for 3',
    );
  });

  it('are for one class, and say nothing if an executor does not say what it has', () => {
    const limits = { 'class-1000': { cpu: 0 } };
    expect(why(item({ classPriority: 5 }), nodes, limits)).toBeNull();
    expect(why(item(), [...nodes, node('mute', null)], limits)).toBeNull();
  });
});

describe('a gang', () => {
  const racks = [
    node('a1', { cpu: 2 }, { labels: { rack: 'a' } }),
    node('a2', { cpu: 2 }, { labels: { rack: 'a' } }),
    node('b1', { cpu: 3 }, { labels: { rack: 'b' } }),
    node('loose', { cpu: 9 }),
  ];

  it.each([
    [16, null, true],
    [17, null, false],
    [4, 'rack', true],
    [5, 'rack', false],
    [1, 'rack', true],
    [2, 'row', false],
  ])('of %i jobs on nodes with the same %s', (size, uniformityLabel, isPossible) => {
    expect(why(gang(size, {}, { uniformityLabel }), racks) === null).toBe(isPossible);
  });

  it('of several shapes is impossible if one shape, or the sum of one resource, does not fit', () => {
    const mixed = (cpu: number, memory: number): Item => ({
      jobs: [...gang(1, { resources: { cpu } }).jobs, ...gang(1, { resources: { cpu: 1, memory } }).jobs],
      uniformityLabel: null,
    });
    const nodes = [node('one', { cpu: 4, memory: 4 }), node('two', { cpu: 4, memory: 4 })];
    expect(why(mixed(4, 4), nodes)).toBeNull();
    expect(why(mixed(5, 4), nodes)).toContain('not enough cpu');
    expect(why(mixed(4, 4), nodes.slice(1))).toContain('the 2 jobs of the gang could never fit');
  });
});

const resources = fc.record({ cpu: fc.nat(4), gpu: fc.nat(2) });
const labels = fc.record({ rack: fc.constantFrom('a', 'b') }, { requiredKeys: [] });
const taints = fc.subarray([{ key: 't', value: '', effect: 'NoSchedule' as const }]);
const nodeArbitrary = fc
  .tuple(resources, labels, taints)
  .map(([allocatable, given, tainting]) =>
    node('n', allocatable, { labels: { ...given }, taints: tainting }),
  );
const shapes = fc.record({
  resources,
  nodeSelector: fc.constantFrom<Record<string, string>>({}, { rack: 'a' }),
  tolerations: fc.constantFrom([], [{ key: '', operator: 'Exists' as const, value: '', effect: null }]),
});
const uniformity = fc.constantFrom(null, 'rack');
const places = (asked: Item, nodes: readonly NodeState[]) =>
  new Fleet(nodes, [executor()]).place(asked.jobs, asked.uniformityLabel) !== null;
const many = (nodes: readonly NodeState[]) => nodes.map((one, at) => ({ ...one, name: `n${at}` }));

describe('on an empty fleet', () => {
  it('jobs of one shape are possible exactly if the scheduler finds places for them', () => {
    fc.assert(
      fc.property(
        fc.array(nodeArbitrary, { maxLength: 6 }),
        shapes,
        fc.integer({ min: 1, max: 8 }),
        uniformity,
        (some, shape, size, uniformityLabel) => {
          const nodes = many(some);
          const asked = gang(size, shape, { uniformityLabel });
          // The uniformity label of a single job has no meaning: it is on one node.
          if (size === 1 && uniformityLabel !== null) return;
          expect(why(asked, nodes) === null).toBe(places(asked, nodes));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a gang that the scheduler can place is never impossible', () => {
    fc.assert(
      fc.property(
        fc.array(nodeArbitrary, { maxLength: 6 }),
        fc.array(shapes, { minLength: 2, maxLength: 5 }),
        uniformity,
        (some, members, uniformityLabel) => {
          const nodes = many(some);
          const asked = { jobs: members.flatMap((shape) => gang(1, shape).jobs), uniformityLabel };
          if (places(asked, nodes)) expect(why(asked, nodes)).toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { countsOf, executor, gang, item, items, listOf, node, orderOf, plan, queue } from './pools.ts';

const jobs = (count: number) => [listOf(items(count))];

describe('the queue with the lowest cost', () => {
  it('is next, and among equals the first by name', () => {
    const queues = [queue('B', jobs(20), { factor: 2 }), queue('A', jobs(20))];
    expect(orderOf(queues, plan(queues, { nodes: [node('n', { cpu: 8 })] }))).toBe('AABAABAA');
  });

  it.each([
    ['two equal queues', 32, { A: 1, B: 1 }, { A: 16, B: 16 }],
    ['three equal queues', 32, { A: 1, B: 1, C: 1 }, { A: 11, B: 11, C: 10 }],
    ['factors 1 and 2', 96, { A: 1, B: 2 }, { A: 64, B: 32 }],
    ['factors 1, 2 and 10', 96, { A: 1, B: 2, C: 10 }, { A: 60, B: 30, C: 6 }],
  ])('gets its part: %s', (_what, cpu, factors, expected) => {
    const queues = Object.entries(factors).map(([name, factor]) => queue(name, jobs(200), { factor }));
    expect(countsOf(queues, plan(queues, { nodes: [node('n', { cpu })] }))).toEqual(expected);
  });

  it('is the one that holds nothing yet', () => {
    const nodes = [node('n', { cpu: 132 }, { held: { cpu: 100 } })];
    const queues = [queue('A', jobs(100), { running: 100 }), queue('B', jobs(100))];
    expect(countsOf(queues, plan(queues, { nodes }))).toEqual({ A: 0, B: 32 });
  });

  it('is found by the resource of which it holds the largest part', () => {
    const gi = 2 ** 30;
    const held = [
      { cpu: 10, memory: 300 * gi },
      { cpu: 20, memory: 100 * gi, 'nvidia.com/gpu': 4 },
    ];
    const [a = {}, b = {}] = held;
    const nodes = [node('n', { cpu: 100, memory: 1000 * gi, 'nvidia.com/gpu': 10 })];
    const queues = [queue('A', jobs(1), { held: a }), queue('B', jobs(1), { held: b, factor: 2 })];
    expect(orderOf(queues, plan(queues, { nodes }))).toBe('AB');
  });

  it('is found among slots where no node says what it has', () => {
    const queues = [queue('A', jobs(9)), queue('B', jobs(9), { factor: 2 })];
    const pool = { nodes: [node('n', null)], executors: [executor({ room: 6 })], totals: { slots: 6 } };
    expect(countsOf(queues, plan(queues, pool))).toEqual({ A: 4, B: 2 });
  });
});

describe('a queue', () => {
  const pool = { nodes: [node('n', { cpu: 2 })] };
  const idsOf = (list: ReturnType<typeof items>, more = pool) =>
    plan([queue('A', [listOf(list)])], more).assignments.map(({ jobId }) => jobId);

  it('gives its jobs of higher classes first, then those with lower priorities, then the older ones', () => {
    const old = item({}, 1);
    const urgent = item({ classPriority: 2000 }, 9);
    const low = item({}, 0);
    const lists = [listOf([low, old]), listOf([urgent])];
    const planned = plan([queue('A', lists)], { nodes: [node('n', { cpu: 3 })] });
    expect(planned.assignments.map(({ jobId }) => jobId)).toEqual(
      [urgent, low, old].map(({ jobs: [job] }) => job?.id),
    );
  });

  it('goes before queues with a lower cost if its job has a higher class', () => {
    const queues = [
      queue('A', jobs(5)),
      queue('B', [listOf([item({ classPriority: 2000 })])], { running: 50 }),
    ];
    expect(orderOf(queues, plan(queues, pool))).toBe('BA');
  });

  it('is not blocked by a job for which there is no room', () => {
    const [large, small] = [item({ resources: { cpu: 3 } }), item()];
    const lists = [listOf([large]), listOf([small])];
    const { assignments, unplaced } = plan([queue('A', lists)], pool);
    expect(assignments).toMatchObject([{ jobId: small.jobs[0]?.id }]);
    expect(unplaced).toEqual([{ queueId: 'A', item: large }]);
  });

  it('is not blocked by a job that avoids the only node with room', () => {
    const [burnt, other] = [item({}, 0, ['executor/n']), item()];
    const nodes = [node('n', { cpu: 2 }), node('full', { cpu: 2 }, { held: { cpu: 2 } })];
    expect(idsOf([burnt, other], { nodes })).toEqual([other.jobs[0]?.id]);
  });

  it('holds no more of a class than its limit, whatever else is free', () => {
    const limits = { 'class-1000': { cpu: 16 } };
    const queues = [queue('A', [listOf(items(32)), listOf(items(3, { classPriority: 5 }))], { limits })];
    const planned = plan(queues, { nodes: [node('n', { cpu: 32 })] });
    expect(planned.assignments).toHaveLength(16 + 3);
  });
});

describe('a gang', () => {
  const nodes = [node('n', { cpu: 8 })];

  it('is placed whole, when its turn comes', () => {
    const queues = [queue('A', jobs(8)), queue('B', [listOf([gang(4)])])];
    expect(orderOf(queues, plan(queues, { nodes }))).toBe('AAAABBBB');
  });

  it('is not placed in part, and keeps no room', () => {
    const queues = [queue('A', jobs(20)), queue('B', [listOf([gang(5)])])];
    expect(countsOf(queues, plan(queues, { nodes }))).toEqual({ A: 8, B: 0 });
  });

  it('goes to nodes with one value of its label', () => {
    const racks = [
      node('a', { cpu: 2 }, { labels: { rack: 'one' } }),
      node('b', { cpu: 2 }, { labels: { rack: 'two' } }),
      node('c', { cpu: 2 }, { labels: { rack: 'two' } }),
      node('d', { cpu: 9 }),
    ];
    const placed = plan([queue('A', [listOf([gang(4, {}, { uniformityLabel: 'rack' })])])], { nodes: racks });
    expect(placed.assignments.map((one) => one.node)).toEqual(['b', 'b', 'c', 'c']);
    const large = [queue('A', [listOf([gang(5, {}, { uniformityLabel: 'rack' })])])];
    expect(plan(large, { nodes: racks }).assignments).toEqual([]);
  });

  it('may be larger than a round, but then it is alone', () => {
    const queues = [queue('A', [listOf([gang(5), gang(2)])])];
    expect(plan(queues, { nodes }, 3)).toMatchObject({ assignments: { length: 5 }, isPartial: true });
  });
});

describe('a job', () => {
  const placeOf = (nodes: ReturnType<typeof node>[], one = item()) =>
    plan([queue('A', [listOf([one])])], { nodes }).assignments[0]?.node;

  it('goes to the fullest node on which it fits', () => {
    const used = (name: string, cpu: number) => node(name, { cpu: 8 }, { held: { cpu } });
    expect(placeOf([used('a', 1), used('b', 7), used('c', 8), used('d', 3)])).toBe('b');
  });

  it.each([
    ['is closed', node('a', { cpu: 9 }, { isOpen: false })],
    ['lacks a label that it selects', node('a', { cpu: 9 }, { labels: { zone: 'west' } })],
    ['has a taint that it does not tolerate', node('a', { cpu: 9 }, { taints: [taint('gpu')] })],
    ['lacks a resource that it requests', node('a', { cpu: 9 })],
  ])('does not go to a node that %s', (_what, bad) => {
    const good = node('z', { cpu: 9, disk: 9 }, { labels: { zone: 'east' }, taints: [taint('old')] });
    const one = item({
      resources: { cpu: 1, disk: 1 },
      nodeSelector: { zone: 'east' },
      tolerations: [{ key: 'old', operator: 'Exists', value: '', effect: null }],
    });
    expect(placeOf([bad], one)).toBeUndefined();
    expect(placeOf([bad, good], one)).toBe('z');
  });

  it('goes to a node where an attempt of it was lost only if there is no other', () => {
    const [one, other] = [node('a', { cpu: 9 }, { held: { cpu: 8 } }), node('b', { cpu: 9 })];
    expect(placeOf([one, other], item({}, 0, ['executor/a']))).toBe('b');
    expect(placeOf([one], item({}, 0, ['executor/a']))).toBe('a');
    const full = node('b', { cpu: 9 }, { held: { cpu: 9 } });
    expect(placeOf([one, full], item({}, 0, ['executor/a']))).toBeUndefined();
  });

  it('needs ephemeral storage only where nodes report it', () => {
    const one = () => item({ resources: { cpu: 1, 'ephemeral-storage': 5 } });
    expect(placeOf([node('silent', { cpu: 1 })], one())).toBe('silent');
    expect(placeOf([node('small', { cpu: 1, 'ephemeral-storage': 4 })], one())).toBeUndefined();
  });

  it('waits for the runs that are being stopped, and others do not take its place', () => {
    const nodes = [node('n', { cpu: 4 }, { held: { cpu: 3 }, stopping: { cpu: 3 } })];
    const large = item({ resources: { cpu: 4 } });
    const queues = [queue('A', [listOf([large])]), queue('B', jobs(4), { running: 4 })];
    const planned = plan(queues, { nodes, executors: [executor({ room: 9, stopping: 3 })] });
    expect(planned.assignments).toEqual([]);
    expect(planned.placedItems).toEqual(new Set([large]));
  });

  it('goes to an executor that takes another run', () => {
    const nodes = [
      node('a', { cpu: 9 }, { executorId: 'full', executor: 'full' }),
      node('b', { cpu: 9 }, { executorId: 'free', executor: 'free' }),
    ];
    const executors = [executor({ id: 'full', room: 0 }), executor({ id: 'free', room: 1 })];
    const planned = plan([queue('A', jobs(3))], { nodes, executors });
    expect(planned.assignments).toMatchObject([{ executorId: 'free', node: 'b' }]);
  });
});

describe('a round', () => {
  it('ends before it would have to guess what a queue has next', () => {
    const queues = [queue('A', [listOf(items(2), true)]), queue('B', jobs(9), { running: 9 })];
    const planned = plan(queues, { nodes: [node('n', { cpu: 99 })] });
    expect(orderOf(queues, planned)).toBe('AA');
    expect(planned.isPartial).toBe(true);
  });

  it('assigns no more jobs than it may', () => {
    const queues = [queue('A', jobs(9))];
    const planned = plan(queues, { nodes: [node('n', { cpu: 99 })] }, 4);
    expect(planned).toMatchObject({ assignments: { length: 4 }, isPartial: true });
  });
});

function taint(key: string) {
  return { key, value: 'x', effect: 'NoSchedule' } as const;
}

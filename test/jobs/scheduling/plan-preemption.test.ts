import { describe, expect, it } from 'vitest';
import { executor, gang, item, items, listOf, node, preempted, queue, runs } from './pools.ts';

const waiting = (count: number) => [listOf(items(count, { isPreemptible: true }), true)];
const full = (cpu: number) => ({ nodes: [node('n', { cpu }, { held: { cpu } })] });
const range = (name: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${name}-${from + at}`).sort();

describe('a queue that holds more than its share', () => {
  it('loses its newest runs, so that every queue has its share', () => {
    const queues = [queue('A', [], { running: 32 }), queue('B', waiting(32))];
    expect(preempted(queues, full(32), runs(32, { queueId: 'A', node: 'n' }))).toEqual(range('A', 16, 32));
  });

  it('loses no more than is needed for a third queue, and then nothing moves', () => {
    const live = [...runs(16, { queueId: 'A', node: 'n' }), ...runs(16, { queueId: 'B', node: 'n' })];
    const third = queue('C', [listOf(items(10))]);
    const before = [queue('A', waiting(9), { running: 16 }), queue('B', waiting(9), { running: 16 }), third];
    expect(preempted(before, full(32), live)).toEqual([...range('A', 11, 16), ...range('B', 11, 16)]);

    const after = [
      queue('A', waiting(9), { running: 11 }),
      queue('B', waiting(9), { running: 11 }),
      queue('C', [], { running: 10 }),
    ];
    const rest = [...runs(11, { queueId: 'A', node: 'n' }), ...runs(11, { queueId: 'B', node: 'n' })];
    expect(preempted(after, full(32), rest)).toEqual([]);
  });

  it('keeps its runs while nobody else wants the room', () => {
    const queues = [queue('A', waiting(9), { running: 32 })];
    expect(preempted(queues, full(32), runs(32, { queueId: 'A', node: 'n' }))).toEqual([]);
  });

  it('keeps its runs if the waiting job would not fit even so', () => {
    const large = item({ resources: { cpu: 33 } });
    const queues = [queue('A', [], { running: 32 }), queue('B', [listOf([large])])];
    expect(preempted(queues, full(32), runs(32, { queueId: 'A', node: 'n' }))).toEqual([]);
  });

  it('keeps its runs on a node that gets no new work', () => {
    const nodes = [node('n', { cpu: 32 }, { held: { cpu: 32 }, isOpen: false })];
    const queues = [queue('A', [], { running: 32 }), queue('B', waiting(1))];
    expect(preempted(queues, { nodes }, runs(32, { queueId: 'A', node: 'n' }))).toEqual([]);
  });

  it('loses no run whose place is of no use to the waiting job', () => {
    const nodes = [
      node('a', { cpu: 4 }, { held: { cpu: 4 } }),
      node('b', { cpu: 4 }, { held: { cpu: 4 }, labels: { gpu: 'yes' } }),
    ];
    const live = [
      ...runs(4, { queueId: 'A', node: 'a', from: 10 }),
      ...runs(4, { queueId: 'A', node: 'b', from: 0 }),
    ];
    const picky = item({ nodeSelector: { gpu: 'yes' } });
    const queues = [queue('A', [], { running: 8 }), queue('B', [listOf([picky])])];
    expect(preempted(queues, { nodes }, live)).toEqual(['A-3']);
  });
});

describe('a queue within its share', () => {
  it('keeps its runs although an urgent job waits that fits nowhere', () => {
    const urgent = item({ classPriority: 2000, resources: { cpu: 100 } });
    const queues = [
      queue('A', [listOf(items(2))]),
      queue('B', [], { running: 2 }),
      queue('C', [listOf([urgent])]),
      queue('D', [], { running: 8 }),
    ];
    expect(preempted(queues, full(10), runs(2, { queueId: 'B', node: 'n' }))).toEqual([]);
  });

  it('is what another queue comes down to, however many jobs wait', () => {
    const nodes = [node('n', { memory: 1 }, { held: { memory: 1 } })];
    const pool = { nodes, executors: [executor({ room: 0 })] };
    const live = [
      ...runs(1, { queueId: 'A', node: 'n', resources: { memory: 1 } }),
      ...runs(1, { queueId: 'A', node: 'n', resources: {}, from: 1 }),
    ];
    const queues = [
      queue('A', [], { held: { memory: 1 } }),
      queue('B', [listOf(items(2, { resources: {} }))]),
      queue('C', [listOf([item({ resources: { memory: 1 } })])]),
    ];
    expect(preempted(queues, pool, live)).toEqual(['A-0']);
  });
});

describe('a job that would lose its room again in the next round', () => {
  it('does not get it', () => {
    const nodes = [
      node('m', { memory: 1 }, { held: { memory: 1 } }),
      node('n', { cpu: 1, memory: 1 }, { held: { cpu: 1, memory: 1 } }),
    ];
    const memory = { resources: { memory: 1 } };
    const live = [
      ...runs(1, { queueId: 'A', node: 'm', ...memory }),
      ...runs(1, { queueId: 'A', node: 'n', ...memory, from: 1 }),
      ...runs(1, { queueId: 'B', node: 'n', classPriority: 500 }),
    ];
    const queues = [
      queue('A', [], { held: { memory: 2 } }),
      // What it holds of a lower class counts, too: with the job, it would cost as much as the other queue.
      queue('B', [listOf([item(memory)])], { held: { cpu: 1 } }),
    ];
    expect(preempted(queues, { nodes }, live)).toEqual([]);
  });
});

describe('a job of a higher class', () => {
  it('takes the place of the newest run of a lower class, also in its own queue', () => {
    const urgent = item({ classPriority: 2000 });
    const queues = [queue('A', [listOf([urgent])], { running: 4 })];
    expect(preempted(queues, full(4), runs(4, { queueId: 'A', node: 'n' }))).toEqual(['A-3']);
  });

  it('takes nothing from runs of its own class in a queue within its share', () => {
    const queues = [queue('A', [], { running: 2 }), queue('B', [listOf([item()])], { running: 2 })];
    expect(preempted(queues, full(4), runs(2, { queueId: 'A', node: 'n' }))).toEqual([]);
  });

  it('takes the place of a lower class before that of a higher one', () => {
    const live = [
      ...runs(2, { queueId: 'A', node: 'n', classPriority: 500, from: 0 }),
      ...runs(2, { queueId: 'A', node: 'n', classPriority: 800, from: 5 }),
    ];
    const urgent = item({ classPriority: 2000 });
    const queues = [queue('A', [], { running: 4 }), queue('B', [listOf([urgent])])];
    expect(preempted(queues, full(4), live)).toEqual(['A-1']);
  });
});

describe('a gang', () => {
  const live = [
    ...runs(4, { queueId: 'A', node: 'n', gangId: 'one', from: 0 }),
    ...runs(4, { queueId: 'A', node: 'n', gangId: 'two', from: 4 }),
  ];

  it('stops as a whole, and takes no other gang with it', () => {
    const queues = [queue('A', [], { running: 8 }), queue('B', [listOf([item()])])];
    expect(preempted(queues, full(8), live)).toEqual(range('A', 4, 8));
  });

  it('gets room for all its jobs or none', () => {
    const single = runs(8, { queueId: 'A', node: 'n' });
    const of = (size: number) => [queue('A', [], { running: 8 }), queue('B', [listOf([gang(size)])])];
    expect(preempted(of(4), full(8), single)).toEqual(range('A', 4, 8));
    expect(preempted(of(9), full(8), single)).toEqual([]);
  });
});

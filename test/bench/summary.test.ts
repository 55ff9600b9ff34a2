import { describe, expect, it } from 'vitest';
import { verdictOn } from '../../bench/run/goals.ts';
import { compare, rowOf, spreadOf, withBetterLimit } from '../../bench/run/summary.ts';
import { row, window } from './rows.ts';

describe('a spread', () => {
  it.each([
    { values: [3, 1, 2], median: 2, least: 1, most: 3 },
    { values: [4, 1, 3, 2], median: 2.5, least: 1, most: 4 },
    { values: [10, 9, 100], median: 10, least: 9, most: 100 },
    { values: [7], median: 7, least: 7, most: 7 },
    { values: [], median: 0, least: 0, most: 0 },
  ])('of $values has the median $median', ({ values, ...expected }) => {
    expect(spreadOf(values)).toEqual(expected);
  });
});

describe('the row of a server', () => {
  const speeds = (...windows: readonly (readonly [speed: number, foreign: number])[]) =>
    windows.map(([requestsPerSecond, foreign]) => window({ requestsPerSecond, foreign }));
  const nothing = { statements: [], bytes: 0 };

  it.each([
    { what: 'counts only quiet windows', windows: speeds([100, 0], [50, 0.5], [300, 0.15]), median: 200 },
    { what: 'counts all if only one is quiet', windows: speeds([100, 0], [50, 0.5], [10, 0.9]), median: 50 },
  ])('$what', ({ windows, median }) => {
    expect(rowOf('V0', 'slipway', nothing, windows).requestsPerSecond.median).toBe(median);
  });

  it('has the most memory of all counted windows, and the median of all else', () => {
    const windows = [
      window({ megabytes: 300, p50: 1, p99: 9, serverCpu: 3, databaseCpu: 1 }),
      window({ megabytes: 100, p50: 2, p99: 5, serverCpu: 1, databaseCpu: 2 }),
      window({ megabytes: 200, p50: 9, p99: 7, serverCpu: 2, databaseCpu: 9 }),
    ];
    const { megabytes, p50, p99, serverCpu, databaseCpu } = rowOf('V0', 'slipway', nothing, windows);
    expect({ megabytes, p50, p99, server: serverCpu.median, database: databaseCpu.median }).toEqual({
      ...{ megabytes: 300, p50: 2, p99: 7, server: 2, database: 2 },
    });
  });
});

describe('a goal', () => {
  it.each([
    [0.44, 'missed'],
    [0.45, 'met'],
    [0.84, 'met'],
    [0.85, 'aim met'],
    [3, 'aim met'],
  ] as const)('of 0.45, with the aim 0.85, is at the ratio %s %s', (ratio, verdict) => {
    expect(verdictOn({ must: 0.45, aim: 0.85 }, ratio)).toBe(verdict);
  });
});

describe('a comparison', () => {
  const ours = row('V0', 'slipway', { requestsPerSecond: 500, serverCpu: 1.5, databaseCpu: 0.5 });

  it.each([
    {
      what: 'by the CPU time, if that is the worse ratio',
      limit: { requestsPerSecond: 1000, serverCpu: 0.5, databaseCpu: 0.3 },
      ...{ speed: 0.5, cpu: 0.4, verdict: 'missed' },
    },
    {
      what: 'by the requests a second, if that is the worse ratio',
      limit: { requestsPerSecond: 1250, serverCpu: 1.5, databaseCpu: 0.5 },
      ...{ speed: 0.4, cpu: 1, verdict: 'missed' },
    },
    {
      what: 'by the requests a second alone, if the CPU time is not known',
      limit: { requestsPerSecond: 1000, serverCpu: 0, databaseCpu: 0 },
      ...{ speed: 0.5, cpu: 0.5, verdict: 'met' },
    },
  ])('decides $what', ({ limit, speed, cpu, verdict }) => {
    const [only] = compare([ours, row('V0', 'limit', limit)]);
    expect(only).toMatchObject({ workload: 'V0', peer: 'limit', verdict });
    expect([only?.speed, only?.cpu]).toEqual([expect.closeTo(speed), expect.closeTo(cpu)]);
  });

  it('is made only with peers that have a goal, on the same workload', () => {
    const rows = [ours, row('V0', 'apollo'), row('V0', 'somebody'), row('Q1', 'apollo')];
    expect(compare(rows).map(({ workload, peer }) => `${workload} ${peer}`)).toEqual(['V0 apollo']);
  });
});

describe('the limit', () => {
  it('is the faster of its two forms', () => {
    const rows = [
      row('Q2', 'slipway', { requestsPerSecond: 900 }),
      row('Q2', 'limit', { requestsPerSecond: 200 }),
      row('Q2', 'limit as JSON', { requestsPerSecond: 220 }),
    ];
    const kept = withBetterLimit(rows, ['limit', 'limit as JSON']);
    expect(kept.map(({ server, requestsPerSecond }) => [server, requestsPerSecond.median])).toEqual([
      ['slipway', 900],
      ['limit', 220],
    ]);
  });
});

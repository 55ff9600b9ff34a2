import { describe, expect, it } from 'vitest';
import { boundsOf, growthOf, isMet } from '../../bench/run/bounds.ts';
import { results, row } from './rows.ts';

const linesOf = (bounds: ReturnType<typeof boundsOf>) =>
  bounds.map((bound) => `${bound.what}: ${bound.measured.toFixed(2)} of ${bound.most}, ${isMet(bound)}`);

describe('the goals of Slipway alone', () => {
  it('are judged', () => {
    const rows = [
      row('V0', 'slipway', { p50: 10, p99: 41, megabytes: 250 }),
      row('V0', 'apollo', { p50: 1, p99: 100, megabytes: 900 }),
      row('Q2', 'slipway', { p50: 10, p99: 40, megabytes: 360 }),
      row('pages', 'page 1', { serverCpu: 2, databaseCpu: 0 }),
      row('pages', 'page 1000', { serverCpu: 2, databaseCpu: 0.4 }),
    ];
    expect(linesOf(boundsOf(results(rows)))).toEqual([
      'V0: p99 in times of p50: 4.10 of 4, false',
      'Q2: p99 in times of p50: 4.00 of 4, true',
      'CPU of page 1000 in times of page 1: 1.20 of 1.2, true',
      'start: seconds until ready: 1.20 of 1.5, true',
      'start: seconds of CPU: 2.50 of 2, false',
      'MB of memory at rest: 180.00 of 200, true',
      'MB of memory under load, at most (Q2): 360.00 of 350, false',
    ]);
  });

  it('leave out what was not measured', () => {
    expect(boundsOf({ ...results([]), starts: [] })).toEqual([]);
  });
});

describe('ten times the data', () => {
  const small = results([
    row('Q1', 'slipway'),
    row('Q2', 'slipway'),
    row('Q3', 'slipway'),
    row('Q1', 'limit'),
  ]);
  const large = [
    row('Q1', 'slipway', { serverCpu: 1.05, databaseCpu: 0.25 }),
    row('Q2', 'slipway', { serverCpu: 1.2, databaseCpu: 0.25 }),
    row('Q3', 'slipway', { serverCpu: 9 }),
    row('Q1', 'limit', { serverCpu: 9 }),
    row('M1', 'slipway'),
  ];

  it('may cost at most 1.3 times the CPU time, where that is a goal and both were measured', () => {
    expect(linesOf(growthOf(results(large, 10), small))).toEqual([
      'Q1: CPU with ten times the data, in times: 1.30 of 1.3, true',
      'Q2: CPU with ten times the data, in times: 1.45 of 1.3, false',
    ]);
  });

  it('is not compared with anything else', () => {
    expect(() => growthOf(results(large, 2), small)).toThrow('and not of 2 times');
  });
});

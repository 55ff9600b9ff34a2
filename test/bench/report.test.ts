import { describe, expect, it } from 'vitest';
import { chartOf } from '../../bench/run/chart.ts';
import { gates } from '../../bench/run/goals.ts';
import { inTurn } from '../../bench/run/measure.ts';
import { readmeOf } from '../../bench/run/readme.ts';
import { reportOf } from '../../bench/run/report.ts';
import { results, row } from './rows.ts';

const rows = [
  row('V0', 'slipway', { requestsPerSecond: 1021.4, serverCpu: 0.9, databaseCpu: 0.125 }),
  row('V0', 'limit', { requestsPerSecond: 10_900, serverCpu: 0.07, databaseCpu: 0.05 }),
  row('V0', 'apollo', { requestsPerSecond: 200, serverCpu: 4.5, databaseCpu: 0.63 }),
  row('Q1', 'slipway', { requestsPerSecond: 368 }),
];

describe('the tables of the README', () => {
  const text = readmeOf(results(rows));

  it('say on what, and how, it was measured', () => {
    expect(text).toMatch(
      /^2 cores \(of some model\), 24 GB; Node 22\.23\.3; data × 1; 32 connections; 3 windows of 3 s after 6 s of warm-up; 136 s in all\./,
    );
  });

  it('show the servers that were measured side by side', () => {
    expect(text).toContain(
      `| requests/s · ms of CPU, server + PostgreSQL | Slipway | the limit | Apollo + Prisma |
| --- | ---: | ---: | ---: |
| V0: the viewer | 1,021 · 0.90 + 0.13 | 10,900 · 0.07 + 0.05 | 200 · 4.50 + 0.63 |
| Q1: an execution with 10 nodes and their attempts | 368 · 0.75 + 0.25 | – | – |`,
    );
  });

  it('mark each goal', () => {
    expect(text).toContain(
      `|  | Apollo + Prisma | the limit |
| --- | ---: | ---: |
| V0 | 5.00 (2 / 4) aim met | 0.09 (0.45 / 0.85) missed |`,
    );
    expect(text).toContain('| start: seconds of CPU | 2.50 | 2 | missed |');
    expect(text).toContain('| MB of memory at rest | 180 | 200 | met |');
  });

  it('show how the cost grows with ten times the data, if that is known', () => {
    const larger = results([row('Q1', 'slipway', { serverCpu: 1 })], 10);
    expect(readmeOf(results(rows), larger)).toContain(
      '| Q1: CPU with ten times the data, in times | 1.25 | 1.3 | met |',
    );
  });
});

describe('the report', () => {
  it('has a line for each server and each goal, and how long each part took', () => {
    const text = reportOf(results(rows));
    const line =
      '| V0 | slipway | 1,021 (1,021–1,021) | 0.90 (0.90–0.90) | 0.13 (0.13–0.13) | 10.0 | 20.0 | 100 | 1 | 45 | 1 of 1 |';
    expect(text).toContain(line);
    expect(text).toContain('| V0 | apollo | 5.11 | 5.00 | 2 / 4 | aim met |');
    expect(text).toContain('Of the time, filling the tables took 60 s, V0 took 75 s.');
  });

  it('of the short form shows the gates in place of the goals', () => {
    const all = results([...rows, row('Q1', 'limit', { serverCpu: 0.05, databaseCpu: 0.01 })]);
    const text = reportOf({ ...all, options: { ...all.options, short: true } });
    const { V0, Q1 } = gates;
    expect(text).toContain(`| V0 | 1 | ${V0?.statements} | 8.54 | ${V0?.cpu} | holds |`);
    expect(text).toContain(`| Q1 | 1 | ${Q1?.statements} | 16.7 | ${Q1?.cpu} | is broken |`);
    expect(text).not.toContain('missed');
  });

  it('has no number for what was not measured', () => {
    const loop = row('jobs', 'loop', { serverCpu: 0, databaseCpu: 0, megabytes: 0 }, []);
    expect(reportOf(results([{ ...loop, bytes: 0 }]))).toContain(
      '| jobs | loop | 1,000 (1,000–1,000) | – | – | 10.0 | 20.0 | – | – | – | 1 of 1 |',
    );
  });
});

describe('the chart', () => {
  it('has two bars for each row, in parts of the most expensive of its workload', () => {
    const chart = chartOf(rows.slice(0, 2));
    const widths = [...chart.matchAll(/width="([\d.]+)" height="13"/g)].map(([, width]) => Number(width));
    expect(widths).toEqual([456.6, 63.4, 35.5, 25.4]);
    expect(chart).toContain('>1.02 ms</text>');
  });
});

describe('the turns', () => {
  it('let each server come first', () => {
    expect([0, 1, 2, 3].map((turn) => inTurn(['a', 'b', 'c'], turn).join(''))).toEqual([
      ...['abc', 'bca', 'cab', 'abc'],
    ]);
  });
});

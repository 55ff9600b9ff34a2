import type { Window } from '../../bench/run/load-order.ts';
import type { Results, Started } from '../../bench/run/results.ts';
import { type Row, rowOf, spreadOf } from '../../bench/run/summary.ts';

export const window = (changes: Partial<Window> = {}): Window => ({
  ...{ requestsPerSecond: 1000, serverCpu: 0.75, databaseCpu: 0.25, p50: 10, p99: 20 },
  ...{ megabytes: 100, foreign: 0 },
  ...changes,
});

/** A row of one window. */
export const row = (
  workload: string,
  server: string,
  changes: Partial<Window> = {},
  statements: readonly string[] = ['select 1'],
): Row => rowOf(workload, server, { statements, bytes: 45 }, [window(changes)]);

const started: Started = {
  ...{ server: 'slipway', starts: [], restMegabytes: 180 },
  ...{ seconds: spreadOf([1.2]), cpuSeconds: spreadOf([2.5]) },
};

export const results = (rows: readonly Row[], scale = 1): Results => ({
  ...{ machine: '2 cores (of some model), 24 GB', node: '22.23.3' },
  options: {
    ...{ scale, short: false, servers: ['slipway'], workloads: ['V0'], connections: 32, windows: 3 },
    ...{ windowSeconds: 3, warmUpSeconds: 6, out: 'bench/results', smaller: null },
  },
  phases: [
    { name: 'filling the tables', seconds: 60.2 },
    { name: 'V0', seconds: 75.4 },
  ],
  starts: [started],
  rows,
});

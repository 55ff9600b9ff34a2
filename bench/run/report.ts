import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bound, boundsOf, growthOf, isMet } from './bounds.ts';
import { chartOf } from './chart.ts';
import { faultsOf, gatedOf } from './gates.ts';
import { round, table } from './markdown.ts';
import type { Results } from './results.ts';
import { type Comparison, compare, type Row, type Spread } from './summary.ts';

/** Writes the table, the chart and the raw numbers into the folder of the results. @returns the table. */
export function writeReport(results: Results, smaller: Results | undefined): string {
  const text = reportOf(results, smaller);
  const { out } = results.options;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'results.md'), `${text}\n`);
  writeFileSync(join(out, 'results.json'), JSON.stringify(results, null, 2));
  writeFileSync(join(out, 'results.svg'), chartOf(results.rows));
  return text;
}

/** @param smaller  the results of a run with a tenth of the data, if they are known. */
export const reportOf = (results: Results, smaller?: Results): string =>
  [
    conditionsOf(results),
    measured(results.rows),
    ...(results.options.short ? [gatesOf(results.rows)] : goalsOf(results, smaller)),
    phases(results),
  ].join('\n\n');

const goalsOf = (results: Results, smaller: Results | undefined): string[] => [
  'Slipway to each peer. The lower of the two ratios decides.',
  compared(compare(results.rows)),
  'Slipway alone.',
  bounded([...boundsOf(results), ...(smaller ? growthOf(results, smaller) : [])]),
  'Starts, in seconds, and memory at rest.',
  started(results),
];

function gatesOf(rows: readonly Row[]): string {
  const lines = gatedOf(rows).map((one) => [
    ...[one.workload, `${one.statements.length}`, `${one.gate.statements}`],
    ...[one.cpu === null ? '–' : round(one.cpu), `${one.gate.cpu}`],
    faultsOf(one).length === 0 ? 'holds' : 'is broken',
  ]);
  const head = ['workload', 'statements', 'at most', 'CPU in times of the limit', 'at most', 'gate'];
  return table(head, lines, 1);
}

/** On what, and how, the numbers were measured. */
export function conditionsOf({ machine, node, options, phases }: Results): string {
  const { scale, connections, windows, windowSeconds, warmUpSeconds } = options;
  return `${machine}; Node ${node}; data × ${scale}; ${connections} connections; ${windows} windows of ${windowSeconds} s after ${warmUpSeconds} s of warm-up; ${Math.round(secondsOf(phases))} s in all. Medians, in brackets the least and the most.`;
}

const secondsOf = (phases: Results['phases']) => phases.reduce((sum, { seconds }) => sum + seconds, 0);

const spread = ({ median, least, most }: Spread) =>
  median > 0 ? `${round(median)} (${round(least)}–${round(most)})` : '–';

function measured(rows: readonly Row[]): string {
  const head = [
    ...[
      'workload',
      'server',
      'requests/s',
      'server, ms of CPU',
      'PostgreSQL, ms of CPU',
      'p50, ms',
      'p99, ms',
    ],
    ...['memory, MB', 'statements', 'bytes', 'quiet windows'],
  ];
  return table(
    head,
    rows.map((row) => [
      ...[row.workload, row.server, spread(row.requestsPerSecond), spread(row.serverCpu)],
      ...[
        spread(row.databaseCpu),
        round(row.p50),
        round(row.p99),
        row.megabytes > 0 ? `${row.megabytes}` : '–',
      ],
      ...(row.bytes > 0 ? [`${row.statements.length}`, `${row.bytes}`] : ['–', '–']),
      `${row.quiet} of ${row.windows.length}`,
    ]),
  );
}

function compared(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ workload, peer, speed, cpu, goal, verdict }) => [
    ...[workload, peer, round(speed), round(cpu), `${goal.must} / ${goal.aim}`, verdict],
  ]);
  return table(['workload', 'Slipway to', 'requests/s', 'CPU', 'must / aim', 'goal'], rows);
}

export function bounded(bounds: readonly Bound[]): string {
  const rows = bounds.map((bound) => [
    ...[bound.what, round(bound.measured), `${bound.most}`, isMet(bound) ? 'met' : 'missed'],
  ]);
  return table(['what', 'measured', 'at most', 'goal'], rows, 1);
}

function started({ starts }: Results): string {
  const rows = starts.map(({ server, seconds, cpuSeconds, restMegabytes }) => [
    ...[server, spread(seconds), spread(cpuSeconds), `${restMegabytes}`],
  ]);
  return table(['server', 'until ready', 'of CPU', 'memory, MB'], rows, 1);
}

const phases = ({ phases }: Results): string =>
  `Of the time, ${phases.map(({ name, seconds }) => `${name} took ${Math.round(seconds)} s`).join(', ')}.`;

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { chartOf } from './chart.ts';
import { gates, MOST_P99 } from './goals.ts';
import type { Options } from './options.ts';
import { type Comparison, compare, cpuOf, type Row, type Spread } from './summary.ts';

export interface Report {
  readonly text: string;
  /** What is not as it must be; only the short form has gates. */
  readonly broken: readonly string[];
}

/** Writes the table, the chart and the raw numbers into the folder of the results. */
export function writeReport(rows: readonly Row[], options: Options, seconds: number): Report {
  const comparisons = compare(rows);
  const broken = options.short ? brokenGates(rows) : [];
  const text = [machine(options, seconds), table(rows), compared(comparisons), tails(rows)].join('\n\n');
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, 'results.md'), `${text}\n`);
  writeFileSync(
    join(options.out, 'results.json'),
    JSON.stringify({ options, seconds, rows, comparisons, broken }, null, 2),
  );
  writeFileSync(join(options.out, 'results.svg'), chartOf(rows));
  return { text, broken };
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map((_, at) => (at < 2 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

function machine(
  { scale, connections, windows, windowSeconds, warmUpSeconds }: Options,
  seconds: number,
): string {
  const [cpu] = cpus();
  const size = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cpus().length} cores (${cpu?.model ?? 'of an unknown model'}), ${size}; data × ${scale}; ${connections} connections; ${windows} windows of ${windowSeconds} s after ${warmUpSeconds} s of warm-up; ${Math.round(seconds)} s in all. Medians, in brackets the least and the most.`;
}

const round = (value: number): string => {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
};
const spread = ({ median, least, most }: Spread) => `${round(median)} (${round(least)}–${round(most)})`;

function table(rows: readonly Row[]): string {
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
  return markdown(
    head,
    rows.map((row) => [
      ...[
        row.workload,
        row.server,
        spread(row.requestsPerSecond),
        spread(row.serverCpu),
        spread(row.databaseCpu),
      ],
      ...[
        round(row.p50),
        round(row.p99),
        String(row.megabytes),
        String(row.statements.length),
        String(row.bytes),
      ],
      `${row.quiet} of ${row.windows.length}`,
    ]),
  );
}

function compared(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ workload, peer, speed, cpu, goal, verdict }) => [
    ...[workload, peer, round(speed), round(cpu), `${goal.must} / ${goal.aim}`, verdict],
  ]);
  const head = ['workload', 'Slipway to', 'requests/s', 'CPU', 'must / aim', 'goal'];
  return `Slipway to each peer. The lower of the two ratios decides.\n\n${markdown(head, rows)}`;
}

function tails(rows: readonly Row[]): string {
  const ours = rows.filter(({ server, p50 }) => server === 'slipway' && p50 > 0);
  const lines = ours.map(({ workload, p50, p99 }) => {
    const ratio = p99 / p50;
    return [workload, 'slipway', round(ratio), `at most ${MOST_P99}`, ratio <= MOST_P99 ? 'met' : 'missed'];
  });
  return `p99 to p50 of Slipway.\n\n${markdown(['workload', 'server', 'p99 / p50', 'must', 'goal'], lines)}`;
}

/** The gates look at counts and at ratios of CPU time within this run, which a busy machine leaves as they are. */
function brokenGates(rows: readonly Row[]): string[] {
  return rows.flatMap((ours) => {
    const gate = gates[ours.workload];
    const limit = rows.find(({ workload, server }) => workload === ours.workload && server === 'limit');
    if (ours.server !== 'slipway' || !gate || !limit) return [];
    const cpu = cpuOf(ours) / cpuOf(limit);
    const faults: string[] = [];
    if (ours.statements.length > gate.statements)
      faults.push(
        `${ours.workload} takes ${ours.statements.length} statements; at most ${gate.statements} are allowed:\n${ours.statements.join('\n')}`,
      );
    if (cpu > gate.cpu)
      faults.push(
        `${ours.workload} costs ${round(cpu)} times the CPU of the limit; at most ${gate.cpu} times is allowed`,
      );
    return faults;
  });
}

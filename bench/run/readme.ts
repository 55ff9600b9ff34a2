import { boundsOf, growthOf } from './bounds.ts';
import { goals } from './goals.ts';
import { round, table } from './markdown.ts';
import { bounded, conditionsOf } from './report.ts';
import type { Results } from './results.ts';
import { type Comparison, compare, type Row } from './summary.ts';
import { workloads } from './workloads.ts';

/** The tables of 'How fast' in the README, from the raw numbers of a run. */

const titles: Readonly<Record<string, string>> = {
  slipway: 'Slipway',
  limit: 'the limit',
  mercurius: 'Mercurius',
  apollo: 'Apollo + Prisma',
  postgraphile: 'PostGraphile',
};

/** @param larger  those of ten times the data, if they are known. */
export function readmeOf(results: Results, larger?: Results): string {
  return [
    conditionsOf(results),
    side(results.rows),
    'How many times as many requests Slipway answers as each of the others, beside the goals (must / aim):',
    ratios(compare(results.rows)),
    'Goals of Slipway alone:',
    bounded([...boundsOf(results), ...(larger ? growthOf(larger, results) : [])]),
  ].join('\n\n');
}

const cellOf = (row: Row | undefined): string =>
  row === undefined
    ? '–'
    : `${round(row.requestsPerSecond.median)} · ${round(row.serverCpu.median)} + ${round(row.databaseCpu.median)}`;

/** Requests a second, and the CPU time of server and PostgreSQL, of all servers side by side. */
function side(rows: readonly Row[]): string {
  const servers = Object.keys(titles).filter((name) => rows.some(({ server }) => server === name));
  const lines = workloads
    .filter(({ name }) => rows.some(({ workload }) => workload === name))
    .map(({ name, title }) => [
      `${name}: ${title}`,
      ...servers.map((server) => cellOf(rows.find((row) => row.workload === name && row.server === server))),
    ]);
  const head = [
    'requests/s · ms of CPU, server + PostgreSQL',
    ...servers.map((name) => titles[name] ?? name),
  ];
  return table(head, lines, 1);
}

function ratios(comparisons: readonly Comparison[]): string {
  const peers = [...new Set(Object.values(goals).flatMap((one) => Object.keys(one)))];
  const seen = peers.filter((name) => comparisons.some(({ peer }) => peer === name));
  const lines = [...new Set(comparisons.map(({ workload }) => workload))].map((name) => [
    name,
    ...seen.map((peer) => ratioOf(comparisons.find((one) => one.workload === name && one.peer === peer))),
  ]);
  return table(['', ...seen.map((name) => titles[name] ?? name)], lines, 1);
}

const ratioOf = (one: Comparison | undefined): string =>
  one === undefined
    ? '–'
    : `${round(Math.min(one.speed, one.cpu))} (${one.goal.must} / ${one.goal.aim}) ${one.verdict}`;

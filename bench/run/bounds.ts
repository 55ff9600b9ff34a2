import { most, mustNotGrow } from './goals.ts';
import { FAR_PAGE, FIRST_PAGE } from './pages.ts';
import type { Results } from './results.ts';
import { cpuOf, type Row } from './summary.ts';

/** A goal of Slipway alone. */
export interface Bound {
  readonly what: string;
  readonly measured: number;
  readonly most: number;
}

export const isMet = ({ measured, most }: Bound): boolean => measured <= most;

export const boundsOf = (results: Results): Bound[] => [
  ...tails(results),
  ...farPage(results),
  ...start(results),
  ...memory(results),
];

const ofSlipway = ({ rows }: Results): Row[] => rows.filter(({ server }) => server === 'slipway');

const tails = (results: Results): Bound[] =>
  ofSlipway(results)
    .filter(({ p50 }) => p50 > 0)
    .map(({ workload, p50, p99 }) => ({
      ...{ what: `${workload}: p99 in times of p50`, measured: p99 / p50, most: most.tail },
    }));

function farPage({ rows }: Results): Bound[] {
  const [first, far] = [FIRST_PAGE, FAR_PAGE].map((name) => rows.find(({ server }) => server === name));
  if (!first || !far) return [];
  const measured = cpuOf(far) / cpuOf(first);
  return [{ what: `CPU of ${FAR_PAGE} in times of ${FIRST_PAGE}`, measured, most: most.farPage }];
}

function start({ starts }: Results): Bound[] {
  const ours = starts.find(({ server }) => server === 'slipway');
  if (!ours) return [];
  return [
    { what: 'start: seconds until ready', measured: ours.seconds.median, most: most.readySeconds },
    { what: 'start: seconds of CPU', measured: ours.cpuSeconds.median, most: most.startCpuSeconds },
    { what: 'MB of memory at rest', measured: ours.restMegabytes, most: most.restMegabytes },
  ];
}

function memory(results: Results): Bound[] {
  const [largest] = ofSlipway(results).sort((one, other) => other.megabytes - one.megabytes);
  if (!largest) return [];
  const what = `MB of memory under load, at most (${largest.workload})`;
  return [{ what, measured: largest.megabytes, most: most.loadMegabytes }];
}

/**
 * How the cost grows with the data.
 *
 * @throws Error unless the one run has ten times the data of the other.
 */
export function growthOf(larger: Results, smaller: Results): Bound[] {
  const times = larger.options.scale / smaller.options.scale;
  if (Math.abs(times - 10) > 0.01)
    throw new Error(`the larger results must be those of ten times the data, and not of ${times} times`);
  return ofSlipway(larger)
    .filter(({ workload }) => mustNotGrow.includes(workload))
    .flatMap((row) => {
      const before = ofSlipway(smaller).find(({ workload }) => workload === row.workload);
      if (!before) return [];
      const what = `${row.workload}: CPU with ten times the data, in times`;
      return [{ what, measured: cpuOf(row) / cpuOf(before), most: most.growth }];
    });
}

import { type Gate, gates } from './goals.ts';
import { cpuOf, type Row } from './summary.ts';

/** What a gate looks at. */
export interface Gated {
  readonly workload: string;
  readonly statements: readonly string[];
  /** The CPU time in times of that of the limit; null if it was not measured. */
  readonly cpu: number | null;
  readonly gate: Gate;
}

/**
 * The workloads that have gates. The gates look at counts and at ratios of CPU time within one run, which a busy machine
 * leaves as they are.
 */
export const gatedOf = (rows: readonly Row[]): Gated[] =>
  rows.flatMap((ours) => {
    const gate = gates[ours.workload];
    if (ours.server !== 'slipway' || !gate) return [];
    const limit = rows.find(({ workload, server }) => workload === ours.workload && server === 'limit');
    const cpu = limit && cpuOf(limit) > 0 ? cpuOf(ours) / cpuOf(limit) : null;
    return [{ workload: ours.workload, statements: ours.statements, cpu, gate }];
  });

/** What is not as it must be, in sentences. */
export const faultsOf = ({ workload, statements, cpu, gate }: Gated): string[] => [
  ...(statements.length > gate.statements
    ? [
        `${workload} takes ${statements.length} statements; at most ${gate.statements} are allowed:\n${statements.join('\n')}`,
      ]
    : []),
  ...(cpu === null ? [`${workload}: the CPU time of the limit is not known`] : []),
  ...(cpu !== null && cpu > gate.cpu
    ? [`${workload} costs ${cpu.toFixed(1)} times the CPU of the limit; at most ${gate.cpu} times is allowed`]
    : []),
];

import { gates } from './goals.ts';
import { cpuOf, type Row } from './summary.ts';

/**
 * What is not as it must be, in sentences. The gates look at counts and at ratios of CPU time within this run, which a
 * busy machine leaves as they are.
 */
export const brokenGates = (rows: readonly Row[]): string[] =>
  rows.filter(({ server }) => server === 'slipway').flatMap((ours) => faultsOf(ours, rows));

function faultsOf(ours: Row, rows: readonly Row[]): string[] {
  const { workload, statements } = ours;
  const gate = gates[workload];
  const limit = rows.find((row) => row.workload === workload && row.server === 'limit');
  if (!gate) return [];
  const faults: string[] = [];
  if (statements.length > gate.statements)
    faults.push(
      `${workload} takes ${statements.length} statements; at most ${gate.statements} are allowed:\n${statements.join('\n')}`,
    );
  if (!limit || cpuOf(limit) === 0) return [...faults, `${workload}: the CPU time of the limit is not known`];
  const cpu = cpuOf(ours) / cpuOf(limit);
  if (cpu > gate.cpu)
    faults.push(
      `${workload} costs ${cpu.toFixed(1)} times the CPU of the limit; at most ${gate.cpu} times is allowed`,
    );
  return faults;
}

import { describe, expect, it } from 'vitest';
import { faultsOf, gatedOf } from '../../bench/run/gates.ts';
import { gates } from '../../bench/run/goals.ts';
import type { Row } from '../../bench/run/summary.ts';
import { workloads } from '../../bench/run/workloads.ts';
import { row } from './rows.ts';

const brokenGates = (rows: readonly Row[]) => gatedOf(rows).flatMap(faultsOf);
const gate = gates['V0'] ?? { statements: 0, cpu: 0 };
const limit = row('V0', 'limit', { serverCpu: 0.75, databaseCpu: 0.25 });
const ours = (cpu: number, statements = gate.statements) =>
  row('V0', 'slipway', { serverCpu: cpu, databaseCpu: 0 }, Array(statements).fill('select 1'));

describe('the gates', () => {
  it('exist for each workload', () => {
    expect(Object.keys(gates)).toEqual(workloads.map(({ name }) => name));
  });

  it('hold at their bounds', () => {
    expect(brokenGates([ours(gate.cpu), limit])).toEqual([]);
  });

  it('break with one statement more, and show all statements', () => {
    const [fault, ...others] = brokenGates([ours(1, gate.statements + 1), limit]);
    expect(fault).toMatch(
      `V0 takes ${gate.statements + 1} statements; at most ${gate.statements} are allowed`,
    );
    expect(fault?.split('\n').slice(1)).toEqual(Array(gate.statements + 1).fill('select 1'));
    expect(others).toEqual([]);
  });

  it('break with more CPU time in times of that of the limit', () => {
    expect(brokenGates([ours(gate.cpu + 1), limit])).toEqual([
      `V0 costs ${(gate.cpu + 1).toFixed(1)} times the CPU of the limit; at most ${gate.cpu} times is allowed`,
    ]);
  });

  it('break also where the CPU time of the limit could not be measured', () => {
    expect(brokenGates([ours(1), row('V0', 'limit', { serverCpu: 0, databaseCpu: 0 })])).toEqual([
      'V0: the CPU time of the limit is not known',
    ]);
  });

  it('break without the limit beside it', () => {
    expect(brokenGates([ours(1)])).toEqual(['V0: the CPU time of the limit is not known']);
  });
});

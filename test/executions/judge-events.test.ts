import { describe, expect, it } from 'vitest';
import {
  type EventVerdict,
  judgeNodeEvent,
  judgeTaskEvent,
  judgeWorkflowEvent,
} from '../../src/executions/domain/judge-events.ts';
import {
  executionPhases,
  nodeExecutionPhases,
  taskExecutionPhases,
} from '../../src/executions/domain/phases.ts';
import { phasesOf } from '../../src/platform/phase-table.ts';

/** One letter for each verdict, so that a matrix can be read at one look. */
const letters: Readonly<Record<EventVerdict, string>> = {
  ACCEPTED: 'y',
  REPEATED: 'r',
  INCOMPATIBLE_CLUSTER: 'c',
  TERMINAL: 't',
  NOT_ALLOWED: 'n',
};

function matrixOf<Phase extends string>(
  phases: readonly Phase[],
  judge: (from: Phase, to: Phase) => EventVerdict,
): Record<string, string> {
  return Object.fromEntries(
    phases.map((from) => [from, phases.map((to) => letters[judge(from, to)]).join(' ')]),
  );
}

describe('an event of an execution', () => {
  it('is judged by the phase of the execution and its own, for every pair', () => {
    const phases = phasesOf(executionPhases);
    expect(phases.join(' ')).toBe(
      'QUEUED RUNNING SUCCEEDING FAILING ABORTING SUCCEEDED FAILED ABORTED TIMED_OUT',
    );
    const matrix = matrixOf(phases, (from, to) =>
      judgeWorkflowEvent({ phase: from, cluster: null }, { phase: to, producerId: '' }),
    );
    expect(matrix).toEqual({
      QUEUED: 'y y y y y y y y y',
      RUNNING: 'n r y y y y y y y',
      SUCCEEDING: 'n n r y y y y y y',
      FAILING: 'n n y r y y y y y',
      ABORTING: 'n n n n r y y y y',
      SUCCEEDED: 't t t t t r t t t',
      FAILED: 't t t t t t r t t',
      ABORTED: 't t t t t t t r t',
      TIMED_OUT: 't t t t t t t t r',
    });
  });

  it.each([
    ['', null, 'ACCEPTED'],
    ['propeller', 'east', 'ACCEPTED'],
    ['east', 'east', 'ACCEPTED'],
    ['west', 'east', 'INCOMPATIBLE_CLUSTER'],
    ['west', null, 'INCOMPATIBLE_CLUSTER'],
  ])('by %j is checked with the engine %j', (producerId, cluster, verdict) => {
    expect(judgeWorkflowEvent({ phase: 'QUEUED', cluster }, { phase: 'RUNNING', producerId })).toBe(verdict);
  });

  it('is repeated before its engine is looked at, and its engine before its end', () => {
    const west = { producerId: 'west' };
    expect(judgeWorkflowEvent({ phase: 'FAILED', cluster: null }, { phase: 'FAILED', ...west })).toBe(
      'REPEATED',
    );
    expect(judgeWorkflowEvent({ phase: 'FAILED', cluster: null }, { phase: 'RUNNING', ...west })).toBe(
      'INCOMPATIBLE_CLUSTER',
    );
  });

  it('gives a queued execution to another engine, but not one that has ended', () => {
    const queued = { phase: 'QUEUED', producerId: 'west' } as const;
    expect(judgeWorkflowEvent({ phase: 'QUEUED', cluster: 'east' }, queued)).toBe('ACCEPTED');
    expect(judgeWorkflowEvent({ phase: 'FAILED', cluster: 'east' }, queued)).toBe('TERMINAL');
  });
});

describe('an event of a node', () => {
  it('is repeated in the same phase, refused after the end, and accepted otherwise, even backwards', () => {
    for (const from of phasesOf(nodeExecutionPhases))
      for (const to of phasesOf(nodeExecutionPhases)) {
        const ended = nodeExecutionPhases[from].length === 0;
        expect(judgeNodeEvent(from, to), `${from} → ${to}`).toBe(
          from === to ? 'REPEATED' : ended ? 'TERMINAL' : 'ACCEPTED',
        );
      }
  });

  it('is accepted as the first one, whatever its phase', () => {
    for (const phase of phasesOf(nodeExecutionPhases)) expect(judgeNodeEvent(null, phase)).toBe('ACCEPTED');
  });
});

describe('an event of an attempt', () => {
  it.each([
    [0, 'REPEATED'],
    [1, 'REPEATED'],
    [2, 'ACCEPTED'],
  ])('in the same phase with the version %i, after version 1, is %s', (phaseVersion, verdict) => {
    expect(judgeTaskEvent({ phase: 'RUNNING', phaseVersion: 1 }, { phase: 'RUNNING', phaseVersion })).toBe(
      verdict,
    );
  });

  it('is judged by both phases, for every pair with a higher version', () => {
    for (const from of phasesOf(taskExecutionPhases))
      for (const to of phasesOf(taskExecutionPhases)) {
        const ended = taskExecutionPhases[from].length === 0;
        const verdict = judgeTaskEvent({ phase: from, phaseVersion: 0 }, { phase: to, phaseVersion: 1 });
        expect(verdict, `${from} → ${to}`).toBe(ended ? 'TERMINAL' : 'ACCEPTED');
      }
    expect(judgeTaskEvent({ phase: 'FAILED', phaseVersion: 0 }, { phase: 'FAILED', phaseVersion: 0 })).toBe(
      'REPEATED',
    );
    // The versions are those of one phase.
    expect(judgeTaskEvent({ phase: 'QUEUED', phaseVersion: 3 }, { phase: 'RUNNING', phaseVersion: 0 })).toBe(
      'ACCEPTED',
    );
  });
});

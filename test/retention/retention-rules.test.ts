import { describe, expect, it } from 'vitest';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { timeOfId } from '../../src/retention/domain/id-time.ts';
import {
  type RetentionRule,
  ruleProblems,
  shortestKeep,
} from '../../src/retention/domain/retention-rules.ts';

const HOUR = 3600;
const rule = (more: Partial<RetentionRule> = {}): RetentionRule => ({
  keepSeconds: HOUR,
  phases: [],
  labels: {},
  archivedOnly: false,
  ...more,
});
const placesOf = (...rules: RetentionRule[]) =>
  ruleProblems(rules, ['rules']).map(({ path, message }) => `${path.join('.')}: ${message}`);
const failed: ExecutionPhase[] = ['FAILED'];

describe('the rules of a policy', () => {
  it.each([
    [[]],
    [[rule()]],
    [[rule({ keepSeconds: null })]],
    [[rule({ keepSeconds: 3650 * 24 * HOUR })]],
    [[rule({ phases: ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'] })]],
    [[rule({ phases: failed }), rule({ keepSeconds: null })]],
    [[rule({ labels: { tier: 'gold' }, keepSeconds: null }), rule()]],
    [[rule({ archivedOnly: true }), rule({ keepSeconds: 2 * HOUR })]],
    [[rule({ labels: { a: '1' } }), rule({ labels: { a: '2' } })]],
    [[rule({ labels: { a: '1', b: '1' } }), rule({ labels: { a: '1' } })]],
    [Array.from({ length: 10 }, (_, at) => rule({ labels: { a: String(at) } }))],
  ])('may be %j', (rules) => {
    expect(placesOf(...rules)).toEqual([]);
  });

  it.each([
    [[rule({ keepSeconds: HOUR - 0.001 })], 'rules.0.keepFor: must be from 1 hour to 3650 days'],
    [[rule({ keepSeconds: 0 })], 'rules.0.keepFor: must be from 1 hour to 3650 days'],
    [[rule({ keepSeconds: -HOUR })], 'rules.0.keepFor: must be from 1 hour to 3650 days'],
    [[rule({ keepSeconds: 3650 * 24 * HOUR + 1 })], 'rules.0.keepFor: must be from 1 hour to 3650 days'],
    [
      [rule({ labels: { a: '1' } }), rule({ phases: ['FAILED', 'RUNNING'] })],
      'rules.1.phases: an execution that is RUNNING has not ended',
    ],
    [[rule({ phases: ['FAILED', 'FAILED'] })], 'rules.0.phases: has a phase twice'],
    [[rule({ labels: { 'not a key': 'x' } })], 'rules.0.labels.not a key: the key is not a valid label key'],
    ...[
      [rule(), rule({ phases: failed })],
      [rule({ phases: failed }), rule({ phases: failed, labels: { a: '1' } })],
      [rule({ labels: { a: '1' } }), rule({ labels: { a: '1', b: '2' } })],
      [rule({ keepSeconds: null }), rule({ archivedOnly: true })],
      [rule({ archivedOnly: true }), rule({ archivedOnly: true })],
    ].map((rules): [RetentionRule[], string] => [
      rules,
      'rules.1.keepFor: never counts, because rule 0 before it fits the same executions',
    ]),
    [
      Array.from({ length: 11 }, (_, at) => rule({ labels: { a: String(at) } })),
      'rules: must have at most 10 entries',
    ],
  ])('may not be %j', (rules, problem) => {
    expect(placesOf(...rules)).toEqual([problem]);
  });

  it('delete nothing before the shortest of their times', () => {
    expect(shortestKeep([])).toBeNull();
    expect(shortestKeep([rule({ keepSeconds: null })])).toBeNull();
    expect(
      shortestKeep([rule({ keepSeconds: 9000 }), rule({ keepSeconds: null }), rule({ keepSeconds: 4000 })]),
    ).toBe(4000);
  });
});

describe('the time of an id', () => {
  it('is when a UUIDv7 was made', () => {
    expect(timeOfId('019b7a5c-0000-7abc-8def-000000000000')).toEqual(new Date(0x019b7a5c0000));
    expect(timeOfId('019b7a5c-0000-4abc-8def-000000000000')).toBeNull();
  });
});

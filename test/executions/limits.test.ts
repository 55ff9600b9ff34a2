import { describe, expect, it } from 'vitest';
import { missingFilesText } from '../../src/executions/commands/check-files.ts';
import { judgeAttempt } from '../../src/executions/domain/attempts.ts';
import {
  generatedExecutionName,
  scheduledExecutionName,
} from '../../src/executions/domain/execution-name.ts';
import { listed } from '../../src/executions/graphql/values.ts';

describe('a message about missing files', () => {
  it('names the first five, and how many more there are', () => {
    const files = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7'];
    const five = 'these files are not uploaded: f1, f2, f3, f4, f5';
    expect(missingFilesText(files.slice(0, 5))).toBe(five);
    expect(missingFilesText(files.slice(0, 6))).toBe(`${five} and 1 more`);
    expect(missingFilesText(files)).toBe(`${five} and 2 more`);
  });
});

describe('a message about wrong outputs', () => {
  it('tells the first 20 problems', () => {
    const names = Array.from({ length: 22 }, (_, at) => `y${at}`);
    const outputs = Object.fromEntries(names.map((name) => [name, { type: { simple: 'INTEGER' } as const }]));
    const report = { phase: 'SUCCEEDED', attempt: 0, error: null, outputs: {} } as const;
    const { error } = judgeAttempt({ retries: 0, outputs }, report, 1000);
    expect(error?.code).toBe('OutputsInvalid');
    expect(error?.message.split('; ')).toHaveLength(20);
  });
});

describe('the name of an execution that got none', () => {
  it('has 20 letters and digits, and begins with a letter', () => {
    for (let tries = 0; tries < 300; tries += 1) expect(generatedExecutionName()).toMatch(/^a[a-z0-9]{19}$/);
  });
});

describe('the name of an execution that a schedule starts', () => {
  const plan = { project: 'p', domain: 'd', name: 'nightly', version: 'v1' };
  const slot = new Date('2026-01-01T00:00:00Z');

  it('has 20 characters, and is the same only for the same slot of the same version', () => {
    const name = scheduledExecutionName(plan, slot);
    expect(name).toMatch(/^f[0-9a-f]{19}$/);
    expect(scheduledExecutionName({ ...plan }, new Date(slot))).toBe(name);
    for (const part of Object.keys(plan))
      expect(scheduledExecutionName({ ...plan, [part]: 'other' }, slot)).not.toBe(name);
    expect(scheduledExecutionName(plan, new Date(slot.getTime() + 1))).not.toBe(name);
  });
});

describe('the message of an error in a list', () => {
  const cut = (errorMessage: string | null) =>
    listed({ errorCode: 'x', errorKind: 'USER', errorMessage }).errorMessage;

  it.each([
    ['nothing', null, null],
    ['100 bytes', 'm'.repeat(100), 'm'.repeat(100)],
    ['101 bytes', 'm'.repeat(101), 'm'.repeat(100)],
    ['a character across the end', `${'m'.repeat(99)}é`, 'm'.repeat(99)],
  ])('has at most 100 bytes: %s', (_what, message, shown) => {
    expect(cut(message)).toBe(shown);
  });
});

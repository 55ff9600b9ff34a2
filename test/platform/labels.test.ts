import { describe, expect, it } from 'vitest';
import { labelProblems } from '../../src/platform/labels.ts';

const problemsOf = (key: string, value = 'x') => labelProblems({ [key]: value }, ['labels']);

describe('labels', () => {
  it('are at most 16, of which each is checked', () => {
    const labels = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`l${at}`, at === 15 ? '-' : 'x']));
    const wrong = {
      path: ['labels', 'l15'],
      code: 'InvalidValue',
      message: 'the value is not a valid label value',
    };
    const tooMany = { path: ['labels'], code: 'InvalidValue', message: 'must have at most 16 labels' };
    expect(labelProblems(labels(16), ['labels'])).toEqual([wrong]);
    expect(labelProblems(labels(17), ['labels'])).toEqual([tooMany, wrong]);
  });

  it.each(['team', 'Team_1.x', 'T', 'x'.repeat(63), 'example.com/team', `${'x'.repeat(253)}/team`])(
    'accept the key %s',
    (key) => expect(problemsOf(key)).toEqual([]),
  );

  it.each([
    ...['', '-team', 'team-', 'my team', 'x'.repeat(64)],
    ...['/team', 'example.com/', 'Example.com/team', 'a/b/c', '.com/team', `${'x'.repeat(254)}/team`],
  ])('refuse the key %s', (key) => {
    expect(problemsOf(key)).toEqual([
      { path: ['labels', key], code: 'InvalidValue', message: 'the key is not a valid label key' },
    ]);
  });

  it.each(['', 'A', '1.0_rc-1', 'x'.repeat(63)])('accept the value %j', (value) =>
    expect(problemsOf('team', value)).toEqual([]),
  );

  it.each([' ', '-a', 'a/b', 'x'.repeat(64)])('refuse the value %j', (value) =>
    expect(problemsOf('team', value)).toHaveLength(1),
  );
});

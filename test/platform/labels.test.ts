import { describe, expect, it } from 'vitest';
import { labelProblems } from '../../src/platform/labels.ts';

const problemsOf = (key: string, value = 'x') => labelProblems({ [key]: value }, ['labels']);

describe('labels', () => {
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

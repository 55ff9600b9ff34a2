import { describe, expect, it } from 'vitest';
import { checkSettings } from '../../src/executions/domain/check-settings.ts';
import type { ExecutionSettings } from '../../src/executions/domain/execution-spec.ts';
import { Place } from '../../src/values/problem-list.ts';

const DAYS_366 = 366 * 24 * 60 * 60 * 1000;

function problemsOf(settings: ExecutionSettings): string[] {
  const place = new Place([]);
  checkSettings(settings, place);
  return place.problems.all.map(({ path, code }) => `${path.join('.')} ${code}`);
}

describe('the tags of an execution', () => {
  const tags = (count: number) => Array.from({ length: count }, (_, at) => `tag-${at}`);

  it('are at most 100', () => {
    expect(problemsOf({ tags: tags(100) })).toEqual([]);
    expect(problemsOf({ tags: tags(101) })).toEqual(['tags TooLarge']);
  });

  it('are different', () => {
    expect(problemsOf({ tags: ['a', 'b', 'a', 'b'] })).toEqual(['tags.2 DuplicateId', 'tags.3 DuplicateId']);
  });
});

describe('the timeout of an execution', () => {
  it.each([
    [-1, ['timeout InvalidValue']],
    [0, ['timeout InvalidValue']],
    [1, []],
    [DAYS_366, []],
    [DAYS_366 + 1, ['timeout TooLarge']],
  ])('is longer than zero and at most 366 days, so %i milliseconds give %j', (milliseconds, problems) => {
    expect(problemsOf({ timeoutMilliseconds: milliseconds })).toEqual(problems);
  });
});

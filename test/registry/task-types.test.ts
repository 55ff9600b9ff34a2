import { describe, expect, it } from 'vitest';
import { isTypeAllowed } from '../../src/registry/domain/task-types.ts';

const whitelist = new Map([
  ['spark', new Set(['vision', 'speech/production'])],
  ['open', new Set<string>()],
]);

describe('a type of tasks', () => {
  it.each([
    ['spark', 'vision', 'development', true],
    ['spark', 'speech', 'production', true],
    ['spark', 'speech', 'development', false],
    ['spark', 'other', 'production', false],
    ['open', 'other', 'production', true],
    ['container', 'other', 'production', true],
  ])('%s in the project %s and domain %s: %s', (type, project, domain, isAllowed) => {
    expect(isTypeAllowed(whitelist, type, { project, domain })).toBe(isAllowed);
  });
});

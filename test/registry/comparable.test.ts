import { describe, expect, it } from 'vitest';
import { comparable } from '../../src/registry/domain/comparable.ts';

const key = (name: string, version: string) => ({ project: 'p', domain: 'd', name, version });

describe('the form in which two versions are compared', () => {
  it.each([
    ['nodes by their ids', [{ id: 'a' }, { id: 'b' }], { a: { id: 'a' }, b: { id: 'b' } }],
    ['bindings by their variables', [{ var: 'x', binding: 1 }], { x: { var: 'x', binding: 1 } }],
    [
      'tasks by their keys without the version',
      [{ id: key('a', 'v1') }, { id: key('b', 'v1') }],
      { 'p/d/a': { id: key('a', 'v1') }, 'p/d/b': { id: key('b', 'v1') } },
    ],
    [
      'two versions of one task by their whole keys',
      [{ id: key('a', 'v1') }, { id: key('a', 'v2') }],
      { 'p/d/a@v1': { id: key('a', 'v1') }, 'p/d/a@v2': { id: key('a', 'v2') } },
    ],
    ['no items', [], []],
    ['plain items', [1, null, 'x'], [1, null, 'x']],
    ['equal ids', [{ id: 'a' }, { id: 'a' }], [{ id: 'a' }, { id: 'a' }]],
    ['an item without a name', [{ id: 'a' }, {}], [{ id: 'a' }, {}]],
    ['a variable that is no text', [{ var: 1 }, { var: 2 }], [{ var: 1 }, { var: 2 }]],
    ['lists inside of lists', [[{ id: 'a' }]], [{ a: { id: 'a' } }]],
  ])('has %s', (_what, list, expected) => {
    expect(comparable({ list })).toEqual({ list: expected });
  });
});

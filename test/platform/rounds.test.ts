import { describe, expect, it } from 'vitest';
import { rounds } from '../../src/platform/rounds.ts';

describe('rounds', () => {
  it('contain no key twice, and keep the order of each key', () => {
    const items = ['a1', 'b1', 'a2', 'a3', 'b2', 'c1'];
    expect(rounds(items, (item) => item.charAt(0))).toEqual([['a1', 'b1', 'c1'], ['a2', 'b2'], ['a3']]);
    expect(rounds([], String)).toEqual([]);
  });

  it('are computed in linear time', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => index);
    expect(rounds(many, String)).toHaveLength(1);
  });
});

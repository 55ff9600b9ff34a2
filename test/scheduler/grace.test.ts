import { describe, expect, it } from 'vitest';
import { Grace } from '../../src/scheduler/grace.ts';

describe('grace', () => {
  it('is given after a start, after a failure and after a silence', async () => {
    const grace = new Grace(1);
    let work = async () => true;
    const at = (now: number) => grace.after(() => work(), now);
    expect(await at(10_000)).toBe(false);
    expect(await at(10_400)).toBe(false);
    expect(await at(10_800)).toBe(false);
    expect(await at(11_200)).toBe(true);
    work = async () => {
      throw new Error('no database');
    };
    await expect(at(11_300)).rejects.toThrow('no database');
    work = async () => true;
    expect(await at(11_600)).toBe(false);
    expect(await at(12_000)).toBe(false);
    expect(await at(12_400)).toBe(false);
    expect(await at(12_700)).toBe(true);
    expect(await at(14_000)).toBe(false);
  });

  it('ends exactly after its length, and half of it is no silence', async () => {
    const grace = new Grace(1);
    const at = (now: number) => grace.after(async () => true, now);
    expect([await at(10_000), await at(10_500), await at(10_999), await at(11_000)]).toEqual([
      ...[false, false, false],
      true,
    ]);
  });
});

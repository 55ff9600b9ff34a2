import { describe, expect, it } from 'vitest';
import { turns } from '../../src/platform/turns.ts';

describe('turns', () => {
  it('run a limited number at the same time, the others in order, and refuse more when the queue is full', async () => {
    const inTurn = turns(2, 3, () => new Error('too many'));
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const work = (name: number) =>
      inTurn(() => {
        started.push(name);
        return new Promise<number>((resolve) => ends.push(() => resolve(name)));
      });
    const answers = [1, 2, 3, 4, 5].map(work);
    await expect(work(6)).rejects.toThrow('too many');
    expect(started).toEqual([1, 2]);
    ends[0]?.();
    expect(await answers[0]).toBe(1);
    expect(started).toEqual([1, 2, 3]);
    // There is room for one again, after the two that wait.
    const late = work(7);
    await expect(work(8)).rejects.toThrow('too many');
    for (let at = 1; at < 6; at += 1) {
      ends[at]?.();
      await Promise.race([...answers.slice(at, at + 1), late]);
    }
    expect(await Promise.all([...answers, late])).toEqual([1, 2, 3, 4, 5, 7]);
    expect(started).toEqual([1, 2, 3, 4, 5, 7]);
  });

  it('pass the turn on to the next when work fails', async () => {
    const inTurn = turns(1, 1, () => new Error('too many'));
    const failing = inTurn(async () => {
      throw new Error('no');
    });
    const next = inTurn(async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});

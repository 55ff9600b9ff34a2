import { describe, expect, it, vi } from 'vitest';
import { startLoop } from '../../src/scheduler/loop.ts';
import { stopClocks } from '../support/clock.ts';

/** Waits until everything is done that needs no timer. */
const settled = () => new Promise(setImmediate);

/** A loop that works on the ids that the test gives, and records what it did. */
function loopOf({
  due = async () => [] as string[],
  each = async (_id: string) => false,
  concurrency = 2,
  everyMs = 10_000,
}) {
  const worked: string[] = [];
  const atOnce = new Map<string, number>();
  let most = 0;
  let running = 0;
  const loop = startLoop({
    name: 'test',
    everyMs,
    concurrency,
    due,
    each: async (id) => {
      running += 1;
      most = Math.max(most, running);
      atOnce.set(id, (atOnce.get(id) ?? 0) + 1);
      expect(atOnce.get(id)).toBe(1);
      worked.push(id);
      try {
        return await each(id);
      } finally {
        running -= 1;
        atOnce.set(id, 0);
      }
    },
  });
  return { loop, worked, most: () => most };
}

describe('a loop', () => {
  it('looks for due work when it starts, and again on its timer', async () => {
    stopClocks('setInterval', 'clearInterval');
    let looks = 0;
    const { loop, worked } = loopOf({
      everyMs: 10,
      due: async () => {
        looks += 1;
        return [`look ${looks}`];
      },
    });
    await settled();
    expect(worked).toEqual(['look 1']);
    vi.advanceTimersByTime(9);
    await settled();
    expect(worked).toEqual(['look 1']);
    vi.advanceTimersByTime(1);
    await settled();
    expect(worked).toEqual(['look 1', 'look 2']);
    await loop.stop();
  });

  it('looks once more when it is asked to during a look', async () => {
    let looks = 0;
    let finish = () => {};
    const { loop } = loopOf({
      due: () =>
        new Promise((resolve) => {
          looks += 1;
          finish = () => resolve([]);
        }),
    });
    loop.look();
    loop.look();
    for (let turn = 0; turn < 3; turn += 1) {
      finish();
      await settled();
    }
    expect(looks).toBe(2);
    await loop.stop();
  });

  it('repeats an id when news of it arrives during its turn, and never runs it twice at the same time', async () => {
    let finish = () => {};
    const { loop, worked } = loopOf({
      each: () =>
        new Promise((resolve) => {
          finish = () => resolve(false);
        }),
    });
    await settled();
    loop.wake('a');
    await settled();
    loop.wake('a');
    loop.wake('a');
    await settled();
    expect(worked).toEqual(['a']);
    finish();
    await settled();
    expect(worked).toEqual(['a', 'a']);
    finish();
    await loop.stop();
    expect(worked).toEqual(['a', 'a']);
  });

  it('runs no more turns at the same time than its limit', async () => {
    const { loop, worked, most } = loopOf({
      each: async () => {
        await settled();
        return false;
      },
    });
    for (let index = 0; index < 10; index += 1) loop.wake(String(index));
    while (worked.length < 10) await settled();
    await loop.stop();
    expect(most()).toBe(2);
  });

  it('continues after a failed turn, and repeats a turn that has more to do', async () => {
    let turns = 0;
    const { loop, worked } = loopOf({
      each: async (id) => {
        turns += 1;
        if (id === 'bad') throw new Error('no');
        return turns < 4;
      },
    });
    loop.wake('bad');
    loop.wake('more');
    while (turns < 4) await settled();
    await loop.stop();
    expect(worked).toEqual(['bad', 'more', 'more', 'more']);
  });

  it('does not repeat a turn that answers anything else', async () => {
    const { loop, worked } = loopOf({ each: (async () => 'done') as never });
    loop.wake('a');
    await settled();
    await loop.stop();
    expect(worked).toEqual(['a']);
  });

  it('ends after the running turns, and starts no further ones', async () => {
    let finish = () => {};
    const { loop, worked } = loopOf({
      each: () =>
        new Promise((resolve) => {
          finish = () => resolve(true);
        }),
    });
    loop.wake('a');
    let hasStopped = false;
    const stopping = loop.stop().then(() => {
      hasStopped = true;
    });
    await settled();
    expect(hasStopped).toBe(false);
    finish();
    await stopping;
    loop.wake('b');
    await settled();
    expect(worked).toEqual(['a']);
  });
});

/** How many subscriptions one server and one user may have: the limit itself, without a server. */
import type { ExecutionArgs } from 'graphql';
import { describe, expect, it } from 'vitest';
import { boundedSubscriptions } from '../../src/http/subscriptions.ts';

type Subscribe = (args: ExecutionArgs) => Promise<object>;

/** A server with this limit, as its users see it. */
function serverWith(limit: number) {
  const plugin = boundedSubscriptions(limit);
  const silent: Subscribe = async () =>
    (async function* () {
      yield await new Promise(() => {});
    })();
  let subscribe = silent;
  const payload = {
    subscribeFn: silent,
    setSubscribeFn(changed: Subscribe) {
      subscribe = changed;
    },
  };
  plugin.onSubscribe?.(payload as never);
  /** The subscription; null if it is refused. */
  return async (userId: string) => {
    const contextValue = { caller: { userId }, signal: new AbortController().signal };
    const results = await subscribe({ contextValue } as never);
    return 'errors' in results ? null : (results as AsyncGenerator);
  };
}

/** How many subscriptions the user gets. */
async function fill(open: ReturnType<typeof serverWith>, userId: string): Promise<number> {
  for (let count = 0; ; count += 1) if (!(await open(userId))) return count;
}

describe('one user', () => {
  it.each([
    [1, 1],
    [2, 2],
    [10, 10],
    [11, 10],
    [40, 10],
    [41, 11],
    [44, 11],
    [45, 12],
    [1000, 250],
  ])('of a server for %i subscriptions may have %i', async (limit, share) => {
    expect(await fill(serverWith(limit), 'ann')).toBe(share);
  });
});

describe('a server', () => {
  it('has as many subscriptions as its limit, whoever has them', async () => {
    const open = serverWith(15);
    expect([await fill(open, 'ann'), await fill(open, 'bob'), await fill(open, 'eve')]).toEqual([10, 5, 0]);
  });

  it('keeps its last quarter for users who have few', async () => {
    const open = serverWith(1000);
    const large = [];
    for (const userId of ['ann', 'bob', 'eve', 'joe']) large.push(await fill(open, userId));
    expect(large).toEqual([250, 250, 250, 25]);
    expect([await fill(open, 'kim'), await fill(open, 'lou')]).toEqual([25, 25]);
  });

  it('has room again for one that has ended, of the same user too, and counts its end once', async () => {
    const open = serverWith(2);
    const [first, second] = [await open('ann'), await open('ann')];
    expect(await open('ann')).toBeNull();
    // A generator that waits ends when its source does; what counts is that its client has gone.
    void first?.return(undefined);
    void first?.return(undefined);
    expect(await fill(open, 'ann')).toBe(1);
    void second?.return(undefined);
    expect(await fill(open, 'bob')).toBe(1);
  });
});

/** Requests that are applied together. */
import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../../src/platform/database/group-commit.ts';

interface Work {
  readonly name: string;
  readonly size?: number;
  readonly keys?: readonly string[];
}

/** A group commit that applies a group when the test says so. */
class Bench {
  /** The groups that were applied, by the names of their requests. */
  readonly groups: string[][] = [];
  #open: (() => void)[] = [];
  readonly commit: GroupCommit<Work, string>;

  constructor({
    most = 100,
    mostWaiting = 1000,
    failing = null as ((names: string[]) => Error | null) | null,
  } = {}) {
    this.commit = new GroupCommit<Work, string>({
      most,
      mostWaiting,
      sizeOf: ({ size = 1 }) => size,
      keysOf: ({ keys = [] }) => keys,
      apply: async (works) => {
        const names = works.map(({ name }) => name);
        this.groups.push(names);
        await new Promise<void>((resolve) => this.#open.push(resolve));
        const error = failing?.(names);
        if (error) throw error;
        return names.map((name) => `${name} done`);
      },
    });
  }

  submit(...works: (string | Work)[]): Promise<string>[] {
    return works.map((work) => this.commit.submit(typeof work === 'string' ? { name: work } : work));
  }

  /** Lets all groups end, until nothing is left. Fails if that takes very many turns: no timer can run meanwhile. */
  async finish(answers: readonly Promise<string>[]): Promise<string[]> {
    const settled = Promise.allSettled(answers);
    let isSettled = false;
    void settled.then(() => {
      isSettled = true;
    });
    for (let turn = 0; !isSettled; turn += 1) {
      if (turn === 1000) throw new Error('a request has no answer');
      for (const open of this.#open.splice(0)) open();
      await Promise.resolve();
    }
    return (await settled).map((one) => (one.status === 'fulfilled' ? one.value : `${one.reason.message}`));
  }
}

describe('GroupCommit', () => {
  it('applies the first request at once, and those that arrive in the meantime together, in their order', async () => {
    const bench = new Bench();
    const answers = bench.submit('a', 'b', 'c', 'd');
    expect(bench.groups).toEqual([['a']]);
    expect(await bench.finish(answers)).toEqual(['a done', 'b done', 'c done', 'd done']);
    expect(bench.groups).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('begins again after a pause', async () => {
    const bench = new Bench();
    await bench.finish(bench.submit('a'));
    await bench.finish(bench.submit('b'));
    expect(bench.groups).toEqual([['a'], ['b']]);
  });

  it('answers a request only after its group has ended', async () => {
    const bench = new Bench();
    let isAnswered = false;
    const [answer] = bench.submit('a');
    void answer?.then(() => {
      isAnswered = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(isAnswered).toBe(false);
    expect(await bench.finish([answer as Promise<string>])).toEqual(['a done']);
  });

  it('keeps a group within its size, but applies a larger request alone', async () => {
    const bench = new Bench({ most: 10 });
    const sized = (name: string, size: number) => ({ name, size });
    await bench.finish(
      bench.submit('first', sized('b', 6), sized('c', 4), sized('d', 1), sized('e', 11), 'f'),
    );
    expect(bench.groups).toEqual([['first'], ['b', 'c'], ['d'], ['e'], ['f']]);
  });

  it('never applies two requests with a common key together, keeps their order, and lets others go before', async () => {
    const bench = new Bench();
    const keyed = (name: string, ...keys: string[]) => ({ name, keys });
    await bench.finish(
      bench.submit(
        ...['first', keyed('b', 'x', 'y'), keyed('c', 'z'), keyed('d', 'y', 'v')],
        ...[keyed('e', 'v'), keyed('f')],
      ),
    );
    expect(bench.groups).toEqual([['first'], ['b', 'c', 'f'], ['d'], ['e']]);
  });

  it('refuses a request with UNAVAILABLE if too much waits, and takes further ones when some are done', async () => {
    const bench = new Bench({ mostWaiting: 3 });
    const answers = bench.submit('first', 'b', { name: 'c', size: 2 }, 'd');
    await expect(answers[3]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await bench.finish(answers.slice(0, 3))).toEqual(['first done', 'b done', 'c done']);
    expect(await bench.finish(bench.submit('e', 'f'))).toEqual(['e done', 'f done']);
  });

  it('takes one request of any size when nothing waits', async () => {
    const bench = new Bench({ mostWaiting: 3 });
    expect(await bench.finish(bench.submit('first', { name: 'b', size: 9 }))).toEqual([
      'first done',
      'b done',
    ]);
  });

  it('fails only the request that is at fault', async () => {
    const failing = (names: string[]) => (names.includes('bad') ? new Error('a fault') : null);
    const bench = new Bench({ failing });
    expect(await bench.finish(bench.submit('first', 'b', 'bad', 'c'))).toEqual([
      'first done',
      'b done',
      'a fault',
      'c done',
    ]);
    expect(bench.groups).toEqual([['first'], ['b', 'bad', 'c'], ['b'], ['bad'], ['c']]);
  });

  it('fails all requests of a group at once if the database is lost', async () => {
    const failing = ([name]: string[]) => (name === 'first' ? null : new Error('Connection terminated'));
    const bench = new Bench({ failing });
    expect(await bench.finish(bench.submit('first', 'b', 'c'))).toEqual([
      'first done',
      'Connection terminated',
      'Connection terminated',
    ]);
    expect(bench.groups).toEqual([['first'], ['b', 'c']]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { Order, Seen, Window } from './load-order.ts';
import type { Options } from './options.ts';
import type { Server } from './servers.ts';
import type { Request, Workload, World } from './workloads.ts';

const SETTLE_MS = 500;

export interface Bench {
  readonly options: Options;
  readonly world: World;
  readonly load: Child;
  readonly postgresPid: number;
}

/** What is measured in turns with others: a server with the requests that it gets. */
export interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly contentType: string;
  readonly requests: Order['requests'];
}

/** The server gets the requests in its own words. */
export const contestantOf = (
  { name, url, pid, documents }: Server,
  requests: readonly Request[],
): Contestant => ({
  ...{ name, url, pid, contentType: 'application/json' },
  requests: requests.map(({ token, query, variables }) => ({
    authorization: `Bearer ${token}`,
    body: JSON.stringify({ query: documents?.get(query) ?? query, variables }),
  })),
});

type Measured = Pick<Workload, 'name' | 'reset' | 'changes'>;

/**
 * Measures the contestants in turns, A B C A B C, so that whatever else the machine does concerns all of them. V8 needs
 * a warm-up for each workload.
 *
 * @throws Error if a request fails.
 */
export async function measure(
  bench: Bench,
  workload: Measured,
  contestants: readonly Contestant[],
): Promise<Map<string, Window[]>> {
  const { windows, windowSeconds, warmUpSeconds } = bench.options;
  for (const contestant of contestants) await windowOf(bench, workload, contestant, warmUpSeconds);
  const measured = new Map<string, Window[]>(contestants.map(({ name }) => [name, []]));
  for (let turn = 0; turn < windows; turn += 1)
    for (const contestant of inTurn(contestants, turn))
      measured.get(contestant.name)?.push(await windowOf(bench, workload, contestant, windowSeconds));
  await workload.reset?.(bench.world);
  return measured;
}

/** Each one comes first in some turn. */
export const inTurn = <One>(all: readonly One[], turn: number): One[] => {
  const first = turn % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
};

async function windowOf(
  bench: Bench,
  workload: Measured,
  { name, url, pid, contentType, requests }: Contestant,
  seconds: number,
): Promise<Window> {
  const { options, world, load, postgresPid } = bench;
  await workload.reset?.(world);
  const { connections } = options;
  const { changes } = workload;
  const isOnce = changes !== undefined;
  const pids = { server: pid, database: postgresPid, bench: process.pid };
  const order: Order = { url, contentType, requests, connections, seconds, isOnce, pids };
  const seen = await load.ask<Seen>({ ...order });
  const recorded = changes ? await settled(() => changes.count(world)) : null;
  const what = `${workload.name}: ${name}`;
  if (seen.failed > 0)
    throw new Error(`${what} failed ${seen.failed} of ${seen.answered} requests ${seen.failure}`);
  // Answers that came after the end of the load are not counted, but their reports are.
  if (recorded !== null && (recorded < seen.answered || recorded > seen.answered + connections))
    throw new Error(`${what} recorded ${recorded} of ${seen.answered} reports`);
  if (seen.window === null) throw new Error(`${what} has answered only ${seen.answered} requests`);
  return seen.window;
}

/** The count when it no longer grows: the server still works on what was on its way at the end of the window. */
async function settled(count: () => Promise<number>): Promise<number> {
  let last = await count();
  for (;;) {
    await sleep(SETTLE_MS);
    const now = await count();
    if (now === last) return now;
    last = now;
  }
}

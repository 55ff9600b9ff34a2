import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import { cpuOf, cpuOfFamily, cpuOfMachine, memoryOf } from './cpu.ts';
import type { Order, Seen } from './load-order.ts';
import type { Options } from './options.ts';
import type { Server } from './servers.ts';
import type { Request, Workload, World } from './workloads.ts';

/** One window of load on one server. Times are in milliseconds. */
export interface Window {
  readonly requestsPerSecond: number;
  readonly serverCpu: number;
  readonly databaseCpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly megabytes: number;
  /** How much of a core other processes took. */
  readonly foreign: number;
}

const LONGEST_SECONDS = 20;
const SETTLE_MS = 500;

export interface Bench {
  readonly options: Options;
  readonly world: World;
  readonly load: Child;
  readonly postgresPid: number;
}

/**
 * Measures the servers in turns, A B C A B C, so that whatever else the machine does concerns all of them. V8 needs a
 * warm-up for each workload.
 *
 * @throws Error if a request fails.
 */
export async function measure(
  bench: Bench,
  workload: Workload,
  requests: readonly Request[],
  servers: readonly Server[],
): Promise<Map<string, Window[]>> {
  const { windows, windowSeconds, warmUpSeconds } = bench.options;
  const bodies = new Map(servers.map((server) => [server, bodiesFor(server, requests)]));
  const one = (server: Server, seconds: number) =>
    windowOf(bench, workload, server, bodies.get(server) ?? [], seconds);
  for (const server of servers) await one(server, warmUpSeconds);
  const measured = new Map<string, Window[]>(servers.map(({ name }) => [name, []]));
  for (let turn = 0; turn < windows; turn += 1) {
    // Each server comes first in some turn.
    const order = servers.map((_, at) => servers[(at + turn) % servers.length] as Server);
    for (const server of order) measured.get(server.name)?.push(await one(server, windowSeconds));
  }
  await workload.reset?.(bench.world);
  return measured;
}

const bodiesFor = ({ documents }: Server, requests: readonly Request[]): Order['requests'] =>
  requests.map(({ token, query, variables }) => ({
    token,
    body: JSON.stringify({ query: documents?.get(query) ?? query, variables }),
  }));

async function windowOf(
  bench: Bench,
  workload: Workload,
  server: Server,
  requests: Order['requests'],
  seconds: number,
): Promise<Window> {
  const { options, world, load, postgresPid } = bench;
  await workload.reset?.(world);
  const spent = () => ({
    server: cpuOf(server.pid),
    database: cpuOfFamily(postgresPid),
    ours: cpuOf(process.pid) + cpuOf(load.pid),
    machine: cpuOfMachine(),
  });
  const before = spent();
  const order: Order = { url: server.url, requests, connections: options.connections, seconds };
  const seen = await load.ask<Seen>({ ...order });
  const after = spent();
  const recorded = workload.changes ? await settled(() => countOf(workload, world)) : null;
  // Too little to count: on a busy machine, every connection may still wait for its first answer.
  if (seen.failed === 0 && seen.answered < options.connections && seconds < LONGEST_SECONDS)
    return await windowOf(bench, workload, server, requests, seconds * 3);
  if (seen.failed > 0)
    throw new Error(
      `${workload.name}: ${server.name} failed ${seen.failed} of ${seen.answered} requests ${seen.failure}`,
    );
  // Answers that came after the end of the window are not counted, but their reports are.
  if (recorded !== null && (recorded < seen.answered || recorded > seen.answered + options.connections))
    throw new Error(`${workload.name}: ${server.name} recorded ${recorded} of ${seen.answered} reports`);
  const serverCpu = after.server - before.server;
  const databaseCpu = after.database - before.database;
  const ours = serverCpu + databaseCpu + after.ours - before.ours;
  return {
    requestsPerSecond: seen.answered / seen.seconds,
    serverCpu: serverCpu / seen.answered,
    databaseCpu: databaseCpu / seen.answered,
    p50: seen.p50,
    p99: seen.p99,
    megabytes: memoryOf(server.pid),
    foreign: Math.max(after.machine - before.machine - ours, 0) / (seen.seconds * 1000),
  };
}

const countOf = async (workload: Workload, world: World) => (await workload.changes?.(world))?.length ?? 0;

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

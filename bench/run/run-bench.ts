import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodePath, startChild } from './child.ts';
import { memoryOf } from './cpu.ts';
import { sizesOf } from './fill.ts';
import { type Ground, prepareGround } from './ground.ts';
import { measureJobs } from './jobs.ts';
import { type Bench, contestantOf, measure } from './measure.ts';
import { measureOAuth } from './oauth.ts';
import type { Options } from './options.ts';
import { measurePages } from './pages.ts';
import { prove } from './prove.ts';
import type { Phase, Results, Started } from './results.ts';
import { type Server, startPeer, startSlipway } from './servers.ts';
import { type Row, rowOf, spreadOf, withBetterLimit } from './summary.ts';
import { type Workload, workloads } from './workloads.ts';

type Stoppable = { stop(): Promise<void> };

/** Tells what the bench does, and keeps how long it took. */
class Progress {
  readonly phases: Phase[] = [];
  readonly #began = performance.now();

  say(line: string): void {
    const seconds = (performance.now() - this.#began) / 1000;
    process.stderr.write(`${seconds.toFixed(0).padStart(4)} s  ${line}\n`);
  }

  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.say(name);
    const began = performance.now();
    const result = await work();
    this.phases.push({ name, seconds: (performance.now() - began) / 1000 });
    return result;
  }

  sayRows(rows: readonly Row[]): void {
    for (const { server, requestsPerSecond, serverCpu, databaseCpu, statements } of rows)
      this.say(
        `  ${server}: ${requestsPerSecond.median.toFixed(0)}/s, ${serverCpu.median.toFixed(2)} + ${databaseCpu.median.toFixed(2)} ms of CPU, ${statements.length} statements`,
      );
  }
}

export async function runBench(options: Options): Promise<Results> {
  const progress = new Progress();
  const sizes = sizesOf(options.scale);
  const ground = await progress.phase('filling the tables', () => prepareGround(sizes));
  const started: Stoppable[] = [];
  try {
    const { servers, starts } = await progress.phase('starting the servers', () =>
      startServers(ground, options, started),
    );
    const load = startChild('bench/processes/load.ts', {});
    started.push(load);
    const bench: Bench = { options, world: ground.world, load, postgresPid: ground.postgresPid };
    const rows: Row[] = [];
    const add = async (name: string, work: () => Promise<Row[]>) => {
      if (!options.workloads.includes(name)) return;
      const some = await progress.phase(name, work);
      progress.sayRows(some);
      rows.push(...some);
    };
    for (const workload of workloads)
      await add(workload.name, () => rowsOf(bench, workload, serversFor(workload, servers)));
    const slipway = servers.find(({ name }) => name === 'slipway');
    if (slipway) {
      await add('pages', () => measurePages(bench, slipway, sizes.executions));
      await add('oauth', () => measureOAuth(bench, ground, slipway));
      await add('jobs', () => measureJobs(ground, slipway, options, sizes.jobs));
    }
    return { ...conditions(options), phases: progress.phases, starts, rows };
  } finally {
    for (const one of started.reverse()) await one.stop();
    await ground.stop();
  }
}

function conditions(options: Options): Pick<Results, 'machine' | 'node' | 'options'> {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return {
    machine: `${cpus().length} cores (${cpu?.model ?? 'of an unknown model'}), ${memory}`,
    node: execFileSync(nodePath, ['--version'], { encoding: 'utf8' }).trim().slice(1),
    options,
  };
}

/** The name of the limit whose lists PostgreSQL writes as JSON. Only the workloads with nested lists have both forms. */
const JSON_LIMIT = 'limit as JSON';
const TWO_FORMS = ['Q1', 'Q2'];

const serversFor = (workload: Workload, all: readonly Server[]) =>
  all.filter(({ name }) => name !== JSON_LIMIT || TWO_FORMS.includes(workload.name));

async function rowsOf(bench: Bench, workload: Workload, servers: readonly Server[]): Promise<Row[]> {
  const requests = await workload.requests(bench.world);
  const proven = await prove(workload, requests, servers, bench.world);
  const contestants = servers.map((server) => contestantOf(server, requests));
  const windows = await measure(bench, workload, contestants);
  const rows = [...windows].flatMap(([server, some]) => {
    const found = proven.get(server);
    return found ? [rowOf(workload.name, server, found, some)] : [];
  });
  return withBetterLimit(rows, ['limit', JSON_LIMIT]);
}

/** Slipway starts so many times, because its start has a goal. */
const STARTS = 3;
/** A server has nothing to do for so long before its memory is measured. */
const REST_MS = 3000;

async function startServers(ground: Ground, options: Options, started: Stoppable[]) {
  const servers: Server[] = [];
  const startsOf = new Map<string, Server['start'][]>();
  const add = async (name: string, start: () => Promise<Server>) => {
    const server = { ...(await start()), name };
    startsOf.set(name, [...(startsOf.get(name) ?? []), server.start]);
    return server;
  };
  const keep = (server: Server) => {
    started.push(server);
    servers.push(server);
  };
  for (const name of options.servers) {
    const start = () => (name === 'slipway' ? startSlipway(ground) : startPeer(name, ground));
    if (name === 'slipway' && !options.short)
      for (let at = 1; at < STARTS; at += 1) await (await add(name, start)).stop();
    keep(await add(name, start));
    if (name === 'limit' && !options.short)
      keep(await add(JSON_LIMIT, () => startPeer('limit', ground, 'json')));
  }
  await sleep(REST_MS);
  const starts = servers.map(({ name, pid }): Started => {
    const some = startsOf.get(name) ?? [];
    return {
      ...{ server: name, starts: some, restMegabytes: memoryOf(pid) },
      seconds: spreadOf(some.map(({ seconds }) => seconds)),
      cpuSeconds: spreadOf(some.map(({ cpuSeconds }) => cpuSeconds)),
    };
  });
  return { servers, starts };
}

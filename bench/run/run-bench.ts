import { startChild } from './child.ts';
import { type Sizes, sizesOf } from './fill.ts';
import { type Prepared, prepareGround } from './ground.ts';
import { measureJobs } from './jobs.ts';
import { type Bench, measure } from './measure.ts';
import type { Options } from './options.ts';
import { prove } from './prove.ts';
import { writeReport } from './report.ts';
import { type Server, startPeer, startSlipway } from './servers.ts';
import { type Row, rowOf } from './summary.ts';
import { type Workload, workloads } from './workloads.ts';

type Say = (line: string) => void;
type Stoppable = { stop(): Promise<void> };

/** @returns whether all gates hold; without gates, true. */
export async function runBench(options: Options): Promise<boolean> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const say = (line: string) => void process.stderr.write(`${seconds().toFixed(0).padStart(4)} s  ${line}\n`);
  const sizes = sizesOf(options.scale);
  say(`fills the tables with ${sizes.executions} executions`);
  const ground = await prepareGround(sizes);
  const started: Stoppable[] = [];
  try {
    const rows = await measureAll(ground, options, sizes, say, started);
    const { text, broken } = writeReport(rows, options, seconds());
    process.stdout.write(`${text}\n`);
    for (const fault of broken) process.stdout.write(`\nBroken: ${fault}\n`);
    return broken.length === 0;
  } finally {
    for (const one of started.reverse()) await one.stop();
    await ground.stop();
  }
}

async function measureAll(
  ground: Prepared,
  options: Options,
  sizes: Sizes,
  say: Say,
  started: Stoppable[],
): Promise<Row[]> {
  say('starts the servers');
  const servers = await startServers(ground, options, started);
  const load = startChild('bench/processes/load.ts', {});
  started.push(load);
  const bench: Bench = { options, world: ground.world, load, postgresPid: ground.postgresPid };
  const rows: Row[] = [];
  for (const workload of workloads)
    if (options.workloads.includes(workload.name))
      rows.push(...(await rowsOf(bench, workload, servers, say)));
  const slipway = servers.find(({ name }) => name === 'slipway');
  if (slipway && options.workloads.includes('jobs')) {
    say('jobs: batches of 100, leased and finished');
    rows.push(...(await measureJobs(ground, slipway, options, sizes.jobs, say)));
  }
  return rows;
}

/** The name of the limit whose lists PostgreSQL writes as JSON. Only the workloads with nested lists have both forms. */
const JSON_LIMIT = 'limit as JSON';
const TWO_FORMS = ['Q1', 'Q2'];

async function rowsOf(bench: Bench, workload: Workload, all: readonly Server[], say: Say): Promise<Row[]> {
  const servers = all.filter(({ name }) => name !== JSON_LIMIT || TWO_FORMS.includes(workload.name));
  const requests = await workload.requests(bench.world);
  say(`${workload.name}: proves equal answers`);
  const proven = await prove(workload, requests, servers, bench.world);
  say(`${workload.name}: measures`);
  const windows = await measure(bench, workload, requests, servers);
  const rows = [...windows].flatMap(([server, some]) => {
    const found = proven.get(server);
    return found ? [rowOf(workload.name, server, found, some)] : [];
  });
  for (const { server, requestsPerSecond, serverCpu, databaseCpu, statements } of rows)
    say(
      `  ${server}: ${requestsPerSecond.median.toFixed(0)} requests/s, ${serverCpu.median.toFixed(2)} + ${databaseCpu.median.toFixed(2)} ms of CPU, ${statements.length} statements`,
    );
  return withBetterLimit(rows);
}

/** The better form of the limit is the limit. */
function withBetterLimit(rows: readonly Row[]): Row[] {
  const speedOf = ({ requestsPerSecond }: Row) => requestsPerSecond.median;
  const [best] = rows.filter(isLimit).sort((one, other) => speedOf(other) - speedOf(one));
  return rows
    .filter((row) => !isLimit(row) || row === best)
    .map((row) => (row === best ? { ...row, server: 'limit' } : row));
}

const isLimit = ({ server }: Row) => server === 'limit' || server === JSON_LIMIT;

async function startServers(ground: Prepared, options: Options, started: Stoppable[]): Promise<Server[]> {
  const servers: Server[] = [];
  const add = (server: Server) => {
    started.push(server);
    servers.push(server);
  };
  for (const name of options.servers) {
    add(name === 'slipway' ? await startSlipway(ground) : await startPeer(name, ground));
    if (name === 'limit' && !options.short)
      add({ ...(await startPeer(name, ground, 'json')), name: JSON_LIMIT });
  }
  return servers;
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, firstMessage, startChild } from './child.ts';
import { cpuOf } from './cpu.ts';
import type { Ground } from './ground.ts';

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** The documents in the words of a server that has others; absent if it understands ours. */
  readonly documents?: ReadonlyMap<string, string>;
  readonly start: Start;
  stop(): Promise<void>;
}

/** What it takes until a server answers, in seconds. */
export interface Start {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Every pool has so many connections. */
const POOL_SIZE = 10;
const START_MS = 60_000;
const LOOK_MS = 20;

/** What the processes of Slipway are started with. Nothing is written for each request, as by the peers. */
export const slipwayEnvironment = (
  { databaseUrl, secrets }: Pick<Ground, 'databaseUrl' | 'secrets'>,
  port = 0,
) => ({
  DATABASE_URL: databaseUrl,
  SLIPWAY_SECRETS: secrets,
  DATABASE_POOL_SIZE: String(POOL_SIZE),
  MIGRATE: 'off',
  PORT: String(port),
  METRICS_PORT: 'off',
  LOG_LEVEL: 'error',
  RATE_COST_PER_MINUTE: '0',
  PUBLIC_URL: `http://127.0.0.1:${port}`,
});

/** Slipway as it is built, with all of its authorization, and without limits on the rate. */
export async function startSlipway(ground: Ground): Promise<Server> {
  const port = await freePort();
  const began = performance.now();
  const child = startChild('dist/bin/server.js', slipwayEnvironment(ground, port));
  const origin = `http://127.0.0.1:${port}`;
  const until = Date.now() + START_MS;
  while (!(await isReady(`${origin}/health/ready`))) {
    if (Date.now() > until || child.process.exitCode !== null) throw new Error('Slipway has not started');
    await sleep(LOOK_MS);
  }
  return serverOf('slipway', `${origin}/graphql`, child, began);
}

/** A server of `bench/processes`. */
export async function startPeer(name: string, ground: Ground, form = 'rows'): Promise<Server> {
  const settings = { databaseUrl: ground.databaseUrl, jwks: ground.jwks, poolSize: POOL_SIZE };
  const began = performance.now();
  const child = startChild(`bench/processes/${name}.ts`, {
    BENCH_SETTINGS: JSON.stringify(settings),
    LIMIT_FORM: form,
  });
  const { url, documents } = await firstMessage<{ url: string; documents?: readonly [string, string][] }>(
    child,
  );
  return { ...serverOf(name, url, child, began), ...(documents && { documents: new Map(documents) }) };
}

const serverOf = (name: string, url: string, { pid, stop }: Child, began: number): Server => ({
  ...{ name, url, pid, stop },
  start: { seconds: (performance.now() - began) / 1000, cpuSeconds: cpuOf(pid) / 1000 },
});

/** The header of somebody who signs in with a name and a secret. */
export const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

async function isReady(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

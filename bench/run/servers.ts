import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, firstMessage, startChild } from './child.ts';

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** The documents in the words of a server that has others; absent if it understands ours. */
  readonly documents?: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

export interface Ground {
  readonly databaseUrl: string;
  readonly secrets: string;
  /** The public keys of Slipway's tokens. */
  readonly jwks: object;
}

/** Every pool has so many connections. */
const POOL_SIZE = 10;
const START_MS = 60_000;

/** What the processes of Slipway are started with. Nothing is written for each request, as by the peers. */
export const slipwayEnvironment = ({ databaseUrl, secrets }: Ground, port = 0) => ({
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
export async function startSlipway(ground: Ground, flags?: string[]): Promise<Server> {
  const port = await freePort();
  const child = startChild('dist/bin/server.js', slipwayEnvironment(ground, port), flags);
  const origin = `http://127.0.0.1:${port}`;
  const until = Date.now() + START_MS;
  while (!(await isReady(`${origin}/health/ready`))) {
    if (Date.now() > until || child.process.exitCode !== null) throw new Error('Slipway has not started');
    await sleep(50);
  }
  return serverOf('slipway', `${origin}/graphql`, child);
}

/** A server of `bench/processes`. */
export async function startPeer(name: string, ground: Ground, form = 'rows'): Promise<Server> {
  const settings = { databaseUrl: ground.databaseUrl, jwks: ground.jwks, poolSize: POOL_SIZE };
  const child = startChild(`bench/processes/${name}.ts`, {
    BENCH_SETTINGS: JSON.stringify(settings),
    LIMIT_FORM: form,
  });
  const { url, documents } = await firstMessage<{ url: string; documents?: readonly [string, string][] }>(
    child,
  );
  return { ...serverOf(name, url, child), ...(documents && { documents: new Map(documents) }) };
}

const serverOf = (name: string, url: string, { pid, stop }: Child): Server => ({ name, url, pid, stop });

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

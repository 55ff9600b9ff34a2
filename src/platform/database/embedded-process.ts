/** The process of the embedded database: its start and its end, its port and its log. */
import type { ChildProcess } from 'node:child_process';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../config/environment.ts';
import { identifyProcess } from '../process-identity.ts';
import type { Cluster } from './embedded-cluster.ts';
import { isPostgresOn, startTied } from './embedded-host.ts';

const STOP_SECONDS = 30;
const LOG_BYTES = 10_000_000;

export interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly logStart: number;
}

/** Starts the server and waits until it accepts connections. It uses the same port as last time if the port is free. */
export async function startServer(
  { folder, data, postgres, account }: Cluster,
  startSeconds: number,
  settings: Readonly<Record<string, string | number>>,
): Promise<Server> {
  const deadline = performance.now() + startSeconds * 1000;
  const portFile = join(folder, 'port');
  let port = await freePort(Number(await readFile(portFile, 'utf8').catch(() => '0')) || 0);

  for (;;) {
    const log = await open(join(folder, 'postgres.log'), 'a', 0o600);
    const logStart = (await log.stat()).size;
    const flags = Object.entries({ ...settings, port }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const startedAt = Date.now();
    const child = startTied([postgres, '-D', data, ...flags], {
      account,
      cwd: data,
      output: log.fd,
      signal: 'INT',
    });
    child.unref();
    let spawnError: Error | undefined;
    child.once('error', (error) => {
      spawnError = error;
    });
    try {
      const isDecided = async () =>
        spawnError !== undefined || hasEnded(child) || (await isReady(data, child.pid, startedAt));
      const inTime = await waitUntil(isDecided, (deadline - performance.now()) / 1000);
      if (spawnError !== undefined) throw spawnError;
      if (child.pid !== undefined && !hasEnded(child) && inTime) {
        await writeFile(portFile, `${port}\n`);
        return { child, pid: child.pid, port, logStart };
      }
      if (child.pid !== undefined) await end(child.pid, () => hasEnded(child));
      const said = await logSince(folder, logStart);
      if (!inTime) throw new ConfigurationError(`PostgreSQL was not ready after ${startSeconds} s${said}`);
      if (/could not create any TCP\/IP sockets/.test(said)) {
        port = await freePort(0);
      } else if (!/pre-existing shared memory block/.test(said)) {
        throw new ConfigurationError(`PostgreSQL did not start (${howItEnded(child)})${said}`);
      }
      // Other processes of a server that was killed may still run. They end when they next wait for something.
      await sleep(200);
    } finally {
      await log.close();
    }
  }
}

/**
 * PostgreSQL writes its state into this file. If a container was killed and started again, the file of the last server
 * may even have the same process id; the start time in seconds tells the two apart.
 */
async function isReady(data: string, pid: number | undefined, startedAt: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const isOfThisStart = Number(lines[0]) === pid && Number(lines[2]) >= Math.floor(startedAt / 1000);
  return isOfThisStart && lines[7]?.trim() === 'ready';
}

/** Ends a server whose owner has died. */
export async function endLeftover(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 0)) return;
  await end(pid, async () => !(await isPostgresOn(pid, data)));
  // Another program now has the process number, and PostgreSQL would take it for its server.
  if (identifyProcess(pid) !== null && !(await isPostgresOn(pid, data))) await rm(pidFile, { force: true });
}

/** Tries a fast shutdown first. The other ways lose no data either, but the next start must replay the log. */
export async function end(pid: number, isGone: () => boolean | Promise<boolean>): Promise<void> {
  for (const [name, seconds] of [
    ['SIGINT', STOP_SECONDS],
    ['SIGQUIT', 10],
    ['SIGKILL', 10],
  ] as const) {
    if (await isGone()) return;
    signal(pid, name);
    if (await waitUntil(isGone, seconds)) return;
  }
  throw new ConfigurationError(`PostgreSQL (process ${pid}) does not stop`);
}

/** The port `preferred` if it is free, or else a port that the system chooses. */
async function freePort(preferred: number): Promise<number> {
  const port = await new Promise<number | undefined>((done) => {
    const probe = createServer();
    probe.once('error', () => done(undefined));
    probe.listen({ host: '127.0.0.1', port: preferred }, () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
  if (port !== undefined) return port;
  if (preferred === 0) throw new ConfigurationError('no port of 127.0.0.1 is free');
  return freePort(0);
}

export async function rotateLog(folder: string): Promise<void> {
  const log = join(folder, 'postgres.log');
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES) await rename(log, `${log}.1`);
}

export async function logSince(folder: string, start: number): Promise<string> {
  const log = await readFile(join(folder, 'postgres.log')).catch(() => Buffer.alloc(0));
  return quoted(log.subarray(start).toString('utf8'));
}

export function quoted(text: string): string {
  const lines = text.trim().split('\n').slice(-15);
  return lines.join('') === '' ? '' : `. It wrote:\n  ${lines.join('\n  ')}`;
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

export function howItEnded(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended, as intended.
  }
}

/** Asks repeatedly until the answer is yes. Returns false if this takes longer than `seconds`. */
async function waitUntil(isTrue: () => boolean | Promise<boolean>, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/**
 * A real PostgreSQL from npm, in our own folder, so that nobody has to install a database.
 *
 *    <folder>/data          the database cluster, created once
 *    <folder>/password      the random password of its superuser, readable only by us
 *    <folder>/port          the port of 127.0.0.1 that it last used
 *    <folder>/postgres.log  the log of PostgreSQL
 *
 * Any process here may be killed at any moment. A cluster is created under another name and renamed when it is
 * complete. PostgreSQL ends when we end; if it does not, the next start ends it first. Two servers never use the same
 * data: PostgreSQL prevents this with `postmaster.pid` and its shared memory. We remove `postmaster.pid` only if
 * another program now has the process number in it.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigurationError } from '../config/environment.ts';
import { identifyProcess } from '../process-identity.ts';
import {
  type Account,
  chooseAccount,
  exists,
  findPackage,
  isPostgresOn,
  makeFolder,
  type Place,
  preparePrograms,
  startTied,
} from './embedded-host.ts';

export interface EmbeddedPostgresOptions {
  /** Created if it does not exist. The caller must make sure that no other process uses it (../folder-lock.ts). */
  readonly folder: string;
  /** Whether the folder may be a link to another folder if PostgreSQL's user cannot enter it; true by default. */
  readonly mayLink?: boolean;
  /** False for tests: faster and smaller, but a crash of the machine may lose the data. */
  readonly isDurable?: boolean;
  /** Further settings of the server, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** How long the server may take until it accepts connections. After a crash it first replays its log. */
  readonly startSeconds?: number;
}

export interface EmbeddedPostgres {
  /** The address for a superuser. Each embedded server has its own database. */
  readonly url: string;
  readonly pid: number;
  /** Where the data is. */
  readonly place: Place;
  /**
   * Stops the server: it rolls back open transactions, closes connections and writes everything to disk. It is safe to
   * call it again.
   */
  stop(): Promise<void>;
  /**
   * Calls `listener` once with the reason when the server ends without `stop`, or at once if it has already ended. Then
   * `startEmbeddedPostgres` may be called again; it waits for the remaining processes of the dead server.
   */
  onExit(listener: (reason: string) => void): void;
}

const MAJOR_VERSION = '18';
const USER = 'slipway';
const DATABASE = 'slipway';
const STOP_SECONDS = 30;
const LOG_BYTES = 10_000_000;

const commonSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  cluster_name: 'slipway',
  jit: 'off',
};

const throwAwaySettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  io_method: 'sync',
};

/**
 * Prepares `folder` if this is the first start, starts PostgreSQL on it, and returns when it accepts connections.
 *
 * @throws ConfigurationError if the server does not start; the message ends with the last lines of its log.
 */
export async function startEmbeddedPostgres({
  folder,
  mayLink = true,
  isDurable = true,
  settings = {},
  startSeconds = 120,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = await chooseAccount(join(folder, 'data'));
  const place = await makeFolder(folder, account, mayLink);
  const cluster: Cluster = {
    ...(await preparePrograms(findPackage(), account, place.path)),
    account,
    folder: place.path,
    data: join(place.path, 'data'),
    isDurable,
  };
  await endLeftover(cluster.data);
  const password = await readOrMakePassword(cluster);
  await initialise(cluster);
  await rotateLog(cluster.folder);

  const server = await startServer(cluster, startSeconds, {
    ...commonSettings,
    ...(isDurable ? {} : throwAwaySettings),
    ...settings,
  });
  const addressOf = (database: string) =>
    `postgresql://${USER}:${password}@127.0.0.1:${server.port}/${database}`;
  try {
    await createDatabase(addressOf('postgres'));
  } catch (error) {
    await end(server.pid, () => hasEnded(server.child));
    throw error;
  }
  return { ...supervise(server, cluster), url: addressOf(DATABASE), pid: server.pid, place };
}

interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly account: Account;
  readonly initdb: string;
  readonly postgres: string;
  readonly isDurable: boolean;
}

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly logStart: number;
}

function supervise(
  { child, pid, logStart }: Server,
  { folder }: Cluster,
): Pick<EmbeddedPostgres, 'stop' | 'onExit'> {
  const listeners: ((reason: string) => void)[] = [];
  let stopping: Promise<void> | undefined;
  let deathReason: string | undefined;

  const onServerExit = async () => {
    if (stopping !== undefined) return;
    deathReason = `PostgreSQL ended (${howItEnded(child)})${await logSince(folder, logStart)}`;
    for (const listener of listeners) listener(deathReason);
  };
  if (hasEnded(child)) void onServerExit();
  else child.once('exit', () => void onServerExit());

  return {
    stop() {
      stopping ??= end(pid, () => hasEnded(child));
      return stopping;
    },
    onExit(listener) {
      listeners.push(listener);
      if (deathReason !== undefined) listener(deathReason);
    },
  };
}

/** Starts the server and waits until it accepts connections. It uses the same port as last time if the port is free. */
async function startServer(
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

/** Creates the cluster if it does not exist, and removes what an interrupted attempt left behind. */
async function initialise({ folder, data, initdb, account, isDurable }: Cluster): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry.startsWith('data.new-'))
      await rm(join(folder, entry), { recursive: true, force: true, maxRetries: 10 });
  }
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() === MAJOR_VERSION) return;
    throw new ConfigurationError(
      `PostgreSQL ${version.trim()} wrote ${data}, and this release uses PostgreSQL ${MAJOR_VERSION}. ` +
        'Export it with the release that wrote it (pg_dump). To start with an empty database, move the folder away.',
    );
  }

  const unfinished = join(folder, `data.new-${randomBytes(4).toString('hex')}`);
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(account, unfinished);
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    // With these rules of PostgreSQL itself, and not of the operating system, every machine sorts alike.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(isDurable ? [] : ['--no-sync', '--no-data-checksums']),
  ];
  const child = startTied([initdb, ...args], {
    account,
    cwd: unfinished,
    output: 'pipe',
    signal: 'TERM',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  }
  await new Promise<void>((done, reject) => {
    child.once('error', reject);
    child.once('close', () => done());
  });
  if (child.exitCode !== 0)
    throw new ConfigurationError(`initdb failed (${howItEnded(child)})${quoted(said)}`);
  // This must fail if the folder contains something that is not a cluster.
  await rename(unfinished, data);
  if (isDurable) await syncFolder(folder);
}

/**
 * The password is stored beside the data and created before it, so there is never a cluster with an unknown password.
 */
async function readOrMakePassword({ folder, data, account }: Cluster): Promise<string> {
  const file = join(folder, 'password');
  const existing = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (existing !== '') return existing;
  if (await exists(join(data, 'PG_VERSION'))) {
    throw new ConfigurationError(
      `${file} is missing. Without it, ${data} cannot be opened. Restore the file. To start with an empty database, move both away.`,
    );
  }
  const password = randomBytes(24).toString('hex');
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, `${password}\n`, { mode: 0o600, flush: true });
  // initdb reads the file too.
  await giveTo(account, unfinished);
  await rename(unfinished, file);
  return password;
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Ends a server whose owner has died. */
async function endLeftover(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (!(pid > 0)) return;
  await end(pid, async () => !(await isPostgresOn(pid, data)));
  // Another program now has the process number, and PostgreSQL would take it for its server.
  if (identifyProcess(pid) !== null && !(await isPostgresOn(pid, data))) await rm(pidFile, { force: true });
}

/** Tries a fast shutdown first. The other ways lose no data either, but the next start must replay the log. */
async function end(pid: number, isGone: () => boolean | Promise<boolean>): Promise<void> {
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

async function rotateLog(folder: string): Promise<void> {
  const log = join(folder, 'postgres.log');
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES) await rename(log, `${log}.1`);
}

async function logSince(folder: string, start: number): Promise<string> {
  const log = await readFile(join(folder, 'postgres.log')).catch(() => Buffer.alloc(0));
  return quoted(log.subarray(start).toString('utf8'));
}

function quoted(text: string): string {
  const lines = text.trim().split('\n').slice(-15);
  return lines.join('') === '' ? '' : `. It wrote:\n  ${lines.join('\n  ')}`;
}

async function giveTo(account: Account, path: string): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function howItEnded(child: ChildProcess): string {
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

/**
 * A real PostgreSQL from npm, in a folder of ours, for a start with nothing to install.
 *
 *   <folder>/data           the database cluster, made once
 *   <folder>/password       of its superuser, random, readable by us only
 *   <folder>/port           where it last listened on 127.0.0.1
 *   <folder>/owner.<n>      the process that uses the folder now; empty when none does
 *   <folder>/postgres.log   what PostgreSQL says
 *
 * Any process here may be killed at any moment. A cluster is made under another name and renamed when complete. A
 * server that has outlived its owner is shut down before a new one starts; so are the orphans of a killed server. Two
 * servers never share the data: PostgreSQL sees to that itself, by `postmaster.pid` and its shared memory. Of those
 * marks we remove only a `postmaster.pid` whose process turns out to be a stranger with the same number.
 *
 * The server leads a process group of its own, so that Ctrl-C in a terminal reaches us first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { chown, link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  type Account,
  bareEnvironment,
  chooseAccount,
  exists,
  findPrograms,
  isPostgresOn,
  isRunning,
  type Programs,
  postgresProcessesOn,
  startOf,
  waitUntil,
} from './embedded-host.ts';

export interface EmbeddedPostgresOptions {
  /** Made when missing. */
  folder?: string;
  /** False for tests: faster and smaller, and the data may be lost with the machine. */
  isDurable?: boolean;
  /** Further settings of the server, such as `max_connections`. */
  settings?: Readonly<Record<string, string | number>>;
  /** How long the server may take until it accepts connections. After a crash it first replays its log. */
  startSeconds?: number;
}

export interface EmbeddedPostgres {
  /** For a superuser, to a database of its own. */
  readonly url: string;
  readonly pid: number;
  /**
   * Shuts down: open transactions are rolled back, connections closed, everything written. Safe to call again. When
   * our process exits without it, the server is told to shut down and does so by itself.
   */
  stop(): Promise<void>;
  /**
   * Calls `listener` once when the server ends unasked, with the reason; at once if it already has. The folder is free
   * then: `startEmbeddedPostgres` may be called again and waits for what the dead server left running.
   */
  onExit(listener: (reason: string) => void): void;
}

/** Another process uses the folder: two would stop each other's server. */
export class EmbeddedPostgresInUseError extends Error {
  override name = 'EmbeddedPostgresInUseError';
}

const MAJOR_VERSION = '18';
const USER = 'slipway';
const DATABASE = 'slipway';
const INIT_SECONDS = 120;
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
 * Starts PostgreSQL on `folder`, which it prepares on the first call, and answers when it accepts connections.
 *
 * @throws EmbeddedPostgresInUseError when a living process, this one included, already runs it.
 * @throws Error when the server does not start; the message ends with what it said last.
 */
export async function startEmbeddedPostgres({
  folder: givenFolder = '.slipway/postgres',
  isDurable = true,
  settings = {},
  startSeconds = 120,
}: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const folder = resolve(givenFolder);
  const data = join(folder, 'data');
  const programs = await findPrograms();
  // Under root it is another user who passes through.
  await mkdir(folder, {
    recursive: true,
    mode: process.getuid?.() === 0 ? 0o711 : 0o700,
  });

  const release = await takeOwnership(folder);
  try {
    const account = await chooseAccount(data, programs);
    await endLeftovers(data);
    const password = await readOrMakePassword(folder, data, account);
    await initialise(folder, data, programs, account, isDurable);
    await rotateLog(folder);

    const server = await startServer(folder, data, programs, account, startSeconds, {
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
    return supervise(server, addressOf(DATABASE), folder, release);
  } catch (error) {
    release();
    throw error;
  }
}

interface Server {
  child: ChildProcess;
  pid: number;
  port: number;
  logStart: number;
}

function supervise(server: Server, url: string, folder: string, release: () => void): EmbeddedPostgres {
  const { child, pid } = server;
  const listeners: ((reason: string) => void)[] = [];
  let stopping: Promise<void> | undefined;
  let deathReason: string | undefined;

  const onOurExit = () => {
    signal(pid, 'SIGINT');
    release();
  };
  process.once('exit', onOurExit);

  const onServerExit = async () => {
    process.off('exit', onOurExit);
    if (stopping !== undefined) return;
    release();
    deathReason = `PostgreSQL ended (${howItEnded(child)})${await logSince(folder, server.logStart)}`;
    for (const listener of listeners) listener(deathReason);
  };
  if (hasEnded(child)) void onServerExit();
  else child.once('exit', () => void onServerExit());

  return {
    url,
    pid,
    stop() {
      stopping ??= (async () => {
        await end(pid, () => hasEnded(child));
        process.off('exit', onOurExit);
        release();
      })();
      return stopping;
    },
    onExit(listener) {
      listeners.push(listener);
      if (deathReason !== undefined) listener(deathReason);
    },
  };
}

/** Runs the server until it accepts connections, on the port of the last time if that is free. */
async function startServer(
  folder: string,
  data: string,
  programs: Programs,
  account: Account,
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
    const { file, args, ids } = account.command(programs.postgres, ['-D', data, ...flags]);
    const startedAt = Date.now();
    const child = spawn(file, args, {
      ...ids,
      cwd: data,
      env: bareEnvironment,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    let spawnError: Error | undefined;
    child.once('error', (error) => {
      spawnError = error;
    });
    child.unref();
    try {
      const isDecided = async () =>
        spawnError !== undefined || hasEnded(child) || (await isReady(data, child.pid, startedAt));
      const inTime = await waitUntil(isDecided, (deadline - performance.now()) / 1000);
      if (spawnError !== undefined) throw spawnError;
      if (child.pid !== undefined && !hasEnded(child) && inTime) {
        await writeFile(portFile, `${port}\n`);
        return { child, pid: child.pid, port, logStart };
      }
      const said = await logSince(folder, logStart);
      if (!inTime) {
        if (child.pid !== undefined) await end(child.pid, () => hasEnded(child));
        throw new Error(`PostgreSQL was not ready after ${startSeconds} s${said}`);
      }
      if (/could not create any TCP\/IP sockets/.test(said)) {
        port = await freePort(0);
      } else if (!/pre-existing shared memory block/.test(said)) {
        throw new Error(`PostgreSQL did not start (${howItEnded(child)})${said}`);
      }
      // Orphans that only PostgreSQL sees are still at work.
      await sleep(200);
    } finally {
      await log.close();
    }
  }
}

/**
 * PostgreSQL itself writes there how far it is. In a container that was killed and started again the file of the last
 * server may even have the same process id; its start time, in seconds, tells them apart.
 */
async function isReady(data: string, pid: number | undefined, startedAt: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const isOfThisStart = Number(lines[0]) === pid && Number(lines[2]) >= Math.floor(startedAt / 1000);
  return isOfThisStart && lines[7]?.trim() === 'ready';
}

/** Makes the cluster unless it is there. What an interrupted attempt left is removed. */
async function initialise(
  folder: string,
  data: string,
  programs: Programs,
  account: Account,
  isDurable: boolean,
): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry.startsWith('data.new-'))
      await rm(join(folder, entry), {
        recursive: true,
        force: true,
        maxRetries: 10,
      });
  }
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() === MAJOR_VERSION) return;
    throw new Error(
      `${data} was made by PostgreSQL ${version.trim()}, and this release brings ${MAJOR_VERSION}. ` +
        'Export it with the release that made it (pg_dump), or move the folder away to start empty.',
    );
  }

  const unfinished = join(folder, `data.new-${randomBytes(4).toString('hex')}`);
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(account, unfinished);
  const { file, args, ids } = account.command(programs.initdb, [
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    // Sorts alike on every machine: the rules are PostgreSQL's own, not the operating system's.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(isDurable ? [] : ['--no-sync', '--no-data-checksums']),
  ]);
  const child = spawn(file, args, {
    ...ids,
    cwd: unfinished,
    env: bareEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INIT_SECONDS * 1000,
    killSignal: 'SIGKILL',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  await new Promise<void>((done, reject) => {
    child.once('error', reject);
    child.once('close', () => done());
  });
  if (child.exitCode !== 0) {
    throw new Error(`initdb failed (${howItEnded(child)})${quoted(said)}`);
  }
  // Fails, as it should, on a folder that holds something and is no cluster.
  await rename(unfinished, data);
  if (isDurable) await syncFolder(folder);
}

/** Kept beside the data, and made before it: there is never a cluster whose password is unknown. */
async function readOrMakePassword(folder: string, data: string, account: Account): Promise<string> {
  const file = join(folder, 'password');
  const existing = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (existing !== '') return existing;
  if (await exists(join(data, 'PG_VERSION'))) {
    throw new Error(
      `${file} is missing, and only it opens ${data}. Restore it, or move both away to start empty.`,
    );
  }
  const password = randomBytes(24).toString('hex');
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, `${password}\n`, { mode: 0o600, flush: true });
  // initdb reads it too.
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

/** Ends the server of a dead owner, and the backends of a dead server, so that none is left on the data. */
async function endLeftovers(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (pid > 0) await end(pid, async () => !(await isPostgresOn(pid, data)));

  // Backends notice that their server is gone as soon as they next wait for something.
  const isQuiet = async () => (await postgresProcessesOn(data)).length === 0;
  if (!(await waitUntil(isQuiet, 10))) {
    for (const orphan of await postgresProcessesOn(data)) signal(orphan, 'SIGKILL');
    if (!(await waitUntil(isQuiet, 10)))
      throw new Error(`processes of a killed PostgreSQL do not leave ${data}`);
  }
  // Its number was given to a stranger since, whom PostgreSQL would take for its server.
  if (pid > 0 && !(await isPostgresOn(pid, data)) && processExists(pid)) await rm(pidFile, { force: true });
}

/** Fast shutdown; then the ones that lose nothing either but leave the log to be replayed. */
async function end(pid: number, isGone: () => boolean | Promise<boolean>): Promise<void> {
  if (await isGone()) return;
  signal(pid, 'SIGINT');
  if (await waitUntil(isGone, STOP_SECONDS)) return;
  signal(pid, 'SIGQUIT');
  if (await waitUntil(isGone, 10)) return;
  signal(pid, 'SIGKILL');
  if (!(await waitUntil(isGone, 10))) throw new Error(`PostgreSQL (process ${pid}) does not end`);
}

/**
 * Makes this process the only one that uses the folder; returns what gives it back.
 *
 * The file with the highest number tells who has it: process and start time, so that a dead owner, whose number may be
 * in use again, is known for what it is. Taking over means to make the next number, which only one can. The highest is
 * never removed, only emptied, so whoever judged an old one finds that out: its next number exists, or is not the
 * highest.
 */
async function takeOwnership(folder: string): Promise<() => void> {
  const mark = (number: number) => join(folder, `owner.${number}`);
  const draft = join(folder, `draft-${randomBytes(4).toString('hex')}`);
  await writeFile(draft, `${process.pid} ${await startOf(process.pid)}\n`, {
    mode: 0o600,
  });
  try {
    for (;;) {
      const last = (await ownerNumbers(folder)).at(-1) ?? 0;
      const [pid, start] = (await readFile(mark(last), 'utf8').catch(() => '')).trim().split(/ (.*)/s);
      if (Number(pid) > 0 && (await isRunning(Number(pid))) && (await startOf(Number(pid))) === start) {
        throw new EmbeddedPostgresInUseError(`${folder} is in use by process ${pid}; stop that one first`);
      }
      const mine = last + 1;
      try {
        await link(draft, mark(mine));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      const numbers = await ownerNumbers(folder);
      if (numbers.at(-1) !== mine) {
        await rm(mark(mine), { force: true });
        continue;
      }
      for (const older of numbers.slice(0, -1)) await rm(mark(older), { force: true });
      let isHeld = true;
      return () => {
        if (isHeld) emptyFile(mark(mine));
        isHeld = false;
      };
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function ownerNumbers(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map((entry) => Number(/^owner\.(\d+)$/.exec(entry)?.[1]));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

function emptyFile(path: string): void {
  try {
    truncateSync(path);
  } catch {
    // The whole folder is gone.
  }
}

/** `preferred` if it is free, else one that the system picks. */
async function freePort(preferred: number): Promise<number> {
  const port = await new Promise<number | undefined>((done) => {
    const probe = createServer();
    probe.once('error', () => done(undefined));
    probe.listen({ host: '127.0.0.1', port: preferred, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
  if (port !== undefined) return port;
  if (preferred === 0) throw new Error('no port of 127.0.0.1 is free');
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
  return lines.join('') === '' ? '' : `. It said:\n  ${lines.join('\n  ')}`;
}

async function giveTo(account: Account, path: string): Promise<void> {
  if (account.ids !== undefined) await chown(path, account.ids.uid, account.ids.gid);
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
    // It is gone, which is what was wanted.
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

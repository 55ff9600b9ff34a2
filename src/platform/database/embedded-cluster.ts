/** The files of the embedded database: the cluster, its password, and the database in it. */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { ConfigurationError } from '../config/environment.ts';
import { type Account, exists, startTied } from './embedded-host.ts';
import { howItEnded, quoted } from './embedded-process.ts';

const MAJOR_VERSION = '18';
export const USER = 'slipway';
export const DATABASE = 'slipway';

export interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly account: Account;
  readonly initdb: string;
  readonly postgres: string;
  readonly isDurable: boolean;
}

/** Creates the cluster if it does not exist, and removes what an interrupted attempt left behind. */
export async function initialise({ folder, data, initdb, account, isDurable }: Cluster): Promise<void> {
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
export async function readOrMakePassword({ folder, data, account }: Cluster): Promise<string> {
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

export async function createDatabase(url: string): Promise<void> {
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

async function giveTo(account: Account, path: string): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

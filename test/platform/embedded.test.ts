import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/platform/database/embedded.ts';
import {
  chooseAccount,
  findPackage,
  homeMode,
  isPostgresOn,
  makeFolder,
  preparePrograms,
} from '../../src/platform/database/embedded-host.ts';
import { isAlive } from '../executor/fixture.ts';
import { needs } from '../support/require.ts';
import { eventually } from '../support/waiting.ts';

const started: EmbeddedPostgres[] = [];
const drivers: ChildProcess[] = [];
let root: string;
/** One cluster for all tests that do not need a new one, because creating it takes the most time. */
let folder: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-embedded-'));
  await chmod(root, homeMode());
  folder = join(root, 'postgres');
});
afterEach(async () => {
  await Promise.all(
    drivers.splice(0).map(async (driver) => {
      if (driver.exitCode === null && driver.signalCode === null && driver.kill('SIGKILL'))
        await once(driver, 'exit');
    }),
  );
  await Promise.all(started.splice(0).map((server) => server.stop()));
});
afterAll(() => rm(root, { recursive: true, maxRetries: 5 }));

describe('startEmbeddedPostgres', () => {
  it('creates a cluster whose password only the own user can read', async () => {
    const server = await start();
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect(new URL(server.url).password).toMatch(/^[0-9a-f]{48}$/);
    expect(await query(server, 'show server_version')).toMatchObject([
      { server_version: expect.stringMatching(/^18/) },
    ]);
    expect(await query(server, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    await query(server, "create table kept as select 'first start' as told");
  });

  it('has the same address and the same data on the next start', async () => {
    const first = await start();
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second, 'select told from kept')).toEqual([{ told: 'first start' }]);
  });

  it('keeps its log for its user only, and begins a new one when the old one is large', async () => {
    const log = join(folder, 'postgres.log');
    await truncate(log, 10_000_000);
    await (await start()).stop();
    expect(await readdir(folder)).not.toContain('postgres.log.1');
    expect((await stat(log)).mode & 0o7777).toBe(0o600);
    await truncate(log, 10_000_001);
    await (await start()).stop();
    expect((await stat(`${log}.1`)).size).toBe(10_000_001);
    expect((await stat(log)).mode & 0o7777).toBe(0o600);
    await rm(`${log}.1`);
  });

  it('takes another port when its own is taken', async () => {
    const port = Number(await readFile(join(folder, 'port'), 'utf8'));
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const server = await start();
    expect(new URL(server.url).port).not.toBe(String(port));
    expect(await query(server, 'select told from kept')).toHaveLength(1);
    other.close();
  });

  it('reports that the server was killed, and starts again when its orphans have ended', async () => {
    const server = await start();
    const reason = new Promise<string>((tell) => server.onExit(tell));
    const busy = query(server, 'select pg_sleep(60)').catch((error: Error) => error);
    await eventually(
      () => query(server, "select from pg_stat_activity where query = 'select pg_sleep(60)'"),
      (sessions) => sessions.length === 1,
    );
    process.kill(server.pid, 'SIGKILL');
    expect(await reason).toMatch(/^PostgreSQL ended \(SIGKILL\)\. It wrote:\n.*ready to accept connections/s);

    const next = await start();
    expect(await busy).toBeInstanceOf(Error);
    expect(await query(next, 'select told from kept')).toHaveLength(1);
    await server.stop();
    expect(isAlive(next.pid)).toBe(true);
  });

  it('leads its own process group, so that Ctrl-C in a terminal does not reach it', async () => {
    const server = await start();
    // Signal 0 only asks whether there is such a group.
    expect(process.kill(-server.pid, 0)).toBe(true);
  });

  it('does not report an end that was asked for', async () => {
    const server = await start();
    const told: string[] = [];
    server.onExit((reason) => told.push(reason));
    await server.stop();
    expect(told).toEqual([]);
  });

  it.each(['SIGKILL', 'exit'])('ends the server when its process ends by %s', async (how) => {
    const { driver, pid } = await drive(...(how === 'exit' ? ['--exit'] : []));
    if (how !== 'exit') driver.kill('SIGKILL');
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    );
    expect(await readdir(join(folder, 'data'))).not.toContain('postmaster.pid');
  });

  it('stops a server that outlived its process, and starts a new one', async () => {
    const server = await start();
    expect(isAlive(server.pid)).toBe(true);
    const next = await start();
    expect(isAlive(server.pid)).toBe(false);
    expect(await query(next, 'select told from kept')).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('ignores the lock files of a dead server', async () => {
    const server = await start();
    const pidFile = join(folder, 'data/postmaster.pid');
    const marks = (await readFile(pidFile, 'utf8')).split('\n');
    await server.stop();
    // As after a crash, when another program has got the process number: this test itself.
    await writeFile(pidFile, [process.pid, ...marks.slice(1)].join('\n'));
    expect(await query(await start(), 'select told from kept')).toHaveLength(1);
  });

  it('quotes the output of the server when it does not start, and releases the folder', async () => {
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /^PostgreSQL did not start \(exit code 1\)\. It wrote:\n.*FATAL: {2}invalid value for parameter "shared_buffers"/s,
    );
    await start();
  });

  it('refuses a cluster of another PostgreSQL version', async () => {
    const version = join(folder, 'data/PG_VERSION');
    await writeFile(version, '17\n');
    await expect(start()).rejects.toThrow('and this release uses PostgreSQL 18');
    await writeFile(version, '18\n');
  });

  it('creates the cluster again when it was killed while creating it', async () => {
    const fresh = join(root, 'interrupted');
    const driver = spawnDriver(fresh);
    await expect
      .poll(
        async () => {
          const [unfinished] = (await readdir(fresh)).filter((entry) => entry.startsWith('data.new-'));
          return unfinished === undefined ? [] : readdir(join(fresh, unfinished));
        },
        { timeout: 10_000, interval: 5 },
      )
      .toContain('base');
    driver.kill('SIGKILL');
    await once(driver, 'exit');
    expect(await readdir(fresh)).not.toContain('data');

    const server = await start({ folder: fresh });
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
    const left = (await readdir(fresh)).filter((entry) => !entry.startsWith('programs-'));
    expect(left.sort()).toEqual(['data', 'password', 'port', 'postgres.log']);
  });

  it.runIf(process.platform === 'linux')('leaves no process behind', async () => {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
    const left = await Promise.all(pids.map((pid) => isPostgresOn(pid, join(folder, 'data'))));
    expect(left).not.toContain(true);
  });
});

describe.runIf(needs('root', 'PostgreSQL in a folder closed to others'))(
  'startEmbeddedPostgres under root, in a folder closed to others,',
  () => {
    let closed: string;
    beforeAll(async () => {
      closed = await mkdtemp(join(tmpdir(), 'slipway-closed-'));
    });
    afterAll(() => rm(closed, { recursive: true }));

    it('keeps the data in a folder that PostgreSQL can enter, and links to it', async () => {
      const target = join(closed, 'postgres');
      const { place, stop } = await start({ folder: target });
      expect(place.barrier).toBe(closed);
      expect(place.path).toBe(await readlink(target));
      expect(place.path).toMatch(/^\/var\/(lib|tmp)\/slipway-/);
      expect((await stat(place.path)).mode & 0o7777).toBe(0o711);
      expect((await stat(join(place.path, 'data'))).uid).not.toBe(0);
      await stop();
      const again = await start({ folder: target });
      expect(again.place).toEqual(place);
      await again.stop();

      await rm(place.path, { recursive: true });
      await expect(start({ folder: target })).rejects.toThrow(
        `is a link to ${place.path}, which does not exist`,
      );
    });

    it('runs a copy of the programs when PostgreSQL cannot enter node_modules', async () => {
      const hidden = join(closed, 'package');
      await cp(findPackage(), hidden, { recursive: true, verbatimSymlinks: true });
      const open = join(root, 'programs');
      await mkdir(open);
      await chmod(open, homeMode());
      const account = await chooseAccount(join(open, 'data'));
      const { postgres } = await preparePrograms(hidden, account, open);
      expect(postgres.startsWith(open)).toBe(true);
      const run = () => spawnSync(postgres, ['--version'], { ...account, encoding: 'utf8' }).stdout;
      expect(run()).toMatch(/^postgres \(PostgreSQL\) 18/);
      expect(
        spawnSync(join(hidden, 'native/bin/postgres'), ['--version'], { ...account }).error,
      ).toMatchObject({
        code: 'EACCES',
      });
      expect(await preparePrograms(hidden, account, open)).toMatchObject({ postgres });
    });

    it('is the user who owns the data, or else one who is not root', async () => {
      const data = join(root, 'owned');
      await mkdir(data);
      expect((await chooseAccount(data))?.uid).not.toBe(0);
      await chown(data, 12_345, 54_321);
      expect(await chooseAccount(data)).toEqual({ uid: 12_345, gid: 54_321 });
    });

    it.each([
      ['the owner', 0o100, 12_345, 0, true],
      ['the owner', 0o677, 12_345, 54_321, false],
      ['the group', 0o010, 0, 54_321, true],
      ['the group', 0o707, 0, 54_321, false],
      ['others', 0o001, 0, 0, true],
      ['others', 0o770, 0, 0, false],
    ])('enters a folder as %s with mode %o only if that may be', async (_who, mode, uid, gid, mayEnter) => {
      const entered = await mkdtemp(join(root, 'entered-'));
      await chown(entered, uid, gid);
      await chmod(entered, mode);
      const place = makeFolder(entered, { uid: 12_345, gid: 54_321 }, false);
      if (mayEnter) expect((await place).barrier).toBeNull();
      else await expect(place).rejects.toThrow(`cannot enter ${entered}`);
    });

    it('refuses the start in production before it creates anything', async () => {
      const target = join(closed, 'production');
      await expect(start({ folder: target, mayLink: false })).rejects.toThrow(`cannot enter ${closed}`);
      expect(await readdir(closed)).not.toContain('production');
    });

    it('refuses to abandon data that is in the folder', async () => {
      await mkdir(join(closed, 'old/data'), { recursive: true });
      await expect(start({ folder: join(closed, 'old') })).rejects.toThrow(
        /cannot enter .* it cannot reach the data/,
      );
      expect((await lstat(join(closed, 'old'))).isDirectory()).toBe(true);
    });
  },
);

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, isDurable: false, ...options });
  started.push(server);
  return server;
}

function spawnDriver(target: string, ...args: string[]): ChildProcess {
  const script = fileURLToPath(new URL('embedded-driver.ts', import.meta.url));
  const driver = spawn(process.execPath, ['--import', 'tsx', script, target, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  drivers.push(driver);
  return driver;
}

/** A separate process that has started the server on the shared folder. */
async function drive(...args: string[]): Promise<{ driver: ChildProcess; pid: number }> {
  const driver = spawnDriver(folder, ...args);
  const [line] = driver.stdout === null ? [] : await once(driver.stdout, 'data');
  return { driver, pid: Number(line) };
}

async function query(server: EmbeddedPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

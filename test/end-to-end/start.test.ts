import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { waitForDatabase } from '../../src/platform/database/wait.ts';
import { listen } from '../../src/platform/listen.ts';
import { eventually } from '../support/waiting.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-start-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of src/bin to its end. @returns exit code and what it said to its operator. */
async function run(
  name: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ code: number | null; said: string }> {
  const { child, said } = begin(name, environment);
  const [code] = await once(child, 'close');
  return { code, said: said() };
}

function begin(name: string, environment: NodeJS.ProcessEnv): { child: ChildProcess; said: () => string } {
  const { PATH, HOME } = process.env;
  const script = fileURLToPath(new URL(`../../src/bin/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { PATH, HOME, SLIPWAY_HOME: join(folder, 'home'), PORT: '0', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  return { child, said: () => said };
}

describe('a start is refused with a message and before it creates anything', () => {
  const production = { NODE_ENV: 'production', SLIPWAY_EXECUTOR_RUNTIME: 'process' };

  it('in production without a database', async () => {
    const { code, said } = await run('start', production);
    expect(code).toBe(1);
    expect(said).toMatch(/^DATABASE_URL is required in production\..*SLIPWAY_EMBEDDED=1/);
    expect(existsSync(join(folder, 'home/postgres'))).toBe(false);
  });

  it('in production when nothing says which runtime runs the jobs', async () => {
    const environment = { NODE_ENV: 'production', SLIPWAY_EMBEDDED: '1' };
    for (const name of ['start', 'executor']) {
      const { code, said } = await run(name, environment);
      expect(code).toBe(1);
      expect(said).toMatch(/^SLIPWAY_EXECUTOR_RUNTIME is required in production/);
    }
    expect(existsSync(join(folder, 'home/postgres'))).toBe(false);
  });

  it('with DATABASE_URL and without secrets', async () => {
    const { code, said } = await run('start', { DATABASE_URL: 'postgresql://127.0.0.1:1/none' });
    expect(code).toBe(1);
    expect(said).toMatch(/^SLIPWAY_SECRETS is required/);
  });

  it('when the secret that decrypts the data is missing', async () => {
    mkdirSync(join(folder, 'lost/postgres/data'), { recursive: true });
    const { code, said } = await run('start', { SLIPWAY_HOME: join(folder, 'lost') });
    expect(code).toBe(1);
    expect(said).toMatch(/secrets is missing.*Restore it/);
  });

  it('when its port stays taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' && address ? address.port : 0);
    const { code, said } = await run('start', { PORT: port });
    other.close();
    expect(code).toBe(1);
    expect(said).toBe(
      `Port ${port} of 127.0.0.1 is in use. Stop the process that uses it, or set PORT to another one.\n`,
    );
  });

  it.each([
    ['start', { PORT: 'none' }, 'PORT must be a whole number from 0 to 65535.'],
    [
      'start',
      { SLIPWAY_EXECUTOR_SLOTS: '0' },
      'SLIPWAY_EXECUTOR_SLOTS must be a whole number from 1 to 1000.',
    ],
    [
      'server',
      { DATABASE_URL: 'mysql://host/db' },
      'DATABASE_URL must be a URL such as postgresql://user:password@host:5432/database.',
    ],
    ['scheduler', { LEASE_SECONDS: '-1' }, 'LEASE_SECONDS must be a whole number from 2 to 86400.'],
    ['executor', { SLIPWAY_URL: 'server' }, 'SLIPWAY_URL must be a URL such as https://slipway.example.com.'],
  ] as const)('by %s with %o', async (name, environment, line) => {
    expect(await run(name, environment)).toEqual({ code: 1, said: `${line}\n` });
  });

  it.each(['server', 'scheduler'])('by %s without a database', async (name) => {
    const { code, said } = await run(name, {});
    expect(code).toBe(1);
    expect(said).toMatch(/^DATABASE_URL is required, such as .*\n$/);
  });

  it.each(['start', 'executor'])('by %s where nothing can be written', async (name) => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, said } = await run(name, { SLIPWAY_HOME: join(file, 'home') });
    expect(code).toBe(1);
    expect(said).toMatch(
      /^SLIPWAY_HOME: .*file.* cannot be written to \(ENOTDIR\)\. Set SLIPWAY_HOME to .*\n$/,
    );
  });

  it('when the database refuses the password or does not exist', async () => {
    const { adminUrl } = inject('testServer');
    const changed = (change: (url: URL) => void) => {
      const url = new URL(adminUrl);
      change(url);
      return url.href;
    };
    for (const [url, reason] of [
      [
        changed((one) => {
          one.password = 'wrong';
        }),
        /password authentication failed/,
      ],
      [
        changed((one) => {
          one.pathname = '/nothing';
        }),
        /database "nothing" does not exist/,
      ],
    ] as const)
      await expect(waitForDatabase(url)).rejects.toThrow(reason);
    await expect(waitForDatabase('postgresql://nowhere.invalid/db')).rejects.toThrow(
      /^DATABASE_URL: PostgreSQL at nowhere\.invalid:5432 cannot be used \(getaddrinfo ENOTFOUND/,
    );
  });
});

describe('a database that does not answer', () => {
  it('is reported at once, and the start waits for it', async () => {
    const told: string[] = [];
    const url = 'postgresql://127.0.0.1:1/none';
    const line =
      /^DATABASE_URL: no PostgreSQL answers at 127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)\. Start it, or correct DATABASE_URL\./;
    await expect(
      waitForDatabase(url, { trySeconds: 0.3, tell: (text) => void told.push(text) }),
    ).rejects.toThrow(line);
    expect(told).toEqual([expect.stringMatching(line)]);
  });

  it('is reported by each process that needs it, and each tries again', async () => {
    for (const name of ['start', 'server', 'scheduler']) {
      const { child, said } = begin(name, {
        DATABASE_URL: 'postgresql://127.0.0.1:1/none',
        SLIPWAY_SECRETS: randomBytes(32).toString('hex'),
      });
      await eventually(
        async () => said(),
        (text) => /^DATABASE_URL: no PostgreSQL answers at 127\.0\.0\.1:1 .* Trying for 60 s\.\n$/.test(text),
      );
      child.kill('SIGTERM');
      expect(await once(child, 'close')).toEqual([0, null]);
    }
  });
});

describe('listen', () => {
  it('says which variable is wrong', async () => {
    const failing = (code: string) => {
      const server = createServer();
      server.listen = () => {
        server.emit('error', Object.assign(new Error(code), { code }));
        return server;
      };
      return server;
    };
    const where = { host: '203.0.113.7', port: 80 };
    await expect(listen(failing('EACCES'), where)).rejects.toThrow(
      'PORT: this user cannot listen on port 80. Set PORT to 1024 or more.',
    );
    await expect(listen(failing('EADDRNOTAVAIL'), where)).rejects.toThrow(
      'HOST: 203.0.113.7 is not an address of this machine (EADDRNOTAVAIL). Set HOST to an address such as',
    );
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
  const [code] = await once(child, 'close');
  return { code, said };
}

describe('a start is refused, in words and before anything is made,', () => {
  const production = { NODE_ENV: 'production', SLIPWAY_EXECUTOR_RUNTIME: 'process' };

  it('in production without a database', async () => {
    const { code, said } = await run('start', production);
    expect(code).toBe(1);
    expect(said).toMatch(/^DATABASE_URL is required in production\..*SLIPWAY_EMBEDDED=1/);
    expect(existsSync(join(folder, 'home/postgres'))).toBe(false);
  });

  it('in production without a word on what runs the jobs', async () => {
    const environment = { NODE_ENV: 'production', SLIPWAY_EMBEDDED: '1' };
    for (const name of ['start', 'executor']) {
      const { code, said } = await run(name, environment);
      expect(code).toBe(1);
      expect(said).toMatch(/^SLIPWAY_EXECUTOR_RUNTIME is required in production/);
    }
    expect(existsSync(join(folder, 'home/postgres'))).toBe(false);
  });

  it('on a database of the user without secrets', async () => {
    const { code, said } = await run('start', { DATABASE_URL: 'postgresql://127.0.0.1:1/none' });
    expect(code).toBe(1);
    expect(said).toMatch(/^SLIPWAY_SECRETS is required/);
  });

  it('when the secret that opens the data is gone', async () => {
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
    expect(said).toContain(`Port ${port} of 127.0.0.1 is in use`);
  });
});

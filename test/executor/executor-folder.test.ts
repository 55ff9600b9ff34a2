import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { identifyProcess } from '../../src/platform/process-identity.ts';
import { stopClocks } from '../support/clock.ts';
import { createRoot } from './fixture.ts';

let home: string;
beforeEach(async () => {
  home = await createRoot();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** A module of the executor, as a process with these variables loads it. */
async function load<Name extends 'executor-folder' | 'choose-runtime'>(name: Name, variables: object) {
  vi.unstubAllEnvs();
  for (const [key, value] of Object.entries(variables)) vi.stubEnv(key, value);
  vi.resetModules();
  return await import(`../../src/executor/${name}.ts`);
}
const loadOpen = async (): Promise<() => Promise<{ folder: string; instance: string }>> => {
  const variables = { SLIPWAY_HOME: home, SLIPWAY_EXECUTOR: 'left', DRAIN_SECONDS: '1' };
  return (await load('executor-folder', variables)).openExecutorFolder;
};
const open = async () => (await loadOpen())();

describe('the folder of an executor', () => {
  it('is private, and keeps the id by which the server knows the executor', async () => {
    const { folder, instance } = await open();
    expect(folder).toBe(join(home, 'executors', 'left'));
    expect((await stat(folder)).mode & 0o7777).toBe(0o700);
    expect(instance).toMatch(/^[0-9a-f-]{36}$/);
    expect(await open()).toEqual({ folder, instance });
  });

  it('is refused while another process holds it, after a time in which that could have ended', async () => {
    const holder = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(holder, 'spawn');
    await mkdir(join(home, 'executors', 'left'), { recursive: true });
    const lock = join(home, 'executors', 'left', 'lock.1');
    await writeFile(lock, JSON.stringify(identifyProcess(holder.pid ?? 0)));
    const openNow = await loadOpen();
    const { log } = await import('../../src/platform/log.ts');
    const warnings = vi.spyOn(log, 'warn');
    stopClocks('Date');
    const opening = openNow();
    const refused = expect(opening).rejects.toThrow(
      `an executor named left already runs here (process ${holder.pid})`,
    );
    await new Promise(setImmediate);
    // The time to drain, and ten seconds.
    vi.setSystemTime(Date.now() + 11_001);
    await refused;
    expect(warnings.mock.calls).toEqual([
      [{ executor: 'left', pid: holder.pid }, expect.stringContaining('waiting until it ends')],
    ]);
    const waiting = openNow();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect((await waiting).folder).toContain('left');
  });

  it('is refused at once for another reason', async () => {
    await mkdir(join(home, 'executors', 'left', 'instance'), { recursive: true });
    await expect(open()).rejects.toThrow('EISDIR');
    await rm(join(home, 'executors'), { recursive: true });
    await writeFile(join(home, 'executors'), 'a file');
    await expect(open()).rejects.toThrow('SLIPWAY_HOME: ');
  });
});

describe('the runtime of an executor', () => {
  it.each([
    ['production', '', true],
    ['production', 'process', false],
    ['development', '', false],
  ])('in %s, if it is %j: must be named: %s', async (mode, runtime, isRefused) => {
    const variables = { NODE_ENV: mode, SLIPWAY_EXECUTOR_RUNTIME: runtime };
    const { requireNamedRuntime } = await load('choose-runtime', variables);
    if (isRefused) expect(requireNamedRuntime).toThrow('SLIPWAY_EXECUTOR_RUNTIME is required in production');
    else requireNamedRuntime();
  });
});

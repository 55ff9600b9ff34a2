/** An executor in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../src/executor/host/client.ts';
import { DEFAULT_PATH } from '../../src/executor/host/environment.ts';
import { RunRecords } from '../../src/executor/host/run-records.ts';
import type { Runtime } from '../../src/executor/host/runtime.ts';
import { startWorkLoop, type WorkLoop } from '../../src/executor/host/work-loop.ts';
import { createProcessRuntime } from '../../src/executor/runtimes/process/process-runtime.ts';
import { newId } from '../../src/platform/ids.ts';
import { log } from '../../src/platform/log.ts';
import type { App } from './app.ts';

export interface ExecutorOptions {
  /** The same for all unless given: as processes that follow one another in one folder. */
  readonly instance?: string;
  readonly name?: string;
  readonly slots?: number;
  readonly url?: string;
  readonly runtime?: Runtime;
  readonly drainSeconds?: number;
  readonly onLostContact?: 'continue' | 'stop';
  readonly usageTimes?: { readonly sampleMs: number; readonly reportMs: number };
}

export interface TestExecutor extends WorkLoop {
  readonly folder: string;
}

const ONE_INSTANCE = newId();

export async function startExecutor(app: App, options: ExecutorOptions = {}): Promise<TestExecutor> {
  const {
    name = 'local',
    instance = ONE_INSTANCE,
    slots = 4,
    url = app.url,
    drainSeconds = 10,
    onLostContact = 'continue',
  } = options;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-executor-'));
  const credentialFile = join(folder, 'credential.json');
  writeFileSync(credentialFile, JSON.stringify(app.secrets.executor));
  // More than any machine has, so that tests do not depend on the machine.
  const capacity = { cpuMillis: 1_000_000, memoryBytes: 2 ** 40 };
  const runtime = options.runtime ?? createProcessRuntime({ root: join(folder, 'runs'), capacity });
  const records = new RunRecords(join(folder, 'records'), log);
  const client = createClient({ url, credentialFile, log });
  const loop = await startWorkLoop({
    ...{ client, runtime, records, log, name, instance, pool: 'default', slots, drainSeconds },
    ...{ onLostContact, path: DEFAULT_PATH },
    ...(options.usageTimes ? { usageTimes: options.usageTimes } : {}),
  });
  return {
    folder,
    async stop() {
      await loop.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

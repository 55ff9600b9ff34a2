/** An executor in this process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../src/executor/host/client.ts';
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
  const runtime = options.runtime ?? createProcessRuntime({ root: join(folder, 'runs') });
  const client = createClient({ url, credentialFile, log });
  const loop = await startWorkLoop({
    ...{ client, runtime, log, name, instance, pool: 'default', slots, drainSeconds, onLostContact },
  });
  return {
    folder,
    async stop() {
      await loop.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

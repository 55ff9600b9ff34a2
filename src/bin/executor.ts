import '../platform/plain-faults.ts';
import { join } from 'node:path';
import { chooseRuntime, requireNamedRuntime } from '../executor/choose-runtime.ts';
import { openExecutorFolder } from '../executor/executor-folder.ts';
import { createClient } from '../executor/host/client.ts';
import { DEFAULT_PATH } from '../executor/host/environment.ts';
import { RunRecords } from '../executor/host/run-records.ts';
import { startWorkLoop } from '../executor/host/work-loop.ts';
import { baseConfig } from '../platform/config/base.ts';
import { executorConfig } from '../platform/config/executor.ts';
import { log } from '../platform/log.ts';
import { runProcess } from '../platform/process.ts';

/**
 * Leases jobs over the server's public API and runs them. There can be any number of executors on any machine, each
 * with its own name.
 */
await runProcess('executor', async (ending) => {
  requireNamedRuntime();
  const { url, name, pool, slots, onLostContact } = executorConfig;
  const { credentialFile, drainSeconds } = baseConfig;
  const { folder, instance } = await openExecutorFolder();
  const runtime = await chooseRuntime(join(folder, 'runs'));
  const records = new RunRecords(join(folder, 'records'), log);
  const client = createClient({ url, credentialFile, log });
  const loop = await startWorkLoop({
    ...{ client, runtime, records, log, name, instance, pool, slots, drainSeconds, onLostContact },
    path: executorConfig.path ?? DEFAULT_PATH,
  });
  ending.add(() => loop.stop());
  return {};
});

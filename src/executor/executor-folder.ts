import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseConfig } from '../platform/config/base.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { executorConfig } from '../platform/config/executor.ts';
import { FolderInUseError, lockFolder } from '../platform/folder-lock.ts';
import { newId } from '../platform/ids.ts';
import { inHome } from '../platform/in-home.ts';
import { log } from '../platform/log.ts';

function readOrMakeInstance(file: string): string {
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, newId());
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, 'utf8');
}

/**
 * Creates the folder of this executor's name and locks it for this process. An earlier executor whose process tree was
 * killed may still be ending its runs; we wait for it. The instance is the id by which the server knows this process. A
 * process that starts again in the same folder keeps the instance, because its predecessor is dead.
 *
 * @throws ConfigurationError if another executor with this name continues to work here.
 */
export async function openExecutorFolder(): Promise<{ folder: string; instance: string }> {
  const { name } = executorConfig;
  const folder = join(baseConfig.home, 'executors', name);
  await inHome(() => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const until = Date.now() + (baseConfig.drainSeconds + 10) * 1000;
  for (let isTold = false; ; isTold = true) {
    try {
      await inHome(() => lockFolder(folder));
      return { folder, instance: await inHome(() => readOrMakeInstance(join(folder, 'instance'))) };
    } catch (error) {
      if (!(error instanceof FolderInUseError)) throw error;
      if (Date.now() > until)
        throw new ConfigurationError(
          `SLIPWAY_EXECUTOR: an executor named ${name} already runs here (process ${error.pid}). Set SLIPWAY_EXECUTOR to another name.`,
        );
      if (!isTold)
        log.warn(
          { executor: name, pid: error.pid },
          'another executor on this machine has this name; waiting until it ends',
        );
      await sleep(100);
    }
  }
}

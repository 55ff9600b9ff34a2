import { join } from 'node:path';
import { baseConfig } from '../platform/config/base.ts';
import { ConfigurationError } from '../platform/config/environment.ts';
import { executorConfig } from '../platform/config/executor.ts';
import { type Log, log } from '../platform/log.ts';
import { amountOf } from './host/room.ts';
import type { Runtime } from './host/runtime.ts';
import { connect } from './runtimes/kubernetes/client-node.ts';
import { KubernetesRuntime } from './runtimes/kubernetes/kubernetes-runtime.ts';
import { requireFolder } from './runtimes/kubernetes/kubernetes-settings.ts';
import { createProcessRuntime } from './runtimes/process/process-runtime.ts';
import { SlurmClient } from './runtimes/slurm/slurm-client.ts';
import { SlurmRuntime } from './runtimes/slurm/slurm-runtime.ts';
import { requireSlurmSettings } from './runtimes/slurm/slurm-settings.ts';

/** @throws ConfigurationError in production, if no runtime is chosen. */
export function requireNamedRuntime(): void {
  if (baseConfig.production && executorConfig.runtime === undefined)
    throw new ConfigurationError(
      'SLIPWAY_EXECUTOR_RUNTIME is required in production. `process` runs jobs as the user of the executor, without ' +
        'isolation. Use it only for code that you would run yourself.',
    );
}

type RuntimeName = NonNullable<typeof executorConfig.runtime>;

type Choose = (folder: string, log: Log) => Runtime | Promise<Runtime>;

const runtimes: Readonly<Record<RuntimeName, Choose>> = {
  process(folder) {
    log.warn(
      'jobs run as processes of this user without isolation: they can do everything that this user can',
    );
    const { cpu, memory } = executorConfig;
    return createProcessRuntime({
      root: folder,
      capacity: {
        ...(cpu === undefined ? {} : { cpuMillis: amountOf(cpu, 1000n) }),
        ...(memory === undefined ? {} : { memoryBytes: amountOf(memory, 1n) }),
      },
    });
  },
  slurm(_folder, log) {
    const settings = requireSlurmSettings(executorConfig.slurm);
    const { partition, account } = executorConfig.slurm;
    const client = new SlurmClient(settings.address);
    // Executors with different names can share the folder.
    const root = join(settings.sharedDir, executorConfig.name);
    return new SlurmRuntime({ client, log, root, partition, account });
  },
  async kubernetes(folder, log) {
    const { kubernetes, name: executor } = executorConfig;
    const { api, namespace } = await connect(kubernetes);
    const { namespaces, serviceAccount } = kubernetes;
    return new KubernetesRuntime({
      ...{ api, log, executor, namespaces, serviceAccount },
      ...requireFolder(kubernetes, executor, folder),
      namespace: kubernetes.namespace ?? namespace ?? 'default',
    });
  },
};

/**
 * The configured runtime; `process` if none is chosen.
 *
 * @param folder  the folder for its runs.
 */
export async function chooseRuntime(folder: string): Promise<Runtime> {
  const { runtime: name = 'process' } = executorConfig;
  log.info({ runtime: name }, 'runtime chosen');
  return await runtimes[name](folder, log);
}

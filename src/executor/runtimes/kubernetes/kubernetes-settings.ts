import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../../../platform/config/environment.ts';
import type { KubernetesRuntimeOptions } from './kubernetes-runtime.ts';

interface Given {
  readonly volumeClaim: string | undefined;
  readonly sharedDir: string | undefined;
}

/**
 * Where the directories of runs are, and how pods reach them.
 *
 * @param folder  the executor's own folder, which is used if pods share nothing with it.
 * @throws ConfigurationError if only one of the two settings is there, or if the folder cannot be used.
 */
export function requireFolder(
  { volumeClaim, sharedDir }: Given,
  executor: string,
  folder: string,
): Pick<KubernetesRuntimeOptions, 'root' | 'volume'> {
  if (volumeClaim === undefined && sharedDir === undefined) return { root: folder, volume: null };
  if (volumeClaim === undefined)
    throw new ConfigurationError(
      'KUBERNETES_VOLUME_CLAIM is required with KUBERNETES_SHARED_DIR: the claim of the volume that has this folder.',
    );
  if (sharedDir === undefined)
    throw new ConfigurationError(
      'KUBERNETES_SHARED_DIR is required with KUBERNETES_VOLUME_CLAIM: the folder where the executor sees this volume.',
    );
  requireWritable(sharedDir);
  // Executors with different names can share the volume.
  return {
    root: join(sharedDir, executor),
    volume: { claim: volumeClaim, subPathOf: (runId) => `${executor}/${runId}` },
  };
}

function requireWritable(folder: string): void {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new ConfigurationError(`KUBERNETES_SHARED_DIR: the executor cannot write to ${folder}.`);
  }
  if (!statSync(folder).isDirectory())
    throw new ConfigurationError(`KUBERNETES_SHARED_DIR: ${folder} is not a folder.`);
}

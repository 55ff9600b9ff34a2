import { type AccessLoaders, accessLoaders } from '../access/loaders.ts';
import { type BlobLoaders, blobLoaders } from '../blobs/loaders.ts';
import { type ExecutionLoaders, executionLoaders } from '../executions/loaders.ts';
import { type ExperimentLoaders, experimentLoaders } from '../tracking/experiment-loaders.ts';
import { type IdentityLoaders, identityLoaders } from '../identity/loaders.ts';
import { type JobLoaders, jobLoaders } from '../jobs/loaders.ts';
import { type ModelLoaders, modelLoaders } from '../tracking/model-loaders.ts';
import type { Caller } from '../platform/caller.ts';
import { NO_ID } from '../platform/ids.ts';
import { type Log, log } from '../platform/log.ts';
import { type ProjectLoaders, projectLoaders } from '../projects/loaders.ts';
import { type RegistryLoaders, registryLoaders } from '../registry/loaders.ts';

/** What every resolver and rule is given. Lives as long as one request, or one event of a subscription. */
export interface Context {
  /** Null for a stranger. Replaced when a subscription's caller is looked at again. */
  caller: Caller | null;
  readonly log: Log;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  /** Fires when the caller has gone or the server is stopping. */
  readonly signal: AbortSignal;
  /** How callers reach this server, without a slash at the end. */
  readonly publicUrl: string;
}

export type Loaders = AccessLoaders &
  BlobLoaders &
  ExecutionLoaders &
  ExperimentLoaders &
  IdentityLoaders &
  JobLoaders &
  ModelLoaders &
  ProjectLoaders &
  RegistryLoaders;

export function newLoaders(tenantId: string): Loaders {
  return {
    ...accessLoaders(tenantId),
    ...blobLoaders(),
    ...executionLoaders(tenantId),
    ...experimentLoaders(tenantId),
    ...identityLoaders(tenantId),
    ...jobLoaders(tenantId),
    ...modelLoaders(tenantId),
    ...projectLoaders(tenantId),
    ...registryLoaders(tenantId),
  };
}

export function newContext(request: {
  caller: Caller | null;
  signal: AbortSignal;
  publicUrl: string;
}): Context {
  const { caller, signal, publicUrl } = request;
  return {
    caller,
    signal,
    publicUrl,
    log: caller?.log ?? log,
    // A stranger's loaders find nothing, even where a rule forgot to ask.
    loaders: newLoaders(caller?.tenantId ?? NO_ID),
  };
}

/** The caller of a field whose rule demands one. */
export function callerOf(context: Context): Caller {
  if (!context.caller) throw new Error('a field that needs a caller was reached without one');
  return context.caller;
}

import { type GroupLoaders, groupLoaders } from '../access/group-loaders.ts';
import { type BlobLoaders, blobLoaders } from '../blobs/loaders.ts';
import { type ExecutionLoaders, executionLoaders } from '../executions/loaders.ts';
import { type IdentityLoaders, identityLoaders } from '../identity/loaders.ts';
import { type JobLoaders, jobLoaders } from '../jobs/loaders.ts';
import type { Caller } from '../platform/caller.ts';
import { type Log, log } from '../platform/log.ts';
import { type ProjectLoaders, projectLoaders } from '../projects/loaders.ts';
import { type RegistryLoaders, registryLoaders } from '../registry/loaders.ts';

/** What every resolver and rule is given. Lives as long as one request, or one event of a subscription. */
export interface Context {
  /** Null for a stranger. */
  readonly caller: Caller | null;
  readonly log: Log;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  /** Fires when the caller has gone or the server is stopping. */
  readonly signal: AbortSignal;
  /** How callers reach this server, without a slash at the end. */
  readonly publicUrl: string;
}

export type Loaders = BlobLoaders &
  ExecutionLoaders &
  GroupLoaders &
  IdentityLoaders &
  JobLoaders &
  ProjectLoaders &
  RegistryLoaders;

export function newLoaders(tenantId: string): Loaders {
  return {
    ...blobLoaders(),
    ...executionLoaders(tenantId),
    ...groupLoaders(tenantId),
    ...identityLoaders(tenantId),
    ...jobLoaders(tenantId),
    ...projectLoaders(tenantId),
    ...registryLoaders(tenantId),
  };
}

/** No tenant has this id: a stranger's loaders find nothing, even where a rule forgot to ask. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

export function newContext(request: {
  caller: Caller | null;
  signal: AbortSignal;
  publicUrl: string;
}): Context {
  const { caller } = request;
  return {
    ...request,
    log: caller?.log ?? log,
    loaders: newLoaders(caller?.tenantId ?? NO_TENANT),
  };
}

/** The caller of a field whose rule demands one. */
export function callerOf(context: Context): Caller {
  if (!context.caller) throw new Error('a field that needs a caller was reached without one');
  return context.caller;
}

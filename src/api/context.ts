import type { Context, Loaders } from '../graphql/context.ts';
import type { Caller } from '../platform/caller.ts';
import { NO_ID } from '../platform/ids.ts';
import { log } from '../platform/log.ts';
import { capabilities } from './capabilities.ts';

export function newLoaders(tenantId: string): Loaders {
  return Object.assign({ tenantId }, ...capabilities.map(({ loaders }) => loaders?.(tenantId)));
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
    // Without a caller, the loaders find nothing, even if a rule forgets to check.
    loaders: newLoaders(caller?.tenantId ?? NO_ID),
  };
}

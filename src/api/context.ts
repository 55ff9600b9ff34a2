import type { Reader } from '../authorization/store/readable.ts';
import type { Context, Loaders } from '../graphql/context.ts';
import type { Caller } from '../platform/caller.ts';
import { NO_ID } from '../platform/ids.ts';
import { log } from '../platform/log.ts';
import { capabilities } from './capabilities.ts';

/** Without a caller, the loaders find nothing, even if a rule forgets to check. */
const nobody: Reader = {
  tenantId: NO_ID,
  userId: NO_ID,
  role: 'GUEST',
  defaultLevel: 'NO_PERMISSIONS',
  groupIds: [],
  confinedTo: [],
};

export function newLoaders(caller: Caller | null): Loaders {
  const reader = caller ?? nobody;
  const { tenantId } = reader;
  return Object.assign({ tenantId }, ...capabilities.map(({ loaders }) => loaders?.(reader)));
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
    loaders: newLoaders(caller),
  };
}

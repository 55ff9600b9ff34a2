import type { Caller } from '../platform/caller.ts';
import type { Log } from '../platform/log.ts';

/**
 * The DataLoaders of every capability. Each capability adds its own to this interface, in its `loaders.ts`, and names
 * the function that makes them in its `capability.ts`.
 */
export interface Loaders {
  /** Whose rows the loaders read: the caller's tenant. */
  readonly tenantId: string;
}

/** What every resolver and rule receives. Lives as long as one request, or one event of a subscription. */
export interface Context {
  /** Null for a stranger. Replaced when the caller of a subscription is checked again. */
  caller: Caller | null;
  readonly log: Log;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  /** Fires when the caller has gone or the server stops. */
  readonly signal: AbortSignal;
  /** How callers reach this server, without a slash at the end. */
  readonly publicUrl: string;
}

/** The caller of a field whose rule requires one. */
export function callerOf(context: Context): Caller {
  if (!context.caller) throw new Error('a field that needs a caller was asked without one');
  return context.caller;
}

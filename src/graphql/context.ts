import type { Caller } from '../platform/caller.ts';

/**
 * The DataLoaders of all capabilities. Each capability adds its own loaders to this interface in its `loaders.ts`, and
 * exports the function that creates them in its `capability.ts`.
 */
export interface Loaders {
  /** The caller's tenant: the loaders read only its rows. */
  readonly tenantId: string;
}

/** The context of every resolver and rule. It lives as long as one request or one event of a subscription. */
export interface Context {
  /** Null if the caller is not signed in. Replaced when the caller of a subscription is checked again. */
  caller: Caller | null;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  /** Fires when the client disconnects or the server stops. */
  readonly signal: AbortSignal;
  /** The URL of this server for its callers, without a slash at the end. */
  readonly publicUrl: string;
}

/** The caller of a field whose rule requires one. */
export function callerOf(context: Context): Caller {
  if (!context.caller) throw new Error('a field that needs a caller was asked without one');
  return context.caller;
}

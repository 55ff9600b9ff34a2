import type { Reader } from '../authorization/store/readable.ts';
import type { Context, Loaders } from '../graphql/context.ts';
import type { Caller } from '../platform/caller.ts';
import { NO_ID } from '../platform/ids.ts';
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

/** The loaders of one request. Those of a capability are made when one of them is used, because most requests need few. */
class LoadersOfRequest {
  readonly reader: Reader;
  readonly tenantId: string;
  /** By the place of the capability. */
  readonly made: (Readonly<Record<string, unknown>> | undefined)[] = [];

  constructor(reader: Reader) {
    this.reader = reader;
    this.tenantId = reader.tenantId;
  }
}

capabilities.forEach(({ loaders: make }, at) => {
  if (!make) return;
  for (const name of Object.keys(make(nobody)))
    Object.defineProperty(LoadersOfRequest.prototype, name, {
      get(this: LoadersOfRequest) {
        this.made[at] ??= make(this.reader);
        return this.made[at][name];
      },
    });
});

export const newLoaders = (caller: Caller | null): Loaders =>
  new LoadersOfRequest(caller ?? nobody) as unknown as Loaders;

/** The part of a context that depends on the caller. */
export type ContextOfCaller = Pick<Context, 'caller' | 'loaders'>;

export const contextOf = (caller: Caller | null): ContextOfCaller => ({
  caller,
  loaders: newLoaders(caller),
});

export function newContext(request: {
  caller: Caller | null;
  signal: AbortSignal;
  publicUrl: string;
}): Context {
  return { ...request, ...contextOf(request.caller) };
}

import type { Reader } from '../authorization/store/readable.ts';
import type { Capability } from '../graphql/capability.ts';
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

/** For whom the loaders of a request read. */
const READER = Symbol('reader');

interface ForReader {
  readonly [READER]: Reader;
}

/** Makes the loaders of a capability when a request uses one of them, because most requests need only few. */
const lazyLoaders: object = Object.defineProperties(
  {},
  Object.fromEntries(
    capabilities.flatMap(({ loaders: make }) =>
      make === undefined ? [] : Object.keys(make(nobody)).map((name) => [name, lazyLoader(name, make)]),
    ),
  ),
);

function lazyLoader(name: string, make: NonNullable<Capability['loaders']>): PropertyDescriptor {
  return {
    get(this: ForReader) {
      const made = make(this[READER]);
      Object.defineProperties(this, Object.getOwnPropertyDescriptors(made));
      return made[name as keyof Loaders];
    },
  };
}

export function newLoaders(caller: Caller | null): Loaders {
  const reader = caller ?? nobody;
  return Object.assign(Object.create(lazyLoaders), { tenantId: reader.tenantId, [READER]: reader });
}

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

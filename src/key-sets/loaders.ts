import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { JsonWebKeySet } from '../generated/prisma/client.ts';
import { groupBy } from '../platform/group-by.ts';
import { addressLoader } from '../platform/loaders.ts';
import { type KeyBy, type KeyRow, readKeySets, readKeys, readKeysOfSets, type SetBy } from './store.ts';

export function keySetLoaders({ tenantId }: Reader) {
  return {
    keySet: addressLoader<SetBy, JsonWebKeySet | null>((addresses) => readKeySets(tenantId, addresses)),
    jsonWebKey: addressLoader<KeyBy, KeyRow | null>((addresses) => readKeys(tenantId, addresses)),
    keysOfSet: new DataLoader<string, KeyRow[]>(async (setIds) => {
      const keys = groupBy(await readKeysOfSets(tenantId, setIds), ({ setId }) => setId);
      return setIds.map((id) => keys.get(id) ?? []);
    }),
  };
}

type KeySetLoaders = ReturnType<typeof keySetLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends KeySetLoaders {}
}

import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { JsonWebKeySetType, JsonWebKeyType } from './graphql/json-web-key-set.ts';
import { keySetLoaders } from './loaders.ts';
import { keySetRules } from './rules.ts';
import { keyNodes, keySetNodes } from './store.ts';
import './graphql/key-set-mutations.ts';

export const keySets: Capability = {
  rules: [keySetRules],
  loaders: keySetLoaders,
  nodes: [
    nodeType(JsonWebKeySetType, 'jsonWebKey:read', keySetNodes, (id, { loaders }) =>
      loaders.keySet.load({ id }),
    ),
    nodeType(JsonWebKeyType, 'jsonWebKey:read', keyNodes, (id, { loaders }) =>
      loaders.jsonWebKey.load({ id }),
    ),
  ],
};

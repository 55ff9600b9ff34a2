import { can, type FieldArguments, type Lookup, type ObjectName, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { KeyBy, SetBy } from './store.ts';

const setAt: Lookup = {
  kind: 'json web key set',
  key: (args) => addressText(args['by'] as SetBy),
  lookUp: (args, { loaders }) => loaders.keySet.load(args['by'] as SetBy),
};

const keyAt: Lookup = {
  kind: 'json web key',
  key: (args) => addressText(args['by'] as KeyBy),
  lookUp: (args, { loaders }) => loaders.jsonWebKey.load(args['by'] as KeyBy),
};

const inputIn = (args: FieldArguments) => args['input'] as { set: string; kid?: string | null };

const setOfInput: ObjectName = { kind: 'json web key set', key: (args) => inputIn(args).set };
const keyOfInput: ObjectName = {
  kind: 'json web key',
  key: (args) => `${inputIn(args).set}/${inputIn(args).kid ?? ''}`,
};

export const keySetRules: RootRules = {
  Query: {
    jsonWebKeySet: can('jsonWebKey:read', setAt),
    jsonWebKey: can('jsonWebKey:read', keyAt),
  },
  Mutation: {
    createJsonWebKeySet: can('jsonWebKey:administer', setOfInput),
    updateJsonWebKeySet: can('jsonWebKey:administer', setOfInput),
    updateJsonWebKey: can('jsonWebKey:administer', keyOfInput),
    rotateJsonWebKeySet: can('jsonWebKey:administer', setOfInput),
    deleteJsonWebKey: can('jsonWebKey:administer', keyOfInput),
    deleteJsonWebKeySet: can('jsonWebKey:administer', setOfInput),
    exportJsonWebKey: can('jsonWebKey:export', keyOfInput),
  },
};

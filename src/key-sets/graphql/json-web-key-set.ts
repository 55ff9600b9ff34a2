import type { JsonWebKeySet } from '../../generated/prisma/client.ts';
import type { JsonWebKeyState } from '../../generated/prisma/enums.ts';
import { builder, type Json } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import { addressOf } from '../../graphql/input.ts';
import { NodeInterface } from '../../graphql/node.ts';
import type { KeyUse } from '../domain/algorithms.ts';
import type { KeyBy, KeyRow, SetBy } from '../store.ts';

const JsonWebKeyStateEnum = enumOf<JsonWebKeyState>('JsonWebKeyState', 'What a key is used for now.', {
  NEXT: 'The key is published and verifies, but does not sign yet.',
  CURRENT: 'The key signs. A set has at most one such key of each use and algorithm.',
  RETIRED: 'The key does not sign any more. What it has signed still verifies, until the key is deleted.',
});

export const JsonWebKeyUseEnum = builder.enumType('JsonWebKeyUse', {
  description: 'What a key is for.',
  values: {
    SIG: { value: 'sig' as KeyUse, description: 'For signatures.' },
    ENC: { value: 'enc' as KeyUse, description: 'For encryption.' },
  },
});

export const JsonWebKeyType = builder.objectRef<KeyRow>('JsonWebKey').implement({
  description:
    'A key of a set. The answer that creates the key shows its private part, and so does `exportJsonWebKey`.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    kid: t.exposeString('kid', { description: 'The key id, unique in its set.' }),
    alg: t.exposeString('alg', { description: 'The JOSE algorithm, such as `RS256` or `EdDSA`.' }),
    use: t.field({
      type: JsonWebKeyUseEnum,
      description: 'What the key is for.',
      resolve: ({ use }) => use as KeyUse,
    }),
    state: t.expose('state', { type: JsonWebKeyStateEnum, description: 'What it is used for now.' }),
    publicJwk: t.field({
      type: 'JSON',
      description:
        'The public part, as a JSON Web Key (RFC 7517). A secret key (`oct`) has only its header: `kid`, `alg`, `use` and `kty`.',
      resolve: ({ publicJwk }) => publicJwk as Json,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    activatedAt: t.expose('activatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became CURRENT; null if it never was.',
    }),
    retiredAt: t.expose('retiredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became RETIRED; null if it is not.',
    }),
  }),
});

export const JsonWebKeySetType = builder.objectRef<JsonWebKeySet>('JsonWebKeySet').implement({
  description:
    'A named set of keys. The server keeps sets whose names begin with `slipway.` by itself: they sign its tokens, and they are in the first tenant.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name, unique in the tenant.' }),
    keys: t.field({
      type: [JsonWebKeyType],
      extensions: { listSize: 10 },
      description: 'The keys, at most 100, newest first.',
      resolve: ({ id }, _args, { loaders }) => loaders.keysOfSet.load(id),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the set was created.' }),
  }),
});

const JsonWebKeySetByInput = builder.inputType('JsonWebKeySetByInput', {
  description: 'The address of a set of keys.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The set's id." }),
    name: t.string({ description: "The set's name." }),
  }),
});

const JsonWebKeyKeyInput = builder.inputType('JsonWebKeyKeyInput', {
  description: 'What identifies a key in the tenant.',
  fields: (t) => ({
    set: t.string({ required: true, description: 'The name of the set.' }),
    kid: t.string({ required: true, description: 'The key id.' }),
  }),
});

const JsonWebKeyByInput = builder.inputType('JsonWebKeyByInput', {
  description: 'The address of a key.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The key's id." }),
    key: t.field({ type: JsonWebKeyKeyInput, description: 'The name of the set, and the key id.' }),
  }),
});

builder.queryFields((t) => ({
  jsonWebKeySet: t.field({
    type: JsonWebKeySetType,
    nullable: true,
    description:
      'One set of keys of your tenant, without private parts. Requires an administrator. Null and NOT_FOUND if it does not exist.',
    args: addressOf(JsonWebKeySetByInput, 'set of keys'),
    resolve: (_root, { by }, { loaders }) => loaders.keySet.load(by as SetBy),
  }),
  jsonWebKey: t.field({
    type: JsonWebKeyType,
    nullable: true,
    description:
      'One key of a set of your tenant, without its private part. Requires an administrator. Null and NOT_FOUND if it does not exist.',
    args: addressOf(JsonWebKeyByInput, 'key'),
    resolve: (_root, { by }, { loaders }) => loaders.jsonWebKey.load(by as KeyBy),
  }),
}));

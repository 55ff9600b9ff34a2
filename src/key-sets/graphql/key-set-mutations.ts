import type { JWK } from 'jose';
import type { JsonWebKeySet } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { payload } from '../../graphql/payload.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  ResourceExhaustedError,
} from '../../platform/errors.ts';
import { type CreatedKey, createJsonWebKeySet } from '../commands/create-json-web-key-set.ts';
import { deleteJsonWebKey, deleteJsonWebKeySet } from '../commands/delete-json-web-key-set.ts';
import { exportJsonWebKey } from '../commands/export-json-web-key.ts';
import { rotateJsonWebKeySet } from '../commands/rotate-json-web-key-set.ts';
import { updateJsonWebKey, updateJsonWebKeySet } from '../commands/update-json-web-key-set.ts';
import { JsonWebKeySetType, JsonWebKeyType, JsonWebKeyUseEnum } from './json-web-key-set.ts';

const texts = {
  set: 'The name of the set: 1 to 255 characters. Names that begin with `slipway.` are for sets that the server keeps by itself.',
  anySet: 'The name of the set.',
  kid: 'The key id.',
} as const;

const CreateJsonWebKeySetInput = builder.inputType('CreateJsonWebKeySetInput', {
  description: 'A key to make.',
  fields: (t) => ({
    set: t.string({ required: true, description: texts.set }),
    alg: t.string({
      required: true,
      description:
        'The JOSE algorithm. For signatures: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, HS256, HS384 or HS512. For encryption: RSA-OAEP, RSA-OAEP-256, ECDH-ES or ECDH-ES+A256KW.',
    }),
    use: t.field({ type: JsonWebKeyUseEnum, defaultValue: 'sig', description: 'What the key is for.' }),
    kid: t.string({ description: 'The key id. If it is left out or empty, the server chooses one.' }),
  }),
});

const CreateJsonWebKeySetPayload = builder.objectRef<CreatedKey>('CreateJsonWebKeySetPayload').implement({
  description: 'What `createJsonWebKeySet` answers when it succeeds.',
  fields: (t) => ({
    jsonWebKeySet: t.field({
      type: JsonWebKeySetType,
      description: 'The set after the mutation.',
      resolve: ({ key }, _args, context) => loadSet(key.setId, context),
    }),
    jsonWebKey: t.field({
      type: JsonWebKeyType,
      description: 'The new key.',
      resolve: ({ key }) => key,
    }),
    privateJwk: t.field({
      type: 'JSON',
      description:
        'The whole new key with its private part. Keep it: only `exportJsonWebKey` shows it again.',
      resolve: ({ privateJwk }) => privateJwk,
    }),
  }),
});

async function loadSet(id: string, { loaders }: Context): Promise<JsonWebKeySet> {
  const set = await loaders.keySet.load({ id });
  if (!set) throw new NotFoundError('json web key set', id);
  return set;
}

const UpdateJsonWebKeySetInput = builder.inputType('UpdateJsonWebKeySetInput', {
  description: 'The keys of a set from now on.',
  fields: (t) => ({
    set: t.string({ required: true, description: texts.set }),
    keys: t.field({
      type: ['JSON'],
      required: true,
      description:
        'The keys as JSON Web Keys (RFC 7517), at most 100, newest first. Each has `kid`, `alg` and `kty`; `use` is `sig` if it is left out. They may be public. All other keys of the set are deleted.',
    }),
  }),
});

const UpdateJsonWebKeyInput = builder.inputType('UpdateJsonWebKeyInput', {
  description: 'A key to store in a set.',
  fields: (t) => ({
    set: t.string({ required: true, description: texts.set }),
    kid: t.string({ required: true, description: `${texts.kid} It must be the \`kid\` of the key.` }),
    key: t.field({
      type: 'JSON',
      required: true,
      description: 'The key as a JSON Web Key (RFC 7517). It may be public.',
    }),
  }),
});

const RotateJsonWebKeySetInput = builder.inputType('RotateJsonWebKeySetInput', {
  description: 'A set whose next key begins to sign.',
  fields: (t) => ({
    set: t.string({ required: true, description: texts.anySet }),
    keepRetired: t.int({
      description: 'How many retired keys to keep, the newest ones. If it is left out: all of them.',
    }),
  }),
});

const keyInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      set: t.string({ required: true, description: texts.anySet }),
      kid: t.string({ required: true, description: texts.kid }),
    }),
  });
const DeleteJsonWebKeyInput = keyInput('DeleteJsonWebKeyInput', 'A key to delete.');
const ExportJsonWebKeyInput = keyInput('ExportJsonWebKeyInput', 'A key whose private part is needed.');

const DeleteJsonWebKeySetInput = builder.inputType('DeleteJsonWebKeySetInput', {
  description: 'A set of keys to delete.',
  fields: (t) => ({ set: t.string({ required: true, description: texts.anySet }) }),
});

const UpdateJsonWebKeySetPayload = payload('UpdateJsonWebKeySetPayload', 'jsonWebKeySet', JsonWebKeySetType);
const UpdateJsonWebKeyPayload = payload('UpdateJsonWebKeyPayload', 'jsonWebKey', JsonWebKeyType);
const RotateJsonWebKeySetPayload = payload('RotateJsonWebKeySetPayload', 'jsonWebKeySet', JsonWebKeySetType);

const DeleteJsonWebKeyPayload = builder
  .objectRef<{ readonly deleted: boolean }>('DeleteJsonWebKeyPayload')
  .implement({
    description: 'What `deleteJsonWebKey` answers when it succeeds.',
    fields: (t) => ({
      deleted: t.exposeBoolean('deleted', { description: 'False if there was no such key.' }),
    }),
  });

const DeleteJsonWebKeySetPayload = builder
  .objectRef<{ readonly deletedKeys: number }>('DeleteJsonWebKeySetPayload')
  .implement({
    description: 'What `deleteJsonWebKeySet` answers when it succeeds.',
    fields: (t) => ({
      deletedKeys: t.exposeInt('deletedKeys', {
        description: 'How many keys the set had; 0 if there was no such set.',
      }),
    }),
  });

const ExportJsonWebKeyPayload = builder
  .objectRef<{ readonly privateJwk: JWK }>('ExportJsonWebKeyPayload')
  .implement({
    description: 'What `exportJsonWebKey` answers when it succeeds.',
    fields: (t) => ({
      privateJwk: t.field({
        type: 'JSON',
        description: 'The whole key with its private part.',
        resolve: ({ privateJwk }) => privateJwk,
      }),
    }),
  });

/** Fields that follow read the changed keys. */
async function changing<T>({ loaders }: Context, change: Promise<T>): Promise<T> {
  const result = await change;
  for (const loader of [loaders.keySet, loaders.jsonWebKey, loaders.keysOfSet]) loader.clearAll();
  return result;
}

builder.mutationFields((t) => ({
  createJsonWebKeySet: t.field({
    type: CreateJsonWebKeySetPayload,
    nullable: true,
    description:
      'Makes a key and adds it to a set, which is created if there is none. Requires an administrator. The first key of its use and algorithm is CURRENT. A later one is NEXT: it is published, and signs after `rotateJsonWebKeySet`.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, ResourceExhaustedError] },
    args: inputOf(CreateJsonWebKeySetInput),
    resolve: (_root, { input: { set, alg, use, kid } }, context) =>
      changing(
        context,
        createJsonWebKeySet(callerOf(context), { set, alg, use: use ?? 'sig', kid: kid || null }),
      ),
  }),
  updateJsonWebKeySet: t.field({
    type: UpdateJsonWebKeySetPayload,
    nullable: true,
    description:
      'Replaces all keys of a set by keys of your own; the set is created if there is none. Requires an administrator. The first key of each use and algorithm is CURRENT, the others are RETIRED.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(UpdateJsonWebKeySetInput),
    resolve: async (_root, { input }, context) => ({
      jsonWebKeySet: await changing(context, updateJsonWebKeySet(callerOf(context), input)),
    }),
  }),
  updateJsonWebKey: t.field({
    type: UpdateJsonWebKeyPayload,
    nullable: true,
    description:
      'Stores a key of your own in a set, in place of the key with this `kid` if there is one; the set is created if there is none. Requires an administrator. A key that is replaced keeps its state, unless its use or algorithm changes.',
    errors: { types: [InvalidArgumentError, ResourceExhaustedError] },
    args: inputOf(UpdateJsonWebKeyInput),
    resolve: async (_root, { input }, context) => ({
      jsonWebKey: await changing(context, updateJsonWebKey(callerOf(context), input)),
    }),
  }),
  rotateJsonWebKeySet: t.field({
    type: RotateJsonWebKeySetPayload,
    nullable: true,
    description:
      'Lets the next key of each use and algorithm of a set sign, retires the one that has signed, and publishes a new next key. Requires an administrator; for the sets of the server, an administrator of the first tenant. No token is refused because of it. If no key is NEXT yet, one is published, and nothing else changes.',
    errors: { types: [InvalidArgumentError, NotFoundError, FailedPreconditionError] },
    args: inputOf(RotateJsonWebKeySetInput),
    resolve: async (_root, { input: { set, keepRetired } }, context) => ({
      jsonWebKeySet: await changing(
        context,
        rotateJsonWebKeySet(callerOf(context), { set, keepRetired: keepRetired ?? null }),
      ),
    }),
  }),
  deleteJsonWebKey: t.field({
    type: DeleteJsonWebKeyPayload,
    nullable: true,
    description:
      'Deletes a key of a set. Requires an administrator. What the key has signed does not verify any more. A key that does not exist is no error; a text that cannot be the name of a set is INVALID_ARGUMENT.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteJsonWebKeyInput),
    resolve: async (_root, { input }, context) => ({
      deleted: await changing(context, deleteJsonWebKey(callerOf(context), input)),
    }),
  }),
  deleteJsonWebKeySet: t.field({
    type: DeleteJsonWebKeySetPayload,
    nullable: true,
    description:
      'Deletes a set with all its keys. Requires an administrator. What they have signed does not verify any more. A set that does not exist is no error; a text that cannot be the name of a set is INVALID_ARGUMENT. If the server needs the set itself, it makes new keys.',
    errors: { types: [InvalidArgumentError] },
    args: inputOf(DeleteJsonWebKeySetInput),
    resolve: async (_root, { input }, context) => ({
      deletedKeys: await changing(context, deleteJsonWebKeySet(callerOf(context), input.set)),
    }),
  }),
  exportJsonWebKey: t.field({
    type: ExportJsonWebKeyPayload,
    nullable: true,
    description:
      'Shows the private part of a key. Requires an administrator. The audit log records it. The sets that the server keeps by itself are refused.',
    errors: { types: [NotFoundError, FailedPreconditionError] },
    args: inputOf(ExportJsonWebKeyInput),
    resolve: async (_root, { input }, context) => ({
      privateJwk: await exportJsonWebKey(callerOf(context), input),
    }),
  }),
}));

import type { ObjectRef } from '@pothos/core';
import type { LifecycleStage } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf, type Loaders } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { inputOf } from '../../graphql/input.ts';
import { entriesOf, KeyValueInput, KeyValueType, mapOf } from '../../graphql/key-values.ts';
import { payload } from '../../graphql/payload.ts';
import { PrincipalType } from '../../identity/graphql/user.ts';
import { addressText } from '../../platform/address-text.ts';
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../platform/errors.ts';
import { withArticle } from '../../platform/text.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import { getProject } from '../../projects/loaders.ts';
import type { Lifecycle, TrackedKey, TrackedRow } from '../commands/lifecycle.ts';

/** For experiments, runs and registered models. */
export const LifecycleStageEnum = enumOf<LifecycleStage>(
  'LifecycleStage',
  'Whether an experiment, a run or a registered model is deleted.',
  {
    ACTIVE: 'The object is in use.',
    DELETED: 'The object is deleted and can be restored. It keeps its name, its grants and its contents.',
  },
);

export const LifecycleFilterEnum = enumOf<LifecycleStage | 'ALL'>(
  'LifecycleFilter',
  'Which stages a list shows.',
  {
    ACTIVE: 'Only objects that are in use.',
    DELETED: 'Only objects that are deleted.',
    ALL: 'Objects that are in use and objects that are deleted.',
  },
);

/** @returns null for all stages. */
export const stageOf = (filter: LifecycleStage | 'ALL' | null | undefined): LifecycleStage | null =>
  filter === 'ALL' ? null : (filter ?? 'ACTIVE');

type Schema = typeof builder.$inferSchemaTypes;

/** An address, as it arrives. */
export type TrackedBy = { readonly id: string } | { readonly key: TrackedKey };

/** One of the kinds with the common lifecycle: see ../commands/lifecycle.ts. */
interface Noun<Row extends TrackedRow> {
  /** The name in fields: `experiment`. */
  readonly field: string;
  /** The name in operations and types: `Experiment`. */
  readonly name: string;
  /** The name for people. */
  readonly words: 'experiment' | 'registered model';
  /** What can be read together with it: `its runs`. */
  readonly contents: string;
  readonly nameForm: string;
  readonly type: ObjectRef<Schema, Row>;
  readonly by: ReturnType<typeof trackedBy>;
  readonly commands: Lifecycle<Row>;
  find(by: TrackedBy, loaders: Loaders): Promise<Row | null>;
  /** Clears what the request has cached about them, because they are about to change. */
  forget(loaders: Loaders): void;
}

/** The address of an object of this kind. */
export function trackedBy(name: string, words: string) {
  const key = builder.inputType(`${name}KeyInput`, {
    description: `What identifies ${words}.`,
    fields: (t) => ({
      project: t.string({ required: true, description: "The project's identifier." }),
      name: t.string({ required: true, description: 'The name, which is unique in the project.' }),
    }),
  });
  return builder.inputType(`${name}ByInput`, {
    description: `The address of ${words}. To find a public one of another tenant, use the id.`,
    isOneOf: true,
    fields: (t) => ({
      id: t.id({ description: 'The id. It never changes.' }),
      key: t.field({ type: key, description: 'Its project and name.' }),
    }),
  });
}

/** The fields and mutations that all kinds have. */
export function offerLifecycle<Row extends TrackedRow>(noun: Noun<Row>) {
  offerFields(noun);

  /** The object that the rule has checked, even if another object has its name now. */
  async function addressed(by: object, { loaders }: Context, path = ['input', 'by']): Promise<Row> {
    const row = await noun.find(by as TrackedBy, loaders);
    if (!row) throw new NotFoundError(noun.words, addressText(by), path);
    return row;
  }

  /** The answer of a command. It also clears what the request has cached. */
  async function changed(work: Promise<Row>, { loaders }: Context) {
    try {
      return { [noun.field]: await work };
    } finally {
      noun.forget(loaders);
    }
  }

  const payloadOf = (verb: string, what = '') =>
    payload(`${verb}${noun.name}${what}Payload`, noun.field, noun.type);

  const byField = (t: PothosSchemaTypes.InputFieldBuilder<Schema, 'InputObject'>) =>
    t.field({ type: noun.by, required: true, description: `Which ${noun.words}.` });

  const onlyBy = (verb: string) =>
    builder.inputType(`${verb}${noun.name}Input`, {
      description: `The ${noun.words} to ${verb.toLowerCase()}.`,
      fields: (t) => ({ by: byField(t) }),
    });

  offerCreate();
  offerUpdate();
  offerTags();
  offerRestore();
  offerPublishing();
  return { addressed, changed, onlyBy, byField, payloadOf };

  function offerCreate(): void {
    const type = builder.inputType(`Create${noun.name}Input`, {
      description: `The ${noun.words} to create.`,
      fields: (t) => ({
        project: t.string({
          required: true,
          description: 'The identifier of the project that it belongs to.',
        }),
        name: t.string({ required: true, description: noun.nameForm }),
        description: t.string({ defaultValue: '', description: 'The purpose, at most 5000 characters.' }),
        tags: t.field({
          type: [KeyValueInput],
          defaultValue: [],
          description: 'At most 100 tags, with keys of 1 to 250 characters and values of at most 5000.',
        }),
      }),
    });
    builder.mutationField(`create${noun.name}`, (t) =>
      t.field({
        type: payloadOf('Create'),
        nullable: true,
        description: `Creates ${withArticle(noun.words)}, and grants you MANAGE on it. Requires READ or EDIT on the project, as the creation policy of the tenant says.`,
        errors: { types: [InvalidArgumentError, AlreadyExistsError] },
        args: inputOf(type),
        resolve: async (_root, { input }, context) => {
          const { name, description, tags } = input;
          const project = await getProject(input.project, context.loaders);
          const given = {
            name,
            description: description ?? '',
            tags: mapOf(tags ?? [], ['input', 'tags']),
          };
          return await changed(noun.commands.create(callerOf(context), project, given), context);
        },
      }),
    );
  }

  function offerUpdate(): void {
    const type = builder.inputType(`Update${noun.name}Input`, {
      description: `The changes of ${withArticle(noun.words)}. Fields that are left out do not change.`,
      fields: (t) => ({
        by: byField(t),
        name: t.string({ description: 'The new name. The grants do not change.' }),
        description: t.string({ description: 'The new description, at most 5000 characters.' }),
      }),
    });
    builder.mutationField(`update${noun.name}`, (t) =>
      t.field({
        type: payloadOf('Update'),
        nullable: true,
        description: `Changes the name or the description of ${withArticle(noun.words)}. Requires EDIT on it.`,
        errors: { types: [InvalidArgumentError, AlreadyExistsError, FailedPreconditionError] },
        args: inputOf(type),
        resolve: async (_root, { input }, context) => {
          const { by, name = null, description = null } = input;
          const row = await addressed(by, context);
          return await changed(noun.commands.update(callerOf(context), row, { name, description }), context);
        },
      }),
    );
  }

  function offerTags(): void {
    const updateType = builder.inputType(`Update${noun.name}TagsInput`, {
      description: `Tags to add to ${withArticle(noun.words)}.`,
      fields: (t) => ({
        by: byField(t),
        tags: t.field({
          type: [KeyValueInput],
          required: true,
          description:
            'The tags to add. A tag replaces an existing tag with the same key. Other tags do not change.',
        }),
      }),
    });
    builder.mutationField(`update${noun.name}Tags`, (t) =>
      t.field({
        type: payloadOf('Update', 'Tags'),
        nullable: true,
        description: `Adds tags to ${withArticle(noun.words)}, or changes their values. Requires EDIT on it.`,
        errors: { types: [InvalidArgumentError, FailedPreconditionError] },
        args: inputOf(updateType),
        resolve: async (_root, { input }, context) => {
          const tags = mapOf(input.tags, ['input', 'tags']);
          const { id } = await addressed(input.by, context);
          return await changed(noun.commands.updateTags(id, tags), context);
        },
      }),
    );
    const deleteType = builder.inputType(`Delete${noun.name}TagsInput`, {
      description: `Tags to remove from ${withArticle(noun.words)}.`,
      fields: (t) => ({
        by: byField(t),
        keys: t.stringList({
          required: true,
          description: 'The keys of the tags. Keys that do not exist are ignored.',
        }),
      }),
    });
    builder.mutationField(`delete${noun.name}Tags`, (t) =>
      t.field({
        type: payloadOf('Delete', 'Tags'),
        nullable: true,
        description: `Removes tags from ${withArticle(noun.words)}. Requires EDIT on it.`,
        errors: { types: [InvalidArgumentError, FailedPreconditionError] },
        args: inputOf(deleteType),
        resolve: async (_root, { input }, context) => {
          const { id } = await addressed(input.by, context);
          return await changed(noun.commands.deleteTags(id, input.keys), context);
        },
      }),
    );
  }

  function offerRestore(): void {
    builder.mutationField(`restore${noun.name}`, (t) =>
      t.field({
        type: payloadOf('Restore'),
        nullable: true,
        description: `Restores a deleted ${noun.words}. Requires MANAGE on it.`,
        errors: { types: [FailedPreconditionError] },
        args: inputOf(onlyBy('Restore')),
        resolve: async (_root, { input }, context) => {
          const { id } = await addressed(input.by, context);
          return await changed(noun.commands.restore(id), context);
        },
      }),
    );
  }

  function offerPublishing(): void {
    builder.mutationField(`publish${noun.name}`, (t) =>
      t.field({
        type: payloadOf('Publish'),
        nullable: true,
        description: `Lets every user of every tenant read ${withArticle(noun.words)}, ${noun.contents} and its project's identifier. Requires MANAGE on it. While it is public, nobody can change it.`,
        errors: { types: [FailedPreconditionError] },
        args: inputOf(onlyBy('Publish')),
        resolve: async (_root, { input }, context) => {
          const { id } = await addressed(input.by, context);
          return await changed(noun.commands.publish(callerOf(context), id, new Date()), context);
        },
      }),
    );
    builder.mutationField(`unpublish${noun.name}`, (t) =>
      t.field({
        type: payloadOf('Unpublish'),
        nullable: true,
        description: `Makes a public ${noun.words} private again. Requires MANAGE on it. NOT_FOUND if it belongs to another tenant.`,
        errors: { types: [FailedPreconditionError] },
        args: inputOf(onlyBy('Unpublish')),
        resolve: async (_root, { input }, context) => {
          const { id } = await addressed(input.by, context);
          return await changed(noun.commands.unpublish(callerOf(context), id), context);
        },
      }),
    );
  }
}

function offerFields<Row extends TrackedRow>({ type, field, words, contents }: Noun<Row>): void {
  builder.objectFields(type as unknown as ObjectRef<Schema, TrackedRow>, (t) => ({
    id: t.exposeID('id', {
      description: `A UUIDv7 that is unique across all types. \`${field}\` finds the ${words} by it.`,
    }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project; null if it is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (row: TrackedRow, { loaders }) => loaders.project.load({ id: row.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
    }),
    name: t.exposeString('name', { description: 'The name, unique in the project.' }),
    description: t.exposeString('description', { description: 'The purpose, for people. It may be empty.' }),
    tags: t.field({
      type: [KeyValueType],
      extensions: { listSize: 10 },
      description: 'Its tags, at most 100.',
      resolve: ({ tags }) => entriesOf(tags),
    }),
    publicAt: t.expose('publicAt', {
      type: 'DateTime',
      nullable: true,
      description: `When it was made public; null if it is private. Every user of every tenant can read a public ${words} with ${contents}. Nobody can change it.`,
    }),
    createdBy: t.field({
      type: PrincipalType,
      nullable: true,
      description: 'The user who created it.',
      resolve: ({ createdById }, _args, { loaders }) => loaders.publicUser.load(createdById),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When it last changed. Changes of objects in it do not count.',
    }),
  }));
}

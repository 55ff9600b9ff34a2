import type { DescriptionFormat } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { guardedEdge } from '../../graphql/guarded-edge.ts';
import { addressOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { NodeInterface } from '../../graphql/node.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { ProjectType } from '../../projects/graphql/project.ts';
import type { Description } from '../domain/description.ts';
import { nameTarget } from '../domain/targets.ts';
import {
  countDescriptions,
  type DescribedType,
  type DescriptionBy,
  type DescriptionRow,
  descriptionOrder,
  listDescriptions,
} from '../store/descriptions.ts';

const DescribedTypeEnum = enumOf<DescribedType>('DescribedType', 'What a description is about.', {
  TASK: 'A version of a task.',
  WORKFLOW: 'A version of a workflow.',
});

const DescriptionFormatEnum = enumOf<DescriptionFormat>(
  'DescriptionFormat',
  'The markup of a long description.',
  {
    UNKNOWN: 'The format is not known. Show it as plain text.',
    MARKDOWN: 'Markdown, as CommonMark defines it.',
    HTML: 'HTML. It comes from a user, so clean it before you show it.',
    RST: 'The markup of Docutils: reStructuredText.',
  },
);

const LongDescriptionType = builder.objectRef<DescriptionRow>('LongDescription').implement({
  description: 'A long description: the text itself, or where it is.',
  fields: (t) => ({
    value: t.exposeString('longText', {
      nullable: true,
      description: 'The text, at most 4096 bytes; null if it is behind a URI.',
    }),
    uri: t.exposeString('longUri', {
      nullable: true,
      description: 'Where the text is; null if it is here. The server has not checked the URI.',
    }),
    format: t.expose('longFormat', {
      type: DescriptionFormatEnum,
      description: 'The markup of the text.',
    }),
    iconLink: t.exposeString('iconLink', {
      description: 'A link to an icon. It may be empty. The server has not checked it.',
    }),
  }),
});

const SourceCodeType = builder.objectRef<DescriptionRow>('SourceCode').implement({
  description: 'Where the source code of a task or workflow is.',
  fields: (t) => ({
    link: t.exposeString('sourceLink', {
      description: 'A link to the source code. The server has not checked it.',
    }),
  }),
});

export const DescriptionEntityType = builder.objectRef<DescriptionRow>('DescriptionEntity').implement({
  description: 'What one version of a task or workflow says about itself. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    type: t.expose('type', { type: DescribedTypeEnum, description: 'What it is about.' }),
    project: t.field({
      type: ProjectType,
      nullable: true,
      description: 'The project of the version; null if the project is hidden from you.',
      resolve: guardedEdge(
        'project:read',
        (description, { loaders }) => loaders.project.load({ id: description.projectId }),
        projectTarget,
      ),
    }),
    projectIdentifier: t.exposeString('project', {
      description: 'The identifier of the project. It is shown even if the project is hidden from you.',
    }),
    domain: t.exposeString('domain', {
      description: 'The domain of the version, such as `development`.',
    }),
    name: t.exposeString('name', { description: 'The name of the task or workflow.' }),
    version: t.exposeString('version', { description: 'The version that it describes.' }),
    shortDescription: t.exposeString('shortDescription', {
      description: 'The description in at most 300 characters. It may be empty.',
    }),
    longDescription: t.field({
      type: LongDescriptionType,
      nullable: true,
      description: 'The description in full; null if there is none.',
      resolve: (row) => (row.longText === null && row.longUri === null ? null : row),
    }),
    sourceCode: t.field({
      type: SourceCodeType,
      nullable: true,
      description: 'Where the source code is; null if the version does not say.',
      resolve: (row) => (row.sourceLink === '' ? null : row),
    }),
    tags: t.stringList({
      description: 'Words to find it by, at most 16.',
      resolve: (row) => [...row.tags],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was registered.' }),
  }),
});

const DescriptionEntityConnection = connectionType(DescriptionEntityType);

/** The description of a version of a task or workflow. */
export const descriptionOf = guardedEdge<{ readonly id: string }, DescriptionRow>(
  'descriptionEntity:read',
  ({ id }, { loaders }) => loaders.descriptionOfVersion.load(id),
  nameTarget,
);

const DescriptionEntityKeyInput = builder.inputType('DescriptionEntityKeyInput', {
  description: 'The version that a description is about.',
  fields: (t) => ({
    type: t.field({ type: DescribedTypeEnum, required: true, description: 'What it is about.' }),
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the project, such as `development`.' }),
    name: t.string({ required: true, description: 'The name of the task or workflow.' }),
    version: t.string({ required: true, description: 'Which version of the task or workflow.' }),
  }),
});

const DescriptionEntityByInput = builder.inputType('DescriptionEntityByInput', {
  description: 'The address of a description.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The id of the description.' }),
    key: t.field({ type: DescriptionEntityKeyInput, description: 'The version that it is about.' }),
  }),
});

const DescriptionEntityFilterInput = builder.inputType('DescriptionEntityFilterInput', {
  description: 'Which descriptions a list shows: the descriptions that meet all of these conditions.',
  fields: (t) => ({
    type: t.field({ type: DescribedTypeEnum, required: true, description: 'Only descriptions of these.' }),
    project: t.string({
      required: true,
      description: 'Only descriptions in the project with this identifier.',
    }),
    domain: t.string({ required: true, description: 'Only descriptions in this domain.' }),
    name: t.string({ description: 'Only descriptions of the versions with this name.' }),
  }),
});

builder.queryFields((t) => ({
  descriptionEntity: t.field({
    type: DescriptionEntityType,
    nullable: true,
    description:
      'The description of one version of a task or workflow. Null and NOT_FOUND if the version has none, does not exist, or is hidden from you.',
    args: addressOf(DescriptionEntityByInput, 'description'),
    resolve: (_root, { by }, { loaders }) => loaders.description.load(by as DescriptionBy),
  }),
  descriptionEntities: t.connection(
    {
      type: DescriptionEntityType,
      description:
        'The descriptions of versions of tasks or workflows that you may read, newest first. Versions without a description are left out.',
      args: {
        filter: t.arg({
          type: DescriptionEntityFilterInput,
          required: true,
          description: 'Which descriptions to list.',
        }),
      },
      resolve: (_root, { filter, ...args }, context) => {
        const caller = callerOf(context);
        return pagedList(
          args,
          descriptionOrder,
          (page) => listDescriptions(caller, filter, page),
          () => countDescriptions(caller, filter),
        );
      },
    },
    DescriptionEntityConnection,
  ),
}));

const LongDescriptionInput = builder.inputType('LongDescriptionInput', {
  description: 'A long description. Give either `value` or `uri`.',
  fields: (t) => ({
    value: t.string({ description: 'The text, at most 4096 bytes.' }),
    uri: t.string({ description: 'Where the text is, at most 2048 characters.' }),
    format: t.field({
      type: DescriptionFormatEnum,
      defaultValue: 'UNKNOWN',
      description: 'The markup of the text.',
    }),
    iconLink: t.string({
      defaultValue: '',
      description: 'A link to an icon, at most 2048 characters.',
    }),
  }),
});

const SourceCodeInput = builder.inputType('SourceCodeInput', {
  description: 'Where the source code of a task or workflow is.',
  fields: (t) => ({
    link: t.string({
      required: true,
      description: 'A link to the source code, at most 2048 characters.',
    }),
  }),
});

export const DescriptionInput = builder.inputType('DescriptionInput', {
  description:
    "What a version says about itself. It is not compared when the version is registered again. Source: Flyte's DescriptionEntity.",
  fields: (t) => ({
    shortDescription: t.string({
      defaultValue: '',
      description:
        'The description in at most 300 characters. It is the short description of the version too, so give it in one of the two places.',
    }),
    longDescription: t.field({ type: LongDescriptionInput, description: 'The description in full.' }),
    sourceCode: t.field({ type: SourceCodeInput, description: 'Where the source code is.' }),
    tags: t.stringList({
      defaultValue: [],
      description: 'Words to find it by, at most 16 with 1 to 63 characters.',
    }),
  }),
});

export function descriptionFrom(
  input: typeof DescriptionInput.$inferInput | null | undefined,
): Description | null {
  if (!input) return null;
  const { shortDescription, longDescription: long, sourceCode, tags } = input;
  return {
    shortDescription: shortDescription ?? '',
    longDescription: long
      ? {
          value: long.value ?? null,
          uri: long.uri ?? null,
          format: long.format ?? 'UNKNOWN',
          iconLink: long.iconLink ?? '',
        }
      : null,
    sourceLink: sourceCode?.link ?? '',
    tags: tags ?? [],
  };
}

import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import { builder } from '../../graphql/builder.ts';
import type { Context } from '../../graphql/context.ts';
import { guardedList, type ListInside } from '../../graphql/guarded-edge.ts';
import type { PageArguments } from '../../graphql/keyset.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { type SortedVersion, type VersionFilter, versionOrder } from '../store/version-lists.ts';
import { orderArgument } from './version-lists.ts';

/** The key of a version, in arguments. */
export const EntityKeyInput = builder.inputType('EntityKeyInput', {
  description: 'What identifies one version of a task, workflow or launch plan.',
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the project, such as `development`.' }),
    name: t.string({
      required: true,
      description:
        'The name that all versions share, at most 255 characters. It may contain dots and slashes.',
    }),
    version: t.string({
      required: true,
      description: 'The version. The user who registers it chooses it freely.',
    }),
  }),
});

/** The parts of a key that a version holds itself. */
export const keyFieldsOf = ({ domain, name, version }: Omit<EntityKey, 'project'>) => ({
  domain,
  name,
  version,
});

/** The key of a version, in answers. */
export const EntityKeyType = builder.objectRef<EntityKey>('EntityKey').implement({
  description: 'What identifies one version of a task, workflow or launch plan.',
  fields: (t) => ({
    project: t.exposeString('project', { description: "The project's identifier." }),
    domain: t.exposeString('domain', { description: 'The domain of the project, such as `development`.' }),
    name: t.exposeString('name', { description: 'The name that all versions share.' }),
    version: t.exposeString('version', { description: 'The version, unique among those with this name.' }),
  }),
});

export const EntityNameInput = builder.inputType('EntityNameInput', {
  description: 'The part of the key that all versions of a task, workflow or launch plan share.',
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the project, such as `development`.' }),
    name: t.string({ required: true, description: 'The name that all versions share.' }),
  }),
});

const versionBy = (name: string, noun: string) =>
  builder.inputType(name, {
    description: `The address of one version of a ${noun}.`,
    isOneOf: true,
    fields: (t) => ({
      id: t.id({ description: 'The id of the version.' }),
      key: t.field({ type: EntityKeyInput, description: 'Its project, domain, name and version.' }),
    }),
  });

export const TaskByInput = versionBy('TaskByInput', 'task');
export const WorkflowByInput = versionBy('WorkflowByInput', 'workflow');
export const LaunchPlanByInput = versionBy('LaunchPlanByInput', 'launch plan');

const InnerVersionFilterInput = builder.inputType('InnerVersionFilterInput', {
  description:
    'Which versions a list inside of a project or a workflow shows: the versions that meet all of these conditions.',
  fields: (t) => ({
    domain: t.string({ description: 'Only versions in this domain.' }),
    name: t.string({ description: 'Only versions with this name.' }),
  }),
});

export const innerListArguments = {
  ...builder.args((t) => ({
    filter: t.field({
      type: InnerVersionFilterInput,
      description: 'Which versions to list. If left out: all.',
    }),
  })),
  ...orderArgument,
};

export interface InnerListArguments extends PageArguments {
  readonly filter?: typeof InnerVersionFilterInput.$inferInput | null;
  readonly orderBy?: VersionFilter['orderBy'];
}

/** A list of versions inside of a project or a workflow. */
export const versionsIn = <Parent, Row extends SortedVersion>(
  permission: Permission,
  targetOf: (parent: Parent) => Target,
  listOf: (context: Context) => ListInside<VersionFilter, Row>,
) =>
  guardedList(
    permission,
    targetOf,
    listOf,
    versionOrder,
    ({ filter, orderBy }: InnerListArguments): VersionFilter => ({ ...filter, orderBy }),
  );

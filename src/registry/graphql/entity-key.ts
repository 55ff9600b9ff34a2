import { builder } from '../../graphql/builder.ts';

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

export const VersionFilterInput = builder.inputType('VersionFilterInput', {
  description: 'Which versions a list shows: the versions that meet all of these conditions.',
  fields: (t) => ({
    project: t.string({ required: true, description: 'Only versions in the project with this identifier.' }),
    domain: t.string({ required: true, description: 'Only versions in this domain.' }),
    name: t.string({ description: 'Only versions with this name.' }),
  }),
});

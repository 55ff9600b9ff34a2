import { builder } from '../../graphql/builder.ts';

/** How versions are addressed in arguments. */
export const EntityKeyInput = builder.inputType('EntityKeyInput', {
  description: 'What identifies one version of a task, workflow or launch plan.',
  fields: (t) => ({
    project: t.string({ required: true, description: "The project's identifier." }),
    domain: t.string({ required: true, description: 'The domain of the project, such as `development`.' }),
    name: t.string({
      required: true,
      description: 'The name that all versions share: at most 255 characters, dots and slashes included.',
    }),
    version: t.string({
      required: true,
      description: 'The version, which the one who registers it chooses.',
    }),
  }),
});

export const EntityNameInput = builder.inputType('EntityNameInput', {
  description: 'What all versions of a task, workflow or launch plan have in common.',
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
  description: 'Which versions a list shows: those that meet every condition given.',
  fields: (t) => ({
    project: t.string({ required: true, description: 'Only versions in the project of this identifier.' }),
    domain: t.string({ required: true, description: 'Only versions in this domain.' }),
    name: t.string({ description: 'Only versions of this name.' }),
  }),
});

import { builder } from '../../graphql/builder.ts';

/** How versions are addressed in arguments. */
export const EntityKeyInput = builder.inputType('EntityKeyInput', {
  description: 'What names a version of a task, workflow or launch plan.',
  fields: (t) => ({
    project: t.string({
      required: true,
      description: "The project's identifier.",
    }),
    domain: t.string({ required: true }),
    name: t.string({
      required: true,
      description: 'Free text of at most 255 characters; dots and slashes occur.',
    }),
    version: t.string({ required: true }),
  }),
});

export const EntityNameInput = builder.inputType('EntityNameInput', {
  description: 'What all versions of a task, workflow or launch plan share.',
  fields: (t) => ({
    project: t.string({ required: true }),
    domain: t.string({ required: true }),
    name: t.string({ required: true }),
  }),
});

const versionBy = (name: string, noun: string) =>
  builder.inputType(name, {
    description: `Which version of a ${noun}.`,
    isOneOf: true,
    fields: (t) => ({ id: t.id(), key: t.field({ type: EntityKeyInput }) }),
  });

export const TaskByInput = versionBy('TaskBy', 'task');
export const WorkflowByInput = versionBy('WorkflowBy', 'workflow');
export const LaunchPlanByInput = versionBy('LaunchPlanBy', 'launch plan');

export const VersionFilterInput = builder.inputType('VersionFilter', {
  description: 'Versions of one project and domain.',
  fields: (t) => ({
    project: t.string({ required: true }),
    domain: t.string({ required: true }),
    name: t.string({ description: 'Only versions of this name.' }),
  }),
});

import { can, type RootRules } from '../graphql/rules.ts';
import { ofProject } from '../projects/rules.ts';

/** The project decides about all scopes in it, because a workflow may get attributes before it exists. */
const ofKey = ofProject(({ key }: { key: { project: string } }) => key.project);
const ofInput = ofProject(({ input }: { input: { project: string } }) => input.project);

const read = can('attributes:read', ofKey);
const update = can('attributes:update', ofInput);

export const attributeRules: RootRules = {
  Query: {
    projectAttributes: read,
    projectDomainAttributes: read,
    workflowAttributes: read,
    matchableAttributes: can('attributes:list'),
  },
  Mutation: {
    updateProjectAttributes: update,
    updateProjectDomainAttributes: update,
    updateWorkflowAttributes: update,
    deleteProjectAttributes: update,
    deleteProjectDomainAttributes: update,
    deleteWorkflowAttributes: update,
  },
};

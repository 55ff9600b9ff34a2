import { can, canOnSome, type RootRules } from '../graphql/rules.ts';
import { ofProject } from '../projects/rules.ts';

export const retentionRules: RootRules = {
  Query: {
    retention: can(
      'retention:read',
      ofProject(({ project }: { project: string }) => project),
    ),
    retentionReport: can('retention:report'),
  },
  Mutation: {
    // The command asks for each execution.
    deleteExecutions: canOnSome('execution:delete'),
    updateRetention: can(
      'retention:update',
      ofProject(({ input }: { input: { project: string } }) => input.project),
    ),
  },
};

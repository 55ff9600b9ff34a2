import { canOnSome, type RootRules } from '../graphql/rules.ts';

export const retentionRules: RootRules = {
  Mutation: {
    // The command asks for each execution.
    deleteExecutions: canOnSome('execution:delete'),
  },
};

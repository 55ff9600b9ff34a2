import { can, type Lookup, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import type { ExecutorBy } from './store/executors.ts';

const executorAt = (by: (args: never) => ExecutorBy): Lookup => ({
  kind: 'executor',
  key: (args) => addressText(by(args as never)),
  lookUp: async (args, { loaders }) => {
    const executor = await loaders.executor.load(by(args as never));
    return executor && { id: executor.id };
  },
});

interface NameInput {
  readonly input: { readonly name: string };
}

interface NodeInput {
  readonly input: { readonly executor: string };
}

/** Settings can be there before their executor. */
const named = { kind: 'executor', key: (args: object) => (args as NameInput).input.name } as const;

const ofNode = executorAt(({ input: { executor } }: NodeInput) => ({ name: executor }));

export const executorRules: RootRules = {
  Query: {
    executor: can(
      'executor:read',
      executorAt(({ by }: { by: ExecutorBy }) => by),
    ),
    executors: can('executor:read'),
  },
  Mutation: {
    upsertExecutorSettings: can('executor:administer', named),
    cordonNode: can('executor:administer', ofNode),
    uncordonNode: can('executor:administer', ofNode),
  },
};

import { can, type Finder, type RootRules } from '../graphql/rules.ts';
import { addressText } from '../platform/address-text.ts';
import { projectTarget } from './domain/targets.ts';
import type { ProjectBy } from './store.ts';

/** The project of the address `by`. */
export const ofProjectBy = (by: (args: never) => ProjectBy): Finder => ({
  kind: 'project',
  key: (args) => addressText(by(args as never)),
  target: async (args, { loaders }) => {
    const project = await loaders.project.load(by(args as never));
    return project && projectTarget(project);
  },
});

/** The project with the identifier in an input. */
export const ofProject = (identifier: (args: never) => string): Finder =>
  ofProjectBy((args) => ({ identifier: identifier(args) }));

export const projectRules: RootRules = {
  Query: {
    project: can(
      'project:read',
      ofProjectBy((args: { by: ProjectBy }) => args.by),
    ),
    projects: can('project:list'),
    domains: can('project:list'),
  },
  Mutation: {
    registerProject: can('project:register', {
      kind: 'project',
      key: (args) => (args['input'] as { identifier: string }).identifier,
    }),
    updateProject: can(
      'project:update',
      ofProjectBy(({ input }: { input: { by: ProjectBy } }) => input.by),
    ),
  },
};

import { can, type Finder, type RootRules } from '../graphql/permissions.ts';
import { ofProject } from '../projects/rules.ts';
import type { EntityKey } from './domain/entity-keys.ts';
import type { VersionBy } from './store.ts';

type ByArguments = { by: VersionBy };
type FilterArguments = { filter: { project: string } };
type CreateArguments = { input: { id: EntityKey } };

const keyOf = (by: VersionBy) => ('id' in by ? by.id : by.key.name);
const ofVersion = (
  kind: string,
  loader: 'taskBy' | 'workflowBy' | 'launchPlanBy',
  by: (args: never) => VersionBy = ({ by: address }: ByArguments) => address,
): Finder => ({
  kind,
  key: (args) => keyOf(by(args as never)),
  target: (args, { loaders }) => loaders[loader].load(by(args as never)),
});

const ofListed = ofProject(({ filter }: FilterArguments) => filter.project);
const ofCreated = ofProject(({ input }: CreateArguments) => input.id.project);

export const registryRules: RootRules = {
  Query: {
    task: can('task:read', ofVersion('task', 'taskBy')),
    tasks: can('task:read', ofListed),
    workflow: can('workflow:read', ofVersion('workflow', 'workflowBy')),
    workflows: can('workflow:read', ofListed),
    launchPlan: can('launchPlan:read', ofVersion('launch plan', 'launchPlanBy')),
    launchPlans: can('launchPlan:read', ofListed),
    activeLaunchPlan: can(
      'launchPlan:read',
      ofProject(({ key }: { key: { project: string } }) => key.project),
    ),
  },
  Mutation: {
    createTask: can('task:create', ofCreated),
    createWorkflow: can('workflow:create', ofCreated),
    createLaunchPlan: can('launchPlan:create', ofCreated),
    updateLaunchPlan: can(
      'launchPlan:update',
      ofVersion('launch plan', 'launchPlanBy', ({ input }: { input: ByArguments }) => input.by),
    ),
  },
};

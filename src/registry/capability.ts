import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { DescriptionEntityType } from './graphql/description-entity.ts';
import { LaunchPlanType } from './graphql/launch-plan.ts';
import { NamedEntityType } from './graphql/named-entity.ts';
import { TaskType } from './graphql/task.ts';
import { WorkflowType } from './graphql/workflow.ts';
import { registryLoaders } from './loaders.ts';
import { registryRules } from './rules.ts';
import { descriptionNodes } from './store/descriptions.ts';
import { namedEntityNodes } from './store/named-entities.ts';
import { launchPlanNodes, taskNodes, workflowNodes } from './store/version-lists.ts';
import './graphql/delete-version.ts';
import './graphql/different-structure.ts';
import './graphql/entity-names.ts';
import './graphql/launch-plan-mutations.ts';
import './graphql/promote-launch-plan.ts';
import './graphql/schedule-status.ts';
import './graphql/launch-plan-triggers.ts';
import './graphql/trigger-pause.ts';
import './graphql/version-difference.ts';

export const registry: Capability = {
  rules: [registryRules],
  loaders: registryLoaders,
  nodes: [
    nodeType(TaskType, 'task:read', taskNodes, (id, { loaders }) => loaders.task.load({ id })),
    nodeType(WorkflowType, 'workflow:read', workflowNodes, (id, { loaders }) =>
      loaders.workflow.load({ id }),
    ),
    nodeType(LaunchPlanType, 'launchPlan:read', launchPlanNodes, (id, { loaders }) =>
      loaders.launchPlan.load({ id }),
    ),
    nodeType(NamedEntityType, 'namedEntity:read', namedEntityNodes, (id, { loaders }) =>
      loaders.namedEntity.load({ id }),
    ),
    nodeType(DescriptionEntityType, 'descriptionEntity:read', descriptionNodes, (id, { loaders }) =>
      loaders.description.load({ id }),
    ),
  ],
};

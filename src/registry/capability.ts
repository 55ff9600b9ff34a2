import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { LaunchPlanType } from './graphql/launch-plan.ts';
import { TaskType } from './graphql/task.ts';
import { WorkflowType } from './graphql/workflow.ts';
import { registryLoaders } from './loaders.ts';
import { registryRules } from './rules.ts';
import { launchPlanNodes, taskNodes, workflowNodes } from './store.ts';
import './graphql/different-structure.ts';

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
  ],
};

import type { Reader } from '../authorization/store/readable.ts';
import type { LaunchPlan, Task, Workflow } from '../generated/prisma/client.ts';
import { addressLoader } from '../platform/loaders.ts';
import {
  type EntityName,
  readActiveLaunchPlans,
  readLaunchPlans,
  readTasks,
  readWorkflowNames,
  readWorkflows,
  type VersionBy,
  type WorkflowNameBy,
  type WorkflowNameRow,
} from './store.ts';

export function registryLoaders({ tenantId }: Reader) {
  return {
    task: addressLoader<VersionBy, Task | null>((addresses) => readTasks(tenantId, addresses)),
    workflow: addressLoader<VersionBy, Workflow | null>((addresses) => readWorkflows(tenantId, addresses)),
    launchPlan: addressLoader<VersionBy, LaunchPlan | null>((addresses) =>
      readLaunchPlans(tenantId, addresses),
    ),
    workflowName: addressLoader<WorkflowNameBy, WorkflowNameRow | null>((addresses) =>
      readWorkflowNames(tenantId, addresses),
    ),
    activeLaunchPlan: addressLoader<EntityName, LaunchPlan | null>((names) =>
      readActiveLaunchPlans(tenantId, names),
    ),
  };
}

type RegistryLoaders = ReturnType<typeof registryLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends RegistryLoaders {}
}

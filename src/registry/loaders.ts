import type { Reader } from '../authorization/store/readable.ts';
import type { LaunchPlan, Task, Workflow } from '../generated/prisma/client.ts';
import { addressLoader, listLoader } from '../platform/loaders.ts';
import {
  type EntityName,
  launchPlansOfProjects,
  launchPlansOfWorkflows,
  readActiveLaunchPlans,
  readLaunchPlans,
  readTasks,
  readWorkflowNames,
  readWorkflows,
  tasksOfProjects,
  type VersionBy,
  type WorkflowNameBy,
  type WorkflowNameRow,
  workflowsOfProjects,
} from './store.ts';

export function registryLoaders(reader: Reader) {
  const { tenantId } = reader;
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
    tasksOfProject: listLoader(tasksOfProjects(reader), (row) => row.projectId),
    workflowsOfProject: listLoader(workflowsOfProjects(reader), (row) => row.projectId),
    launchPlansOfProject: listLoader(launchPlansOfProjects(reader), (row) => row.projectId),
    launchPlansOfWorkflow: listLoader(launchPlansOfWorkflows(reader), (row) => row.workflowId),
  };
}

type RegistryLoaders = ReturnType<typeof registryLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends RegistryLoaders {}
}

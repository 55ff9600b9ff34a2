import DataLoader from 'dataloader';
import type { Reader } from '../authorization/store/readable.ts';
import type { LaunchPlan } from '../generated/prisma/client.ts';
import { addressLoader, listLoader } from '../platform/loaders.ts';
import {
  type DescriptionBy,
  type DescriptionRow,
  readDescriptions,
  readDescriptionsOf,
} from './store/descriptions.ts';
import { type NamedEntityBy, type NamedEntityRow, readNamedEntities } from './store/named-entities.ts';
import { readSchedules } from './store/schedules.ts';
import { readTriggers } from './store/triggers.ts';
import {
  launchPlansOfNames,
  launchPlansOfProjects,
  launchPlansOfWorkflows,
  tasksOfNames,
  tasksOfProjects,
  workflowsOfNames,
  workflowsOfProjects,
} from './store/version-lists.ts';
import {
  type EntityName,
  type LaunchPlanRow,
  readActiveLaunchPlans,
  readLaunchPlanInputs,
  readLaunchPlanSpecs,
  readLaunchPlans,
  readTaskRows,
  readTaskTemplates,
  readWorkflowClosures,
  readWorkflowInterfaces,
  readWorkflowNames,
  readWorkflowRows,
  type TaskRow,
  type VersionBy,
  type WorkflowNameBy,
  type WorkflowNameRow,
  type WorkflowRow,
} from './store.ts';

export function registryLoaders(reader: Reader) {
  const { tenantId } = reader;
  return {
    task: addressLoader<VersionBy, TaskRow | null>((addresses) => readTaskRows(tenantId, addresses)),
    taskTemplate: new DataLoader(readTaskTemplates),
    workflow: addressLoader<VersionBy, WorkflowRow | null>((addresses) =>
      readWorkflowRows(tenantId, addresses),
    ),
    workflowInterface: new DataLoader(readWorkflowInterfaces),
    workflowClosure: new DataLoader(readWorkflowClosures),
    /** With its large columns, which `createExecution` needs. */
    launchPlan: addressLoader<VersionBy, LaunchPlan | null>((addresses) =>
      readLaunchPlans(tenantId, addresses),
    ),
    launchPlanInputs: new DataLoader(readLaunchPlanInputs),
    launchPlanSpec: new DataLoader(readLaunchPlanSpecs),
    launchPlanSchedule: new DataLoader(readSchedules),
    launchPlanTriggers: new DataLoader(readTriggers),
    workflowName: addressLoader<WorkflowNameBy, WorkflowNameRow | null>((addresses) =>
      readWorkflowNames(tenantId, addresses),
    ),
    activeLaunchPlan: addressLoader<EntityName, LaunchPlanRow | null>((names) =>
      readActiveLaunchPlans(tenantId, names),
    ),
    namedEntity: addressLoader<NamedEntityBy, NamedEntityRow | null>((addresses) =>
      readNamedEntities(reader, addresses),
    ),
    description: addressLoader<DescriptionBy, DescriptionRow | null>((addresses) =>
      readDescriptions(tenantId, addresses),
    ),
    descriptionOfVersion: new DataLoader(readDescriptionsOf),
    tasksOfProject: listLoader(tasksOfProjects(reader)),
    workflowsOfProject: listLoader(workflowsOfProjects(reader)),
    launchPlansOfProject: listLoader(launchPlansOfProjects(reader)),
    launchPlansOfWorkflow: listLoader(launchPlansOfWorkflows(reader)),
    tasksOfName: listLoader(tasksOfNames(reader)),
    workflowsOfName: listLoader(workflowsOfNames(reader)),
    launchPlansOfName: listLoader(launchPlansOfNames(reader)),
  };
}

type RegistryLoaders = ReturnType<typeof registryLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends RegistryLoaders {}
}

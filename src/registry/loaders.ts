import DataLoader from 'dataloader';
import type { LaunchPlan, Task, Workflow } from '../generated/prisma/client.ts';
import { eachOf } from '../platform/by-id.ts';
import { db } from '../platform/database/client.ts';
import {
  type EntityName,
  findActiveLaunchPlan,
  findLaunchPlan,
  findTask,
  findWorkflow,
  readWorkflowNames,
  type VersionBy,
  type WorkflowNameBy,
  type WorkflowNameRow,
} from './store.ts';

export function registryLoaders(tenantId: string) {
  const byText = { cacheKeyFn: (by: VersionBy) => JSON.stringify(by) };
  return {
    taskBy: new DataLoader<VersionBy, Task | null, string>(
      (addresses) => Promise.all(addresses.map((by) => findTask(tenantId, by))),
      byText,
    ),
    workflowBy: new DataLoader<VersionBy, Workflow | null, string>(
      (addresses) => Promise.all(addresses.map((by) => findWorkflow(tenantId, by))),
      byText,
    ),
    launchPlanBy: new DataLoader<VersionBy, LaunchPlan | null, string>(
      (addresses) => Promise.all(addresses.map((by) => findLaunchPlan(tenantId, by))),
      byText,
    ),
    activeLaunchPlan: new DataLoader<EntityName, LaunchPlan | null, string>(
      (names) => Promise.all(names.map((name) => findActiveLaunchPlan(tenantId, name))),
      { cacheKeyFn: (name) => JSON.stringify(name) },
    ),
    workflowName: new DataLoader<WorkflowNameBy, WorkflowNameRow | null, string>(
      (addresses) => readWorkflowNames(tenantId, addresses),
      { cacheKeyFn: (by) => JSON.stringify(by) },
    ),
    task: byId<Task>((ids) => db.task.findMany({ where: { id: { in: ids }, tenantId } })),
    workflow: byId<Workflow>((ids) => db.workflow.findMany({ where: { id: { in: ids }, tenantId } })),
    launchPlan: byId<LaunchPlan>((ids) => db.launchPlan.findMany({ where: { id: { in: ids }, tenantId } })),
  };
}

type RegistryLoaders = ReturnType<typeof registryLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends RegistryLoaders {}
}

/** One statement for all rows that a level of the answer names. */
function byId<Row extends { id: string }>(find: (ids: string[]) => Promise<Row[]>) {
  return new DataLoader<string, Row | null>(async (ids) => eachOf(ids, await find([...ids])));
}

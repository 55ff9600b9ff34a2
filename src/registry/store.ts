import type { LaunchPlan, Task, Workflow } from '../generated/prisma/client.ts';
import { db } from '../platform/database/client.ts';
import type { Tx } from '../platform/database/transaction.ts';
import { isId } from '../platform/ids.ts';
import { type Closure, indexClosure } from './domain/closure.ts';
import { type EntityKey, entityKeyText } from './domain/entity-keys.ts';
import type { CompiledTask, TaskTemplate } from './domain/task-templates.ts';
import type { CompiledWorkflowClosure } from './domain/workflow-templates.ts';

/** How a version is addressed. */
export type VersionBy = { readonly id: string } | { readonly key: EntityKey };

/** Which rows a tenant's caller means; null when the address cannot be one. */
function whereVersion(tenantId: string, by: VersionBy) {
  if ('id' in by) return isId(by.id) ? { id: by.id, tenantId } : null;
  const { project, domain, name, version } = by.key;
  return {
    tenantId,
    project: { tenantId, identifier: project },
    domain,
    name,
    version,
  };
}

export async function findTask(tenantId: string, by: VersionBy): Promise<Task | null> {
  const where = whereVersion(tenantId, by);
  return where && (await db.task.findFirst({ where }));
}

export async function findWorkflow(tenantId: string, by: VersionBy): Promise<Workflow | null> {
  const where = whereVersion(tenantId, by);
  return where && (await db.workflow.findFirst({ where }));
}

export type LaunchPlanWithWorkflow = LaunchPlan & {
  readonly project: { readonly identifier: string };
};

export async function findLaunchPlan(
  tenantId: string,
  by: VersionBy,
): Promise<LaunchPlanWithWorkflow | null> {
  const where = whereVersion(tenantId, by);
  return (
    where &&
    (await db.launchPlan.findFirst({
      where,
      include: { project: { select: { identifier: true } } },
    }))
  );
}

export async function findActiveLaunchPlan(
  tenantId: string,
  { project, domain, name }: Omit<EntityKey, 'version'>,
): Promise<LaunchPlan | null> {
  const where = {
    tenantId,
    project: { tenantId, identifier: project },
    domain,
    name,
    state: 'ACTIVE',
  } as const;
  return await db.launchPlan.findFirst({ where });
}

/** A registered task in the form that the compiler takes, and whose it is. */
export interface RegisteredTask {
  readonly id: string;
  readonly tenantId: string;
  readonly task: CompiledTask;
}

/** Those of the named tasks that are registered. */
export async function listCompiledTasks(
  tenantId: string,
  keys: readonly EntityKey[],
): Promise<RegisteredTask[]> {
  if (keys.length === 0) return [];
  const rows = await db.task.findMany({
    where: {
      tenantId,
      OR: keys.map(({ project, domain, name, version }) => ({
        project: { tenantId, identifier: project },
        domain,
        name,
        version,
      })),
    },
    include: { project: { select: { identifier: true } } },
  });
  return rows.map((row) => ({
    id: row.id,
    tenantId: row.tenantId,
    task: {
      id: {
        project: row.project.identifier,
        domain: row.domain,
        name: row.name,
        version: row.version,
      },
      template: row.template as unknown as TaskTemplate,
    },
  }));
}

const MAX_CLOSURES = 200;
const closures = new Map<string, Closure>();

/**
 * A registered workflow, indexed for running. Versions never change, so the most recently used ones are kept in memory.
 * Who is in a transaction asks through it: a second connection for each could use the pool up, all waiting for one more.
 *
 * @throws Error when there is no such workflow: whoever refers to one holds it in place.
 */
export async function getClosure(workflowId: string, tx?: Tx): Promise<Closure> {
  const known = closures.get(workflowId);
  if (known) {
    closures.delete(workflowId);
    closures.set(workflowId, known);
    return known;
  }
  const row = await (tx ?? db).workflow.findUniqueOrThrow({
    where: { id: workflowId },
    select: { closure: true, taskIds: true },
  });
  const closure = indexClosure(
    row.closure as unknown as CompiledWorkflowClosure,
    row.taskIds as Record<string, string>,
  );
  closures.set(workflowId, closure);
  for (const oldest of closures.keys()) {
    if (closures.size <= MAX_CLOSURES) break;
    closures.delete(oldest);
  }
  return closure;
}

/** The ids of tasks by their key's text: what a workflow keeps beside its closure. */
export function taskIdsOf(tasks: readonly { id: string; task: CompiledTask }[]): Record<string, string> {
  return Object.fromEntries(tasks.map(({ id, task }) => [entityKeyText(task.id), id]));
}

interface VersionFilter {
  readonly project: string;
  readonly domain: string;
  readonly name?: string | null;
}

interface VersionPage {
  readonly limit: number;
  readonly backward: boolean;
  /** createdAt and id of the row to go on from. */
  readonly from: readonly string[] | null;
}

/** The query of one list of versions: newest first, up to one more than the page. */
function versionQuery(tenantId: string, filter: VersionFilter, page: VersionPage) {
  const direction = page.backward ? ('asc' as const) : ('desc' as const);
  const { project, domain, name } = filter;
  const shown = {
    tenantId,
    project: { tenantId, identifier: project },
    domain,
    ...(name ? { name } : {}),
  };
  const [createdAt, id] = page.from ?? [];
  const beyond = (value: Date | string) => (page.backward ? { gt: value } : { lt: value });
  const where =
    createdAt === undefined || id === undefined
      ? shown
      : {
          AND: [
            shown,
            {
              OR: [
                { createdAt: beyond(new Date(createdAt)) as { lt: Date } },
                {
                  createdAt: new Date(createdAt),
                  id: beyond(id) as { lt: string },
                },
              ],
            },
          ],
        };
  return {
    where,
    orderBy: [{ createdAt: direction }, { id: direction }],
    take: page.limit + 1,
  };
}

export function listTasks(tenantId: string, filter: VersionFilter, page: VersionPage): Promise<Task[]> {
  return db.task.findMany(versionQuery(tenantId, filter, page));
}

export function listWorkflows(
  tenantId: string,
  filter: VersionFilter,
  page: VersionPage,
): Promise<Workflow[]> {
  return db.workflow.findMany(versionQuery(tenantId, filter, page));
}

export function listLaunchPlans(
  tenantId: string,
  filter: VersionFilter,
  page: VersionPage,
): Promise<LaunchPlan[]> {
  return db.launchPlan.findMany(versionQuery(tenantId, filter, page));
}

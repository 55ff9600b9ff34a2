import { isAllowed } from '../../authorization/can.ts';
import type { Permission } from '../../authorization/domain/permissions.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import type { Caller } from '../../platform/caller.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { launchPlanTarget, taskTarget } from '../domain/targets.ts';
import type { CompiledWorkflowClosure } from '../domain/workflow-templates.ts';
import { type LaunchPlanRow, readLaunchPlans, readTaskRows, type TaskRow } from '../store.ts';

/** How the versions that a closure refers to are found: with the loaders of a request, or from the store. */
export interface FindVersions {
  task(key: EntityKey): Promise<TaskRow | null>;
  launchPlan(key: EntityKey): Promise<LaunchPlanRow | null>;
}

/**
 * A closure as a reader of its workflow may see it. Whoever wrote the workflow could read all tasks and launch plans in
 * it, but other readers of the workflow perhaps cannot. Of what the caller may not read, only the key is left: the
 * template of the task, or the inputs and outputs of the launch plan, are null. The nodes show the keys, too, because
 * they are a part of the workflow; so are the workflows that came along with it, which are shown completely.
 */
export async function visibleClosure(
  caller: Caller,
  closure: CompiledWorkflowClosure,
  find: FindVersions,
): Promise<object> {
  const { tasks, launchPlans } = closure;
  const shown = <One extends { readonly id: EntityKey }>(
    all: readonly One[],
    permission: Permission,
    targetOf: (key: EntityKey) => Promise<Target | null>,
    withoutContent: (one: One) => object,
  ) =>
    Promise.all(
      all.map(async (one) => {
        const isShown = await isAllowed(caller, permission, { target: () => targetOf(one.id) });
        return isShown ? one : withoutContent(one);
      }),
    );
  const [visibleTasks, visiblePlans] = await Promise.all([
    shown(
      tasks,
      'task:read',
      async (key) => {
        const task = await find.task(key);
        return task && taskTarget(task);
      },
      ({ id }) => ({ id, template: null }),
    ),
    shown(
      launchPlans ?? [],
      'launchPlan:read',
      async (key) => {
        const plan = await find.launchPlan(key);
        return plan && launchPlanTarget(plan);
      },
      ({ id }) => ({ id, expectedInputs: null, expectedOutputs: null }),
    ),
  ]);
  return { ...closure, tasks: visibleTasks, ...(launchPlans && { launchPlans: visiblePlans }) };
}

/** Finds the versions that a closure refers to in two statements. */
export async function storedVersions(
  tenantId: string,
  closure: CompiledWorkflowClosure,
): Promise<FindVersions> {
  const { tasks, launchPlans = [] } = closure;
  const addresses = (all: readonly { readonly id: EntityKey }[]) => all.map(({ id }) => ({ key: id }));
  const [taskRows, planRows] = await Promise.all([
    readTaskRows(tenantId, addresses(tasks)),
    readLaunchPlans(tenantId, addresses(launchPlans)),
  ]);
  const taskOf = new Map(tasks.map(({ id }, at) => [id, taskRows[at] ?? null]));
  const planOf = new Map(launchPlans.map(({ id }, at) => [id, planRows[at] ?? null]));
  return {
    task: async (key) => taskOf.get(key) ?? null,
    launchPlan: async (key) => planOf.get(key) ?? null,
  };
}

import { getAllowed } from '../../authorization/get-allowed.ts';
import type { LaunchPlan, Task, Workflow } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import type { Description } from '../domain/description.ts';
import { type EntityKey, entityKeyText } from '../domain/entity-keys.ts';
import { launchPlanTarget, nameTarget, taskTarget, workflowTarget } from '../domain/targets.ts';
import type { CompiledWorkflowClosure } from '../domain/workflow-templates.ts';
import { type DescriptionRow, readDescriptionsOf } from '../store/descriptions.ts';
import { findLaunchPlan, findWorkflow, readTasks } from '../store.ts';

/** How many versions one promotion may copy. */
const MAX_VERSIONS = 500;

const path = ['input', 'by'];

/** A version that a promotion copies. */
export type PromotedVersion =
  | {
      readonly type: 'TASK';
      readonly key: EntityKey;
      readonly row: Task;
      readonly description: Description | null;
    }
  | {
      readonly type: 'WORKFLOW';
      readonly key: EntityKey;
      readonly row: Workflow;
      readonly description: Description | null;
    }
  | {
      readonly type: 'LAUNCH_PLAN';
      readonly key: EntityKey;
      readonly row: LaunchPlan;
      readonly workflow: Workflow;
      readonly workflowKey: EntityKey;
      /** Whether the workflow is copied too. Otherwise it belongs to another project or domain. */
      readonly isWithWorkflow: boolean;
    };

/**
 * A launch plan and everything of its project and domain that it needs: its workflow, the tasks of the workflow, and the
 * launch plans that the workflow starts, with what they need. Each version comes once, after all that it refers to, so
 * the launch plan is the last one.
 *
 * @throws NotFoundError for a version that the caller may not read; InvalidArgumentError `TooLarge` for more than 500.
 */
export async function listPromotedVersions(caller: Caller, root: EntityKey): Promise<PromotedVersion[]> {
  const found: PromotedVersion[] = [];
  const known = new Set<string>();
  const isHome = ({ project, domain }: EntityKey) => project === root.project && domain === root.domain;
  /** Whether the version must be added now: it belongs here, and nothing before has led to it. */
  const isNew = (type: PromotedVersion['type'], key: EntityKey): boolean => {
    const text = `${type} ${entityKeyText(key)}`;
    if (!isHome(key) || known.has(text)) return false;
    if (known.size === MAX_VERSIONS) {
      const message = `the launch plan needs more than ${MAX_VERSIONS} versions of its project and domain`;
      throw InvalidArgumentError.of(path, message, 'TooLarge');
    }
    known.add(text);
    return true;
  };

  // The recursion ends: versions never change, so a workflow can start only launch plans that are older than itself.
  const addLaunchPlan = async (key: EntityKey): Promise<void> => {
    const row = await getAllowed(caller, 'launchPlan:read', {
      kind: 'launch plan',
      key: addressText({ key }),
      path,
      find: () => findLaunchPlan(caller.tenantId, { key }),
      targetOf: launchPlanTarget,
    });
    const workflow = await getAllowed(caller, 'workflow:read', {
      kind: 'workflow',
      // A hidden workflow may be in another project. Then its name is hidden, too.
      key: `of launch plan ${addressText({ key })}`,
      path,
      find: () => findWorkflow(caller.tenantId, { id: row.workflowId }),
      targetOf: workflowTarget,
    });
    const { workflowId: workflowKey } = row.spec as unknown as { readonly workflowId: EntityKey };
    if (isNew('WORKFLOW', workflowKey)) await addWorkflow(workflowKey, workflow);
    found.push({ type: 'LAUNCH_PLAN', key, row, workflow, workflowKey, isWithWorkflow: isHome(workflowKey) });
  };
  const addWorkflow = async (key: EntityKey, row: Workflow): Promise<void> => {
    const { tasks, launchPlans = [] } = row.closure as unknown as CompiledWorkflowClosure;
    const taskKeys = tasks.flatMap(({ id }) => (isNew('TASK', id) ? [id] : []));
    found.push(...(await readPromotedTasks(caller, taskKeys)));
    for (const { id } of launchPlans) if (isNew('LAUNCH_PLAN', id)) await addLaunchPlan(id);
    const [description = null] = await readDescriptionsFor(caller, [row.id]);
    found.push({ type: 'WORKFLOW', key, row, description });
  };

  if (isNew('LAUNCH_PLAN', root)) await addLaunchPlan(root);
  return found;
}

async function readPromotedTasks(caller: Caller, keys: readonly EntityKey[]): Promise<PromotedVersion[]> {
  if (keys.length === 0) return [];
  const rows = await readTasks(
    caller.tenantId,
    keys.map((key) => ({ key })),
  );
  const tasks = await Promise.all(
    keys.map((key, at) =>
      getAllowed(caller, 'task:read', {
        kind: 'task',
        key: addressText({ key }),
        path,
        find: async () => rows[at] ?? null,
        targetOf: taskTarget,
      }),
    ),
  );
  const descriptions = await readDescriptionsFor(
    caller,
    tasks.map(({ id }) => id),
  );
  return keys.flatMap((key, at) => {
    const row = tasks[at];
    return row ? [{ type: 'TASK', key, row, description: descriptions[at] ?? null }] : [];
  });
}

/** The description of each version, or null. @throws PermissionDeniedError if the scopes of the caller do not include them. */
async function readDescriptionsFor(
  caller: Caller,
  versionIds: readonly string[],
): Promise<(Description | null)[]> {
  const rows = await readDescriptionsOf(versionIds);
  return await Promise.all(
    rows.map(async (row) => {
      if (!row) return null;
      const { project, domain, name, version } = row;
      const allowed = await getAllowed(caller, 'descriptionEntity:read', {
        kind: 'description entity',
        key: addressText({ key: { project, domain, name, version } }),
        path,
        find: async () => row,
        targetOf: nameTarget,
      });
      return descriptionIn(allowed);
    }),
  );
}

/** A stored description as a registration takes it. */
function descriptionIn(row: DescriptionRow): Description {
  const { shortDescription, longText, longUri, longFormat, iconLink, sourceLink, tags } = row;
  const hasLong = longText !== null || longUri !== null;
  return {
    shortDescription,
    longDescription: hasLong ? { value: longText, uri: longUri, format: longFormat, iconLink } : null,
    sourceLink,
    tags,
  };
}

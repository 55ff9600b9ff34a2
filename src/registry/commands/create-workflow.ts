import { type Find, isAllowed, isSeen, refusal } from '../../authorization/can.ts';
import type { Target } from '../../authorization/domain/resources.ts';
import { grantCreator } from '../../authorization/grant-creator.ts';
import type { Project, Workflow } from '../../generated/prisma/client.ts';
import { addressText } from '../../platform/address-text.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { projectTarget } from '../../projects/domain/targets.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { compileWorkflow } from '../domain/compile-workflow.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { referencedTasks } from '../domain/node-interfaces.ts';
import { readWorkflowTemplate } from '../domain/read-workflow-templates.ts';
import { requireShortDescription } from '../domain/short-description.ts';
import { taskTarget, workflowNameTarget, workflowTarget } from '../domain/targets.ts';
import type { CompiledTask, TaskTemplate } from '../domain/task-templates.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import { ensureNamedEntity, findNamedEntity, findWorkflow, readTasks, taskIdsOf } from '../store.ts';
import { requireUsableName, storeVersion } from './store-version.ts';

/**
 * Registers a version of a workflow: it is compiled with the registered tasks, and stored together with them
 * permanently.
 *
 * A workflow may use tasks of other projects if the caller may read them. Other tasks are reported as not found.
 *
 * @throws InvalidArgumentError with all problems that the compiler found; AlreadyExistsError if an identical version is
 * registered. Source: Flyte's CreateWorkflow.
 */
export async function createWorkflow(
  caller: Caller,
  project: Project,
  { key, template, shortDescription }: { key: EntityKey; template: unknown; shortDescription: string },
): Promise<Workflow> {
  const holder = await requireMayRegister(caller, project, key);
  requireCompleteKey(key, ['input', 'key']);
  requireShortDescription(shortDescription);
  requireOpenProject(project, key.domain, ['input', 'key']);
  const written = readWorkflowTemplate(template);
  const tasks = await readableTasks(caller, referencedTasks(written));
  const closure = compileWorkflow(
    written,
    tasks.map(({ task }) => task),
  );
  const digest = digestOf(closure);
  await requireUsableName(caller, key, holder);
  return await storeVersion(caller, {
    kind: 'workflow',
    key,
    digest,
    document: closure,
    read: 'workflow:read',
    insert: () =>
      inTransaction(async (tx) => {
        const entity = await ensureNamedEntity(tx, project, key);
        if (entity.isNew) await grantCreator(tx, caller, { type: 'WORKFLOW', id: entity.id, name: key.name });
        return await tx.workflow.create({
          data: {
            entityId: entity.id,
            id: newId(),
            tenantId: caller.tenantId,
            projectId: project.id,
            domain: key.domain,
            name: key.name,
            version: key.version,
            interface: closure.primary.template.interface as object,
            closure: closure as object,
            taskIds: taskIdsOf(tasks),
            digest,
            shortDescription,
          },
        });
      }),
    find: async () => {
      const workflow = await findWorkflow(caller.tenantId, { key });
      return (
        workflow && {
          digest: workflow.digest,
          document: workflow.closure,
          target: workflowTarget(workflow),
        }
      );
    },
  });
}

/**
 * Requires EDIT on the workflow if the caller may read a workflow of this name, and otherwise on the project. So a
 * hidden workflow is treated like an absent one and takes the same statements; its name is refused later.
 *
 * @returns the target of the workflow that has the name; null if none has it.
 */
async function requireMayRegister(caller: Caller, project: Project, key: EntityKey): Promise<Target | null> {
  const name = await findNamedEntity(project.id, key);
  const workflow = name && workflowNameTarget(project, name);
  const named = { kind: 'workflow', key: addressText({ key }) } as const;
  const find: Find =
    (await isSeen(caller, named, workflow)) && workflow
      ? { ...named, target: async () => workflow }
      : { kind: 'project', key: project.identifier, target: async () => projectTarget(project) };
  // The rule has allowed callers who may read a workflow of the project, so they may know the project.
  const refused = await refusal(caller, 'workflow:create', { ...find, within: async () => true });
  if (refused) throw refused;
  return workflow;
}

/** A registered task in the form that the compiler needs. */
interface RegisteredTask {
  readonly id: string;
  readonly task: CompiledTask;
}

/** The tasks that the caller may read. Other tasks are absent for the compiler, as they are for the caller. */
async function readableTasks(caller: Caller, keys: readonly EntityKey[]): Promise<RegisteredTask[]> {
  const addresses = keys.map((key) => ({ key }));
  const rows = await readTasks(caller.tenantId, addresses);
  const tasks = await Promise.all(
    addresses.map(async (by, at) => {
      const row = rows[at] ?? null;
      // Also asks about absent tasks, so that they take the same statements as hidden ones.
      const isReadable = await isAllowed(caller, 'task:read', {
        kind: 'task',
        key: addressText(by),
        target: async () => row && taskTarget(row),
      });
      if (!isReadable || !row) return [];
      return [{ id: row.id, task: { id: by.key, template: row.template as unknown as TaskTemplate } }];
    }),
  );
  return tasks.flat();
}

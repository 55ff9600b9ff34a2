import { isAllowed } from '../../authorization/can.ts';
import { grantCreator } from '../../authorization/grant-creator.ts';
import type { Workflow } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { newId } from '../../platform/ids.ts';
import { getOpenProject } from '../../projects/store.ts';
import { compileWorkflow } from '../domain/compile-workflow.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { referencedTasks } from '../domain/node-interfaces.ts';
import { readWorkflowTemplate } from '../domain/read-workflow-templates.ts';
import { taskTarget } from '../domain/targets.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import {
  ensureNamedEntity,
  findWorkflow,
  listCompiledTasks,
  type RegisteredTask,
  taskIdsOf,
} from '../store.ts';
import { storeVersion } from './store-version.ts';

/**
 * Registers a version of a workflow: it is compiled against the registered tasks and kept, with them, for ever.
 *
 * Tasks of other projects may be used where the caller may read them; those it may not are reported as not found.
 *
 * @throws InvalidArgumentError with every fault that the compiler found; AlreadyExistsError when the very same is
 * registered. Source: Flyte's CreateWorkflow, workflows.md §4 and §5.
 */
export async function createWorkflow(
  caller: Caller,
  { id: key, template, shortDescription }: { id: EntityKey; template: unknown; shortDescription: string },
): Promise<Workflow> {
  requireCompleteKey(key, ['input', 'id']);
  const project = await getOpenProject(caller.tenantId, key, ['input', 'id']);
  const written = readWorkflowTemplate(template);
  const registered = await listCompiledTasks(caller.tenantId, referencedTasks(written));
  const tasks = await readableOf(caller, registered);
  const closure = compileWorkflow(
    written,
    tasks.map(({ task }) => task),
  );
  const digest = digestOf(closure);
  return await storeVersion(
    'workflow',
    key,
    { digest, document: closure },
    {
      insert: () =>
        inTransaction(async (tx) => {
          const entity = await ensureNamedEntity(tx, project, key);
          if (entity.isNew)
            await grantCreator(tx, caller, { type: 'WORKFLOW', id: entity.id, name: key.name });
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
        return workflow && { digest: workflow.digest, document: workflow.closure };
      },
    },
  );
}

/** Those that the caller may read: the others are as absent to the compiler as they are to the caller. */
async function readableOf(caller: Caller, tasks: readonly RegisteredTask[]): Promise<RegisteredTask[]> {
  const verdicts = await Promise.all(
    tasks.map((row) => isAllowed(caller, 'task:read', { target: async () => taskTarget(row) })),
  );
  return tasks.filter((_, index) => verdicts[index]);
}

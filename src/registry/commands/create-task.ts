import type { Project, Task } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { newId } from '../../platform/ids.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { compileTask } from '../domain/compile-task.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { requireShortDescription } from '../domain/short-description.ts';
import { taskTarget } from '../domain/targets.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import { findTask } from '../store.ts';
import { storeVersion } from './store-version.ts';

/**
 * Registers a version of a task: its template is checked, changed to its canonical form, and stored permanently.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if an identical version is registered.
 * Source: Flyte's CreateTask.
 */
export async function createTask(
  caller: Caller,
  project: Project,
  { key, template, shortDescription }: { key: EntityKey; template: unknown; shortDescription: string },
): Promise<Task> {
  requireCompleteKey(key, ['input', 'key']);
  requireShortDescription(shortDescription);
  requireOpenProject(project, key.domain, ['input', 'key']);
  const compiled = compileTask(template);
  const digest = digestOf(compiled);
  return await storeVersion(caller, {
    type: 'TASK',
    project,
    key,
    digest,
    document: compiled,
    read: 'task:read',
    insert: (tx, { id: entityId }) =>
      tx.task.create({
        data: {
          id: newId(),
          entityId,
          tenantId: caller.tenantId,
          projectId: project.id,
          domain: key.domain,
          name: key.name,
          version: key.version,
          type: compiled.type,
          template: compiled as object,
          digest,
          shortDescription,
        },
      }),
    find: async () => {
      const task = await findTask(caller.tenantId, { key });
      return task && { id: task.id, digest: task.digest, document: task.template, target: taskTarget(task) };
    },
  });
}

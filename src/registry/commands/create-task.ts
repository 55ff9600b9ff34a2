import type { Leftover } from '../../flyte/form.ts';
import type { Project, Task } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { controlPlaneConfig } from '../../platform/config/control-plane.ts';
import { newId } from '../../platform/ids.ts';
import { requireOpenProject } from '../../projects/open-project.ts';
import { compileTask } from '../domain/compile-task.ts';
import { checkDescriptions, type Description } from '../domain/description.ts';
import { digestOf } from '../domain/digest.ts';
import type { EntityKey } from '../domain/entity-keys.ts';
import { withLeftoversBeside } from '../domain/flyte-specs.ts';
import { resourceEntries } from '../domain/platform-resources.ts';
import { taskTarget } from '../domain/targets.ts';
import { isTypeAllowed } from '../domain/task-types.ts';
import { requireCompleteKey } from '../domain/version-key.ts';
import { readPlatformResources } from '../platform-resources.ts';
import { describedBy } from '../store/descriptions.ts';
import { findTask } from '../store.ts';
import { type Registration, storeVersion } from './store-version.ts';

export interface NewTask {
  readonly key: EntityKey;
  readonly template: unknown;
  /** Where the template stands in the input, if it is not `input.template`. */
  readonly path?: readonly string[];
  /** What Flyte's form of the task says and the template cannot hold. It is stored and compared with the template. */
  readonly leftovers?: readonly Leftover[];
  readonly shortDescription: string;
  readonly description: Description | null;
  /** Checks everything and stores nothing. */
  readonly isDryRun: boolean;
}

/**
 * Registers a version of a task: its template is checked, changed to its canonical form, and stored permanently.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if an identical version is registered.
 * Source: Flyte's CreateTask.
 */
export async function createTask(
  caller: Caller,
  project: Project,
  { key, template, path, leftovers, isDryRun, ...given }: NewTask,
): Promise<Registration<Task>> {
  requireCompleteKey(key, ['input', 'key']);
  const { shortDescription, description } = checkDescriptions(given.shortDescription, given.description);
  requireOpenProject(project, key.domain, ['input', 'key']);
  const scope = { projectId: project.id, domain: key.domain, workflow: null, launchPlan: null };
  const { limits } = await readPlatformResources(caller.tenantId, scope);
  const compiled = compileTask(template, {
    path,
    platformLimits: resourceEntries(limits),
    isTypeAllowed: (type) => isTypeAllowed(controlPlaneConfig.taskTypeWhitelist, type, key),
  });
  const document = withLeftoversBeside(compiled, leftovers);
  const digest = digestOf(document);
  return await storeVersion(caller, {
    type: 'TASK',
    project,
    key,
    digest,
    document,
    read: 'task:read',
    isDryRun,
    insert: (tx, { id: entityId }) => {
      const { tenantId } = caller;
      const { domain, name, version } = key;
      const place = { entityId, tenantId, projectId: project.id, domain, name, version };
      return tx.task.create({
        data: {
          id: newId(),
          ...place,
          type: compiled.type,
          template: document,
          digest,
          shortDescription,
          ...describedBy(description, { type: 'TASK', ...place }),
        },
      });
    },
    find: async () => {
      const task = await findTask(caller.tenantId, { key });
      return (
        task && {
          row: task,
          id: task.id,
          digest: task.digest,
          document: task.template,
          target: taskTarget(task),
        }
      );
    },
  });
}

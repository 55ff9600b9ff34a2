import { recordChange } from '../../authorization/audit.ts';
import type { Project } from '../../generated/prisma/client.ts';
import type { ProjectState } from '../../generated/prisma/enums.ts';
import type { Caller } from '../../platform/caller.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, NotFoundError, requireChanges } from '../../platform/errors.ts';
import { fieldProblems } from '../domain/project-checks.ts';
import { lockProject } from '../store.ts';

/** Undefined means no change. An empty description and empty labels clear them. */
export interface ProjectChanges {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly state?: ProjectState | undefined;
}

/**
 * Changes what a project says about itself, archives it, or takes it out of the archive. An archived project accepts
 * nothing new, and what runs in it goes on.
 *
 * @throws InvalidArgumentError with all problems, and if there are no changes. Source: Flyte's UpdateProject, which
 * always writes the state and cannot clear a field.
 */
export async function updateProject(
  caller: Caller,
  project: Project,
  changes: ProjectChanges,
): Promise<Project> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  requireChanges(given.length > 0);
  const problems = fieldProblems(changes);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  return await inTransaction(async (tx) => {
    const before = await lockProject(tx, project.id);
    if (!before) throw new NotFoundError('project', project.identifier, ['input', 'by']);
    const changed = given.filter(
      ([field, value]) => JSON.stringify(before[field as keyof Project]) !== JSON.stringify(value),
    );
    if (changed.length === 0) return before;
    const data = Object.fromEntries(changed);
    const after = await tx.project.update({ where: { id: project.id }, data });
    await recordChange(tx, caller, {
      action: 'project:update',
      target: { type: 'project', id: project.id, name: project.identifier },
      before: Object.fromEntries(changed.map(([field]) => [field, before[field as keyof Project]])),
      after: data,
    });
    return after;
  });
}

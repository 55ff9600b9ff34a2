import { grantCreator } from '../../authorization/grant-creator.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import type { Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { type NewProject, projectProblems } from '../domain/project-checks.ts';
import { projectTarget } from '../domain/targets.ts';
import { findProject } from '../store.ts';

/**
 * Creates a project in the state ACTIVE, with the domains of the server. The caller gets MANAGE on it.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if a project that the caller may read has the
 * identifier; InvalidArgumentError `NameUnavailable` if a hidden project has it.
 */
export async function registerProject(caller: Caller, project: NewProject): Promise<Project> {
  const problems = projectProblems(project);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  try {
    return await inTransaction(async (tx) => {
      const made = await tx.project.create({ data: { id: newId(), tenantId: caller.tenantId, ...project } });
      await grantCreator(tx, caller, { type: 'PROJECT', id: made.id, name: made.identifier });
      return made;
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const { tenantId } = caller;
    const { identifier: name } = project;
    const holder = await findProject(tenantId, { identifier: name });
    const path = ['input', 'identifier'];
    throw await nameConflict(caller, holder && projectTarget(holder), { kind: 'project', name, path });
  }
}

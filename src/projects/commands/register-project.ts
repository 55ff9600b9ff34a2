import type { Project } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { db } from '../../platform/database/client.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { AlreadyExistsError, InvalidArgumentError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { type NewProject, projectProblems } from '../domain/project-checks.ts';

/**
 * Makes a project, ACTIVE, with the service's domains.
 *
 * @throws InvalidArgumentError with every fault, AlreadyExistsError for a taken identifier.
 */
export async function registerProject(caller: Caller, project: NewProject): Promise<Project> {
  const problems = projectProblems(project);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  try {
    return await db.project.create({
      data: { id: newId(), tenantId: caller.tenantId, ...project },
    });
  } catch (error) {
    if (isUniqueViolation(error))
      throw new AlreadyExistsError(`project ${project.identifier} exists already`, {
        path: ['input', 'identifier'],
      });
    throw error;
  }
}

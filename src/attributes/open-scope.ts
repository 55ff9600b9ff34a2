import type { Project } from '../generated/prisma/client.ts';
import { requireActiveProject } from '../projects/domain/project-checks.ts';
import { requireOpenProject } from '../projects/open-project.ts';
import { Place } from '../values/problem-list.ts';
import { checkName } from './domain/payload-checks.ts';
import type { Scope } from './domain/scopes.ts';

/**
 * Every change of a record requires this: its project is ACTIVE, its domain exists, and its workflow has a name. The
 * workflow need not exist.
 *
 * @throws InvalidArgumentError `InactiveProject`, or with the domain or the workflow.
 */
export function requireOpenScope(project: Project, { domain, workflow }: Scope): void {
  if (domain === null) requireActiveProject(project, ['input', 'project']);
  else requireOpenProject(project, domain, ['input']);
  if (workflow === null) return;
  const place = new Place(['input', 'workflow']);
  checkName(workflow, place, 'workflow');
  place.problems.throwIfAny();
}

import type { ProjectState } from '../generated/prisma/enums.ts';
import { controlPlaneConfig } from '../platform/config/control-plane.ts';
import { InvalidArgumentError } from '../platform/errors.ts';
import { requireActiveProject } from './domain/project-checks.ts';

/**
 * Every creation in a domain of a project requires this: the project is ACTIVE and has the domain.
 *
 * @throws InvalidArgumentError `InactiveProject`, or with the domain.
 */
export function requireOpenProject(
  project: { readonly identifier: string; readonly state: ProjectState },
  domain: string,
  path: readonly string[],
): void {
  requireActiveProject(project, [...path, 'project']);
  if (!controlPlaneConfig.domains.includes(domain))
    throw InvalidArgumentError.of([...path, 'domain'], `domain ${domain.slice(0, 100)} does not exist`);
}

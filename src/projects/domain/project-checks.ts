import type { ProjectState } from '../../generated/prisma/enums.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { labelProblems } from '../../platform/labels.ts';

const identifierForm = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_NAME = 64;
const MAX_DESCRIPTION = 300;

export interface NewProject {
  readonly identifier: string;
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** All problems of a new project. Source: Flyte's RegisterProject. */
export function projectProblems(project: NewProject): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  if (!identifierForm.test(project.identifier))
    fault(
      'identifier',
      'must have at most 63 lower-case letters, digits and hyphens, and must not begin or end with a hyphen',
    );
  if (project.name.trim() === '') fault('name', 'missing name');
  if (project.name.length > MAX_NAME) fault('name', `must have at most ${MAX_NAME} characters`);
  if (project.description.length > MAX_DESCRIPTION)
    fault('description', `must have at most ${MAX_DESCRIPTION} characters`);
  return [...problems, ...labelProblems(project.labels, ['input', 'labels'])];
}

/**
 * Every creation inside of a project requires this.
 *
 * @throws InvalidArgumentError `InactiveProject`.
 */
export function requireActiveProject(
  project: { readonly identifier: string; readonly state: ProjectState },
  path: readonly string[],
): void {
  if (project.state !== 'ACTIVE')
    throw InvalidArgumentError.of(path, `project ${project.identifier} is not active`, 'InactiveProject');
}

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

const fault = (field: string, message: string): Problem => ({
  path: ['input', field],
  code: 'InvalidValue',
  message,
});

/** All problems of a new project. Source: Flyte's RegisterProject. */
export function projectProblems(project: NewProject): Problem[] {
  const problems = fieldProblems(project);
  if (identifierForm.test(project.identifier)) return problems;
  const message =
    'must have at most 63 lower-case letters, digits and hyphens, and must not begin or end with a hyphen';
  return [fault('identifier', message), ...problems];
}

/** All problems of the fields that can be changed later. A field that is left out has none. */
export function fieldProblems({
  name,
  description = '',
  labels = {},
  state = 'ACTIVE',
}: {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly state?: ProjectState | undefined;
}): Problem[] {
  const problems: Problem[] = [];
  if (name?.trim() === '') problems.push(fault('name', 'missing name'));
  if (name !== undefined && name.length > MAX_NAME)
    problems.push(fault('name', `must have at most ${MAX_NAME} characters`));
  if (description.length > MAX_DESCRIPTION)
    problems.push(fault('description', `must have at most ${MAX_DESCRIPTION} characters`));
  if (state !== 'ACTIVE' && state !== 'ARCHIVED')
    problems.push(fault('state', 'must be ACTIVE or ARCHIVED; the platform alone sets the others'));
  return [...problems, ...labelProblems(labels, ['input', 'labels'])];
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

import type { Problem } from '../../platform/errors.ts';
import { nameFault } from './names.ts';

const MAX_DESCRIPTION = 1000;

/** All problems of the fields of a group. Undefined means that a field is not given. */
export function groupProblems(given: {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  const { name, description } = given;
  const wrong = name === undefined ? null : groupNameFault(name);
  if (wrong) fault('name', wrong);
  if (description !== undefined && description.length > MAX_DESCRIPTION)
    fault('description', `must have at most ${MAX_DESCRIPTION} characters`);
  return problems;
}

function groupNameFault(name: string): string | null {
  return name.startsWith('__') ? 'names that begin with __ are reserved' : nameFault(name);
}

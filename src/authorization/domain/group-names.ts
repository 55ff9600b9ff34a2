import type { Problem } from '../../platform/errors.ts';
import { nameKey } from '../../platform/text.ts';

const MAX_NAME = 255;
const MAX_DESCRIPTION = 1000;

/** Everything wrong with what is given of a group; undefined is not given. */
export function groupProblems(given: {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}): Problem[] {
  const problems: Problem[] = [];
  const fault = (field: string, message: string) =>
    problems.push({ path: ['input', field], code: 'InvalidValue', message });
  const { name, description } = given;
  if (name !== undefined) {
    const key = nameKey(name);
    if (key.trim() === '') fault('name', 'the name is empty');
    else if (name.trim() !== name || key.trim() !== key)
      fault('name', 'a name neither begins nor ends with a space');
    if (Math.max(name.length, key.length) > MAX_NAME) fault('name', `more than ${MAX_NAME} characters`);
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) fault('name', 'a name has no control characters');
  }
  if (description !== undefined && description.length > MAX_DESCRIPTION)
    fault('description', `more than ${MAX_DESCRIPTION} characters`);
  return problems;
}

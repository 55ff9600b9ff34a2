import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import type { EntityKey } from './entity-keys.ts';

const MAX_KEY = 255;

/**
 * Checks the parts of a key in Flyte's order: project, domain, name, version.
 *
 * @throws InvalidArgumentError with all parts that are missing or longer than 255 characters.
 */
export function requireCompleteKey(key: EntityKey, path: readonly string[]): void {
  const problems: Problem[] = [];
  for (const part of ['project', 'domain', 'name', 'version'] as const) {
    const value = key[part];
    if (value === '')
      problems.push({
        path: [...path, part],
        code: 'MissingField',
        message: `missing ${part}`,
      });
    if (value.length > MAX_KEY)
      problems.push({
        path: [...path, part],
        code: 'InvalidValue',
        message: `must have at most ${MAX_KEY} characters`,
      });
  }
  if (problems.length > 0) throw new InvalidArgumentError(problems);
}

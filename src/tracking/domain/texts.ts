import type { Problem } from '../../platform/errors.ts';

/** The rules for names and descriptions of experiments, runs and models. */

const MAX_NAME = 255;
const MAX_DESCRIPTION = 5000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const control = /[\u0000-\u001f\u007f-\u009f]/;

export function nameProblems(name: string, path: readonly string[] = ['input', 'name']): Problem[] {
  const fault = (message: string) => [{ path, code: 'InvalidValue', message }];
  if (name.trim() === '') return fault('missing name');
  if (name.length > MAX_NAME) return fault(`must have at most ${MAX_NAME} characters`);
  return control.test(name) ? fault('a name must not contain control characters') : [];
}

export function descriptionProblems(description: string): Problem[] {
  if (description.length <= MAX_DESCRIPTION) return [];
  const message = `must have at most ${MAX_DESCRIPTION} characters`;
  return [{ path: ['input', 'description'], code: 'InvalidValue', message }];
}

/** Names that callers cannot give. They are reserved for objects that the server may create itself in the future. */
export const isReservedName = (name: string): boolean => name.startsWith('__');

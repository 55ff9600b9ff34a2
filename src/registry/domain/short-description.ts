import { InvalidArgumentError } from '../../platform/errors.ts';

export const MAX_SHORT_DESCRIPTION = 300;

/** @throws InvalidArgumentError if the short description of a task or workflow is longer than 300 characters. */
export function requireShortDescription(text: string): void {
  if (text.length > MAX_SHORT_DESCRIPTION)
    throw InvalidArgumentError.of(
      ['input', 'shortDescription'],
      `must have at most ${MAX_SHORT_DESCRIPTION} characters`,
    );
}

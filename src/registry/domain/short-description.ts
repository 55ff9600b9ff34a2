import { InvalidArgumentError } from '../../platform/errors.ts';

const MAX_LENGTH = 300;

/** @throws InvalidArgumentError if the short description of a task or workflow is longer than 300 characters. */
export function requireShortDescription(text: string): void {
  if (text.length > MAX_LENGTH)
    throw InvalidArgumentError.of(
      ['input', 'shortDescription'],
      `must have at most ${MAX_LENGTH} characters`,
    );
}

import type { DescriptionFormat } from '../../generated/prisma/enums.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { MAX_SHORT_DESCRIPTION, requireShortDescription } from './short-description.ts';

const MAX_LONG_BYTES = 4096;
const MAX_LINK = 2048;
const MAX_TAGS = 16;
const MAX_TAG = 63;

/** What a version of a task or workflow says about itself. Source: Flyte's DescriptionEntity. */
export interface Description {
  readonly shortDescription: string;
  /** Null if there is none. */
  readonly longDescription: LongDescription | null;
  readonly sourceLink: string;
  readonly tags: readonly string[];
}

/** The text is here or behind a URI. */
export interface LongDescription {
  readonly value: string | null;
  readonly uri: string | null;
  readonly format: DescriptionFormat;
  readonly iconLink: string;
}

/**
 * Checks the descriptions of a new version. Its short description stands on the version and in the description, and
 * callers may give it in either place.
 *
 * @returns both, with the short description in each of them.
 * @throws InvalidArgumentError with all problems.
 */
export function checkDescriptions(
  given: string,
  description: Description | null,
): { readonly shortDescription: string; readonly description: Description | null } {
  requireShortDescription(given);
  if (!description) return { shortDescription: given, description };
  const problems = [
    ...shortProblems(given, description.shortDescription),
    ...longProblems(description.longDescription),
    ...limitProblems(['sourceCode', 'link'], description.sourceLink, MAX_LINK),
    ...tagProblems(description.tags),
  ];
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  const shortDescription = given || description.shortDescription;
  return { shortDescription, description: { ...description, shortDescription } };
}

const problemAt = (field: readonly string[], message: string): Problem => ({
  path: ['input', 'description', ...field],
  code: 'InvalidValue',
  message,
});

const limitProblems = (field: readonly string[], text: string, limit: number): Problem[] =>
  text.length > limit ? [problemAt(field, `must have at most ${limit} characters`)] : [];

function shortProblems(given: string, described: string): Problem[] {
  const field = ['shortDescription'];
  if (given === '' || described === '' || described === given)
    return limitProblems(field, described, MAX_SHORT_DESCRIPTION);
  return [problemAt(field, 'must be the same as the short description of the version')];
}

function longProblems(long: LongDescription | null): Problem[] {
  if (!long) return [];
  const { value, uri, iconLink } = long;
  const problems = [
    ...limitProblems(['longDescription', 'uri'], uri ?? '', MAX_LINK),
    ...limitProblems(['longDescription', 'iconLink'], iconLink, MAX_LINK),
  ];
  if ((value === null) === (uri === null))
    problems.push(problemAt(['longDescription'], 'give either value or uri'));
  if (value !== null && Buffer.byteLength(value) > MAX_LONG_BYTES) {
    const message = `must have at most ${MAX_LONG_BYTES} bytes; store a longer text elsewhere and give its uri`;
    problems.push(problemAt(['longDescription', 'value'], message));
  }
  return problems;
}

function tagProblems(tags: readonly string[]): Problem[] {
  if (tags.length > MAX_TAGS) return [problemAt(['tags'], `must have at most ${MAX_TAGS} tags`)];
  return tags.flatMap((tag, at) =>
    tag === '' || tag.length > MAX_TAG
      ? [problemAt(['tags', String(at)], `must have 1 to ${MAX_TAG} characters`)]
      : [],
  );
}

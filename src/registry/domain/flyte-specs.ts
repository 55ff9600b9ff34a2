import type { FlyteSpec } from '../../flyte/flyte-json.ts';
import type { Leftover } from '../../flyte/form.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { isRecord } from '../../values/json.ts';
import { Place } from '../../values/problem-list.ts';
import { isAbsent, json, wrongKind } from '../../values/readers.ts';

/** Where a spec stands in the inputs of mutations. */
export const flytePath = ['input', 'flyte'] as const;

/**
 * A spec of Flyte in our form, which the readers of the registry check next. What our form cannot hold comes beside it.
 *
 * @throws InvalidArgumentError if the spec is not an object.
 */
export function readFlyteSpec<Ours>(
  { toOurs }: FlyteSpec<Ours>,
  given: unknown,
): { readonly ours: Ours; readonly leftovers: readonly Leftover[] } {
  const place = new Place(flytePath);
  if (!isRecord(given)) wrongKind('an object', given, place);
  place.problems.throwIfAny();
  const { ours, leftovers } = toOurs(given);
  const storable = leftovers.map(({ path, value }) => ({ path, value: json(value, place.at(...path)) }));
  place.problems.throwIfAny();
  return { ours, leftovers: storable };
}

/** A document with what our form cannot hold. Without leftovers it is the same as one of our own API. */
export const withLeftoversBeside = (document: object, leftovers: readonly Leftover[] = []): object =>
  leftovers.length > 0 ? { ...document, leftovers } : document;

/** The leftovers in a stored document. */
export const leftoversIn = (document: unknown): readonly Leftover[] =>
  (document as { readonly leftovers?: readonly Leftover[] }).leftovers ?? [];

/** @throws InvalidArgumentError unless there is either a spec of Flyte, or fields of our own that say the same. */
export function requireOneForm(flyte: unknown, own: Readonly<Record<string, unknown>>, needed: string): void {
  const isSet = (value: unknown) => !isAbsent(value) && !(Array.isArray(value) && value.length === 0);
  const names = Object.keys(own).filter((name) => isSet(own[name]));
  if (!isAbsent(flyte) && names.length > 0)
    throw InvalidArgumentError.of(flytePath, `give either flyte or ${names.join(', ')}`);
  if (isAbsent(flyte) && !names.includes(needed))
    throw InvalidArgumentError.of(['input', needed], `give either ${needed} or flyte`);
}

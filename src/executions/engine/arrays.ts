import type { RunnableNode } from '../../registry/domain/closure.ts';
import { fitLiteral } from '../../values/fit-literal.ts';
import { entryOf } from '../../values/json.ts';
import { type Literal, type LiteralMap, noneLiteral } from '../../values/literals.ts';
import { type Outcome, outcomeOf, type Place, type Work } from '../../values/problem-list.ts';

export type RunnableArray = Extract<RunnableNode, { kind: 'ARRAY' }>;

/** The most items that one array may have. */
export const MAX_ITEMS = 100_000;

/** The names of the inputs that are lists with one value for each item. */
function mappedInputs({ array, item }: RunnableArray): string[] {
  return Object.keys(item.inputTypes).filter((name) => !array.boundInputs.includes(name));
}

/**
 * How many items an array has, from the lengths of its lists.
 *
 * Problems: `InvalidValue` if its lists have different lengths or there are too many items; `ValueRequired` if it has no
 * list at all.
 */
export function countItems(node: RunnableArray, inputs: LiteralMap, work?: Work): Outcome<number> {
  return outcomeOf(
    [],
    (place) => {
      const lengths = mappedInputs(node).flatMap((name) => {
        const list = listOf(entryOf(inputs, name));
        return list ? [{ name, length: list.length }] : [];
      });
      const [first, ...others] = lengths;
      if (!first) return place.report('ValueRequired', 'an array needs at least one list');
      const different = others.find(({ length }) => length !== first.length);
      if (different)
        return place.report(
          'InvalidValue',
          `the lists of an array must be equally long: ${first.name} has ${first.length} items, ${different.name} has ${different.length}`,
        );
      if (first.length > MAX_ITEMS)
        return place.report(
          'InvalidValue',
          `an array must have at most ${MAX_ITEMS} items, got ${first.length}`,
        );
      return first.length;
    },
    work,
  );
}

/** The inputs of one item: its value of each list, and the values that all items share. */
export function inputsOfItem(node: RunnableArray, inputs: LiteralMap, index: number): LiteralMap {
  const mapped = new Set(mappedInputs(node));
  const ofItem = Object.keys(node.item.inputTypes).flatMap((name) => {
    const value = entryOf(inputs, name);
    const own = mapped.has(name) ? listOf(value)?.[index] : value;
    return own === undefined ? [] : [[name, own] as const];
  });
  return Object.fromEntries(ofItem);
}

/**
 * The outputs of an array: for each output, the values of all items in their order. An item that did not succeed has the
 * value NONE.
 *
 * Problems: `ValueRequired` for a value that is missing and whose type is not optional.
 */
export function outputsOfItems(
  node: RunnableArray,
  itemCount: number,
  outputs: ReadonlyMap<number, LiteralMap>,
): Outcome<LiteralMap> {
  return outcomeOf([], (place) => {
    const lists = Object.entries(node.outputs).map(([name, { type }]) => {
      const at = place.at(name);
      const element = 'collectionType' in type ? type.collectionType : type;
      const literals = Array.from({ length: itemCount }, (_, index) => {
        const value = entryOf(outputs.get(index) ?? {}, name) ?? noneLiteral;
        return fitItem(element, value, name, at.at(index));
      });
      return [name, { collection: { literals: literals.filter((one) => one !== undefined) } }] as const;
    });
    return Object.fromEntries(lists);
  });
}

function fitItem(
  type: Parameters<typeof fitLiteral>[0],
  value: Literal,
  name: string,
  place: Place,
): Literal | undefined {
  const fitted = fitLiteral(type, value, place.trial());
  return fitted ?? place.report('ValueRequired', `an item has no output ${name}`);
}

function listOf(literal: Literal | undefined): readonly Literal[] | undefined {
  if (literal === undefined) return undefined;
  if ('collection' in literal) return literal.collection.literals;
  return 'scalar' in literal && 'union' in literal.scalar ? listOf(literal.scalar.union.value) : undefined;
}

import { describe, expect, it } from 'vitest';
import { fitLiteral } from '../../src/values/fit-literal.ts';
import type { LiteralType } from '../../src/values/literal-types.ts';
import type { Literal } from '../../src/values/literals.ts';
import { literalFromPlain } from '../../src/values/plain-values.ts';
import { MAX_STEPS, outcomeOf, Place, Work } from '../../src/values/problem-list.ts';
import { literalType, MAX_UNION_VARIANTS } from '../../src/values/read-literal-types.ts';
import { literal } from '../../src/values/read-literals.ts';
import { faultsOf, faultsThrown, readBy } from '../registry/outcomes.ts';

const string: LiteralType = { simple: 'STRING' };
const integer: LiteralType = { simple: 'INTEGER' };
const list = (collectionType: LiteralType): LiteralType => ({ collectionType });
const union = (...variants: LiteralType[]) => ({ unionType: { variants } });
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const enumOf = (index: number): LiteralType => ({ enumType: { values: [`a${index}`, `b${index}`] } });

/** The number of steps to read the value completely. */
function stepsOf(type: LiteralType, plain: unknown): number {
  const place = new Place([]);
  expect(literalFromPlain(type, plain, place)).toBeDefined();
  return place.work.steps;
}

describe('reading a list of a union', () => {
  it.each<[string, LiteralType[], unknown]>([
    ['of other kinds', many(MAX_UNION_VARIANTS - 1, (index) => list(enumOf(index))), 'x'],
    ['that are enums', many(MAX_UNION_VARIANTS - 1, enumOf), 'a48'],
  ])('takes the same steps for 50 variants as for two, %s', (_what, others, value) => {
    const own = value === 'x' ? string : enumOf(48);
    const wide = union(own, ...others.filter((other) => JSON.stringify(other) !== JSON.stringify(own)));
    const values = many(2000, () => value);
    expect(stepsOf(list(wide), values)).toBe(stepsOf(list(union(own, list(integer))), values));
  });

  it('takes twice the steps for twice the values', () => {
    const type = list(union(string, ...many(40, enumOf)));
    const [one, two] = [500, 1000].map((count) =>
      stepsOf(
        type,
        many(count, () => 'x'),
      ),
    );
    expect(Number(two) - 1).toBe(2 * (Number(one) - 1));
  });

  it.each([
    [320, 10],
    [321, 11],
  ])('counts a type of %i bytes in the literal of each value as %i steps', (bytes, steps) => {
    const name = 'x'.repeat(bytes - JSON.stringify({ enumType: { values: [''] } }).length);
    const type = union({ enumType: { values: [name] } });
    // The value, the variant that is tried, and the value of the variant.
    expect(stepsOf(type, name)).toBe(3 + steps);
  });

  it('takes few steps for literals that name their variants', () => {
    const type = union(string, ...many(40, enumOf));
    const named = {
      scalar: { union: { value: { scalar: { primitive: { stringValue: 'x' } } }, type: string } },
    };
    const place = new Place([]);
    const literals = many(1000, (): Literal => named);
    expect(fitLiteral(list(type), { collection: { literals } }, place)).toBeDefined();
    expect(place.work.steps).toBeLessThan(4 * 1000);
  });
});

describe('Work', () => {
  it('allows 500,000 steps, and refuses one more', () => {
    const [work, place] = [new Work(), new Place(['x'])];
    work.take(500_000, place);
    expect(faultsThrown(() => work.take(1, place))).toEqual(['TooLarge x']);
  });
});

describe('an input that takes too many steps', () => {
  const refused = (check: (place: Place) => unknown) => {
    const work = new Work();
    const outcome = outcomeOf(['x'], (place) => check(place) as object | undefined, work);
    // The check ends soon after the last step: within one more value.
    expect(work.steps).toBeLessThan(MAX_STEPS + 2000);
    return faultsOf(outcome).at(-1);
  };
  const nulls = many(MAX_STEPS, () => ({ scalar: { noneType: {} } }));

  it('is refused with its path by every reader', () => {
    const last = `TooLarge x.${MAX_STEPS - 1}`;
    expect(
      refused((place) =>
        literalFromPlain(
          list(integer),
          many(MAX_STEPS, () => 1),
          place,
        ),
      ),
    ).toBe(last);
    expect(refused((place) => literal({ collection: { literals: nulls } }, place))).toBe(
      `TooLarge x.collection.literals.${MAX_STEPS - 1}`,
    );
    const literals = nulls as unknown as Literal[];
    expect(
      refused((place) => fitLiteral(list({ simple: 'NONE' }), { collection: { literals } }, place)),
    ).toBe(last);
  });

  it('is refused when each of its values would carry a wide type', () => {
    const wide = union(
      { enumType: { values: many(1000, (index) => `a name that is long enough ${index}`) } },
      integer,
    );
    const values = many(2000, () => 'a name that is long enough 7');
    expect(refused((place) => literalFromPlain(list(wide), values, place))).toMatch(/^TooLarge x\.\d+$/);
  });

  it('is refused when each value fits none of many variants', () => {
    const tagged = many(
      MAX_UNION_VARIANTS,
      (index): LiteralType => ({
        simple: 'DATETIME',
        structure: { tag: String(index) },
      }),
    );
    const values = many(100_000, () => 'never');
    expect(refused((place) => literalFromPlain(list(union(...tagged)), values, place))).toMatch(/^TooLarge/);
  });
});

describe('a union', () => {
  const faults = (type: unknown) => faultsOf(readBy(literalType, type, ['type']));

  it('has at most 50 variants, including those of nested unions', () => {
    const variants = many(50, enumOf);
    const half = union(...variants.slice(0, 25));
    for (const largest of [union(...variants), union(half, half)]) {
      expect(readBy(literalType, largest).ok).toBe(true);
      const tooLarge = union(...largest.unionType.variants, string);
      expect(faults(tooLarge)).toEqual(['InvalidValue type.unionType.variants']);
    }
  });
});

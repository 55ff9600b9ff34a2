import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInParts } from '../../src/platform/json-in-parts.ts';

/** The value, and in how many steps it was parsed. */
function parsed(text: string, partLength: number): { readonly value: unknown; readonly steps: number } {
  const parts = parseInParts(text, partLength);
  for (let steps = 1; ; steps += 1) {
    const { done, value } = parts.next();
    if (done) return { value, steps };
  }
}

/** What comes of a text, with the order of its names. */
function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch (error) {
    return (error as Error).name;
  }
}
const sameAs = (text: string, partLength: number) => {
  const value = () => parsed(text, partLength).value;
  expect(outcome(value), text).toBe(outcome(() => JSON.parse(text)));
};

const json = fc.json({ maxDepth: 6, noUnicodeString: false } as object);

describe('JSON in parts', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, 1, 4), (text, length, indent) => {
        sameAs(JSON.stringify(JSON.parse(text), null, indent), length);
      }),
      { numRuns: 3000 },
    );
  });

  it('is refused exactly if JSON.parse refuses it, whatever is missing in it, put into it, or put twice', () => {
    const pieces = ['', ',', ':', '"', '[', ']', '{', '}', '\\', ' ', '1', 'null', '"a":', '"__proto__":'];
    fc.assert(
      fc.property(
        json,
        fc.integer({ min: 1, max: 30 }),
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.constantFrom(...pieces),
        (text, length, place, cut, piece) => {
          const at = place % (text.length + 1);
          sameAs(text.slice(0, at) + piece + text.slice(at + cut), length);
        },
      ),
      { numRuns: 6000 },
    );
  });

  it.each([
    ['{"a":1,"a":[2,3],"b":{},"a":{"a":[]}}'],
    ['{"__proto__":{"x":[1,2,3]},"constructor":1,"10":1,"2":[5]}'],
    ['[[],[[]],{},[{}],"]","[","\\"]","\\\\"]'],
    ['  [1, 2 ]  '],
    ['[1,]'],
    ['[,1]'],
    ['[[1,2,3],]'],
    ['[[1,2,3] 4]'],
    ['[[1,2,3] [4]]'],
    ['[[1,2,3}]'],
    ['{"a":[1,2,3],}'],
    ['{"a":1[2,3]}'],
    ['{"a"[1,2,3]}'],
    ['{[1,2,3]}'],
    ['[1 [2,3]]'],
    ['["a":[2,3]]'],
    ['[1,2]]'],
    ['[1,2] x'],
    ['\u00a0[1]'],
    ['[1]\u00a0'],
    ['["a'],
    ['["a\\"]'],
    ['"text"'],
    ['1'],
    [''],
    [' '],
  ])('is the same for %s', (text) => {
    for (let length = 1; length <= text.length + 1; length += 1) sameAs(text, length);
  });

  it('is the same if it is nested deeper than it is opened up', () => {
    const nested = (depth: number) => `${'[1,'.repeat(depth)}2${']'.repeat(depth)}`;
    for (const depth of [31, 32, 33, 5000]) sameAs(nested(depth), 1);
    // Below that, it is parsed as a whole.
    expect(parsed(nested(5000), 1).steps).toBeLessThan(100);
  });

  it('takes many steps for one object with many names, a list of many lists, and a long member of a member', () => {
    const names = JSON.stringify(
      Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`name${at}`, at])),
    );
    const lists = JSON.stringify(Array.from({ length: 1000 }, (_, at) => [at, [at]]));
    for (const text of [names, lists, `{"query":"{ a }","variables":{"a":1,"by":${names},"b":[]}}`]) {
      const { value, steps } = parsed(text, 100);
      expect(JSON.stringify(value)).toBe(text);
      expect(steps).toBeGreaterThan(text.length / 300);
      expect(steps).toBeLessThan(text.length / 50);
    }
  });
});

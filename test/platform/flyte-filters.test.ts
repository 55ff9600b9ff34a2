/** Flyte's grammar for filters: texts become terms, and every other text is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FilterTable, filterSql } from '../../src/platform/database/filter-sql.ts';
import { InvalidArgumentError } from '../../src/platform/errors.ts';
import {
  type FilterTerm,
  MAX_FILTER_CHARACTERS,
  MAX_FILTER_TERMS,
  MAX_FILTER_VALUES,
  parseFilters,
} from '../../src/platform/flyte-filters.ts';

const lists = ['value_in', 'value_not_in'] as const;
const singles = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'contains', 'not_like'] as const;

const word = fc.stringMatching(/^[a-z_]{1,12}$/);
/** Any text without the characters that separate the parts. One space after the comma does not count. */
const value = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[+,;]/g, '').trimStart());
const term: fc.Arbitrary<FilterTerm> = fc.oneof(
  fc.record({
    function: fc.constantFrom(...singles),
    prefix: fc.option(word),
    column: word,
    values: fc.tuple(value),
  }),
  fc.record({
    function: fc.constantFrom(...lists),
    prefix: fc.option(word),
    column: word,
    values: fc.array(value, { minLength: 1, maxLength: 5 }),
  }),
);

const written = (terms: readonly FilterTerm[], space = '') =>
  terms
    .map(({ function: name, prefix, column, values }) => {
      const field = prefix === null ? column : `${prefix}.${column}`;
      return `${name}(${field},${space}${values.join(';')})`;
    })
    .join('+');

/** The message of the error that a call throws. It names the argument. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as InvalidArgumentError).inputPath).toEqual(['filters']);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseFilters', () => {
  it('reads back every list of terms, with or without a space after the comma', () => {
    fc.assert(
      fc.property(
        fc.array(term, { maxLength: MAX_FILTER_TERMS }),
        fc.constantFrom('', ' '),
        (terms, space) => {
          expect(parseFilters(written(terms, space))).toEqual(terms);
        },
      ),
    );
  });

  it('answers terms or InvalidArgumentError for any text', () => {
    const part = fc.constantFrom('eq', 'value_in', '(', ')', ',', '+', ';', '.', ' ', 'name', 'é');
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (filters) => {
        try {
          expect(Array.isArray(parseFilters(filters))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
    );
  });

  it('keeps all but the first space of a value, and parentheses', () => {
    expect(parseFilters('eq(name,  a (b))')).toEqual([
      { function: 'eq', prefix: null, column: 'name', values: [' a (b)'] },
    ]);
  });

  it.each([
    ['eq', 'is not of the form function(field,value)'],
    ['eq(name)', 'is not of the form function(field,value)'],
    ['eq(name,a', 'is not of the form function(field,value)'],
    ['eq(name,a)+', 'is not of the form function(field,value)'],
    ['equals(name,a)', '"equals" is not a function'],
    ['EQ(name,a)', '"EQ" is not a function'],
    ['toString(name,a)', '"toString" is not a function'],
    ['eq(,a)', '"" is not a field'],
    ['eq(a.b.c,a)', '"a.b.c" is not a field'],
    ['eq(name,a,b)', '"name,a" is not a field'],
  ])('refuses %s', (text, message) => {
    expect(refusal(() => parseFilters(text))).toContain(message);
  });

  it('quotes at most 80 characters of what is wrong', () => {
    const name = (length: number) => 'n'.repeat(length);
    expect(refusal(() => parseFilters(`${name(80)}(a,b)`))).toContain(`"${name(80)}" is not a function`);
    expect(refusal(() => parseFilters(`${name(81)}(a,b)`))).toContain(`"${name(80)}…" is not a function`);
  });

  it('limits characters, terms and values', () => {
    const long = (length: number) => `eq(name,${'x'.repeat(length - 'eq(name,)'.length)})`;
    expect(parseFilters(long(MAX_FILTER_CHARACTERS))).toHaveLength(1);
    expect(refusal(() => parseFilters(long(MAX_FILTER_CHARACTERS + 1)))).toContain('4096 characters');
    const terms = (count: number) => Array.from({ length: count }, () => 'eq(a,b)').join('+');
    expect(parseFilters(terms(MAX_FILTER_TERMS))).toHaveLength(MAX_FILTER_TERMS);
    expect(refusal(() => parseFilters(terms(MAX_FILTER_TERMS + 1)))).toContain('20 terms');
    const values = (count: number) => `value_in(a,${Array.from({ length: count }, () => 'b').join(';')})`;
    expect(parseFilters(values(MAX_FILTER_VALUES))[0]?.values).toHaveLength(MAX_FILTER_VALUES);
    expect(refusal(() => parseFilters(values(MAX_FILTER_VALUES + 1)))).toContain('100 values');
  });
});

const table: FilterTable = {
  prefixes: ['task'],
  columns: {
    id: { column: 'version.id', type: 'uuid' },
    name: { column: 'version.name', type: 'text' },
    created_at: { column: 'version.created_at', type: 'timestamptz' },
    state: { column: 'version.state::text', type: 'enum', values: ['LOW', 'MIDDLE', 'HIGH'], first: 1 },
  },
  joined: { workflow: { name: { column: 'workflow.name', type: 'text' } } },
};
const compile = (text: string) => filterSql(parseFilters(text), table);

describe('filterSql', () => {
  it('puts no value into the text of a statement', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(...singles, ...lists), (text, name) => {
        const { own } = compile(`${name}(name,${text}x)`);
        expect(own.text).toBe(compile(`${name}(name,other)`).own.text);
        expect(own.values.flat()).toContain(`${text}x`);
      }),
    );
  });

  it('sorts terms by the table that they are about', () => {
    const { own, joined } = compile('eq(task.name,a)+eq(workflow.name,b)+ne(name,c)');
    expect(own.values).toEqual(['a', 'c']);
    expect([...joined.keys()]).toEqual(['workflow']);
    expect(joined.get('workflow')?.values).toEqual(['b']);
    expect(compile('').own.text).toBe('');
  });

  it.each([
    ['eq(state,1)', ['LOW']],
    ['eq(state,HIGH)', ['HIGH']],
    ['ne(state,1)', ['MIDDLE', 'HIGH']],
    ['gt(state,2)', ['HIGH']],
    ['gte(state,2)', ['MIDDLE', 'HIGH']],
    ['lt(state,2)', ['LOW']],
    ['lte(state,2)', ['LOW', 'MIDDLE']],
    ['value_in(state,1;HIGH)', ['LOW', 'HIGH']],
    ['value_not_in(state,1;HIGH)', ['MIDDLE']],
  ])('compares the numbers of an enum: %s', (text, values) => {
    expect(compile(text).own.values).toEqual([values]);
  });

  it.each([
    ['eq(owner,a)', 'owner is not a field of this list'],
    ['eq(constructor,a)', 'constructor is not a field of this list'],
    ['eq(workflow.id,a)', 'workflow.id is not a field of this list'],
    ['eq(execution.name,a)', 'no fields with the prefix execution'],
    ['eq(constructor.name,a)', 'no fields with the prefix constructor'],
    ['eq(id,a)', 'eq of id needs an id'],
    ['gte(created_at,yesterday)', 'gte of created_at needs an RFC 3339 time'],
    ['gte(created_at,2026-02-30T00:00:00Z)', 'gte of created_at needs an RFC 3339 time'],
    ['gte(created_at,2026-02-20)', 'gte of created_at needs an RFC 3339 time'],
    ['contains(created_at,2026-02-20T00:00:00Z)', 'contains of created_at needs a text'],
    ['not_like(state,1)', 'not_like of state needs a text'],
    ['eq(state,0)', 'state has no value 0'],
    ['eq(state,4)', 'state has no value 4'],
    ['value_in(state,1;LOUD)', 'state has no value LOUD'],
  ])('refuses %s', (text, message) => {
    expect(refusal(() => compile(text))).toContain(message);
  });
});

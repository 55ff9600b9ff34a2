import { type FilterFunction, type FilterTerm, invalidFilter } from '../flyte-filters.ts';
import { isId } from '../ids.ts';
import { parseInstant } from '../instants.ts';
import { join, nothing, raw, type Sql, sql } from './sql.ts';

/** `duration` is a number of seconds. */
type PlainType = 'text' | 'timestamptz' | 'uuid' | 'int' | 'duration';

/** A column that Flyte's filters can name. */
export type FilterColumn =
  | {
      /** An SQL expression. */
      readonly column: string;
      readonly type: PlainType;
    }
  | {
      /** An SQL expression of type text. */
      readonly column: string;
      readonly type: 'enum';
      /** The values in the order of Flyte's numbers, beginning with `first`. */
      readonly values: readonly string[];
      readonly first?: number;
    };

export type FilterColumns = Readonly<Record<string, FilterColumn>>;

/** What the filters of one list can name. */
export interface FilterTable {
  /** The prefixes that mean the list itself, such as `task`. */
  readonly prefixes: readonly string[];
  readonly columns: FilterColumns;
  /** The columns of other tables, by the prefix that means the table. */
  readonly joined?: Readonly<Record<string, FilterColumns>>;
}

/** The conditions of some filters, each `and …` or nothing. */
export interface FilterSql {
  readonly own: Sql;
  /** The conditions about another table. They are not here if no filter names it. */
  readonly joined: ReadonlyMap<string, Sql>;
}

/** @throws InvalidArgumentError for an unknown field, and for a value or a function that does not fit its column. */
export function filterSql(terms: readonly FilterTerm[], table: FilterTable): FilterSql {
  const { prefixes, columns, joined = {} } = table;
  const own: Sql[] = [];
  const others = new Map<string, Sql[]>();
  for (const term of terms) {
    const { prefix } = term;
    const isOwn = prefix === null || prefixes.includes(prefix);
    const other = isOwn || !Object.hasOwn(joined, prefix) ? undefined : joined[prefix];
    if (!isOwn && !other) throw invalidFilter(`this list has no fields with the prefix ${prefix}`);
    const condition = conditionOf(term, other ?? columns);
    if (isOwn) own.push(condition);
    else others.set(prefix, [...(others.get(prefix) ?? []), condition]);
  }
  return { own: allOf(own), joined: new Map([...others].map(([prefix, all]) => [prefix, allOf(all)])) };
}

const allOf = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? nothing : sql`and ${join(conditions, ' and ')}`;

/** The comparisons, in SQL and between the numbers of an enum. */
const comparisons: Readonly<
  Partial<Record<FilterFunction, { sql: string; holds: (one: number, other: number) => boolean }>>
> = {
  eq: { sql: '=', holds: (one, other) => one === other },
  ne: { sql: '<>', holds: (one, other) => one !== other },
  gt: { sql: '>', holds: (one, other) => one > other },
  gte: { sql: '>=', holds: (one, other) => one >= other },
  lt: { sql: '<', holds: (one, other) => one < other },
  lte: { sql: '<=', holds: (one, other) => one <= other },
};

function conditionOf(term: FilterTerm, columns: FilterColumns): Sql {
  const found = Object.hasOwn(columns, term.column) ? columns[term.column] : undefined;
  if (!found) {
    const known = Object.keys(columns).join(', ');
    throw invalidFilter(`${fieldOf(term)} is not a field of this list; use one of ${known}`);
  }
  if (found.type === 'enum') return enumCondition(term, found);
  const { column, type } = found;
  const values = term.values.map((text) => valueFrom(term, type, text));
  // Byte by byte, as lists are sorted by texts.
  const left = raw(type === 'text' ? `${column} collate "C"` : column);
  const sqlType = raw(type === 'duration' ? 'float8' : type);
  if (term.function === 'value_in') return sql`${left} = any(${values}::${sqlType}[])`;
  if (term.function === 'value_not_in') return sql`${left} <> all(${values}::${sqlType}[])`;
  const [value = ''] = values;
  const comparison = comparisons[term.function];
  if (comparison) return sql`${left} ${raw(comparison.sql)} ${value}::${sqlType}`;
  if (type !== 'text') throw unfit(term, 'a text');
  // `strpos` has no wildcards. In a pattern of a caller, `%` and `_` are wildcards, and nothing escapes them: with an
  // escape character, a pattern that ends with it would be an error of PostgreSQL.
  return term.function === 'contains'
    ? sql`strpos(${raw(column)}, ${value}) > 0`
    : sql`${raw(column)} not like ${value} escape ''`;
}

/** Flyte stores enums as numbers and compares these. Names are accepted too. */
function enumCondition(
  term: FilterTerm,
  { column, values, first = 0 }: Extract<FilterColumn, { type: 'enum' }>,
): Sql {
  const asked = term.values.map((text) => {
    const at = /^\d{1,4}$/.test(text) ? Number(text) - first : values.indexOf(text);
    if (values[at] === undefined)
      throw invalidFilter(`${fieldOf(term)} has no value ${text}; use one of ${values.join(', ')}`);
    return at;
  });
  const comparison = comparisons[term.function];
  const holds = (at: number): boolean => {
    if (term.function === 'value_in') return asked.includes(at);
    if (term.function === 'value_not_in') return !asked.includes(at);
    if (!comparison) throw unfit(term, 'a text');
    return comparison.holds(at, asked[0] ?? 0);
  };
  return sql`${raw(column)} = any(${values.filter((_, at) => holds(at))}::text[])`;
}

function valueFrom(term: FilterTerm, type: PlainType, text: string): string {
  if (type === 'text') return text;
  if (type === 'uuid') {
    if (!isId(text)) throw unfit(term, 'an id');
    return text;
  }
  if (type === 'int') {
    if (!/^-?\d{1,9}$/.test(text)) throw unfit(term, 'a whole number');
    return text;
  }
  if (type === 'duration') {
    const seconds = secondsFrom(text);
    if (seconds === null) throw unfit(term, 'a number of seconds, or a duration such as 1h30m or 2.5s');
    return String(seconds);
  }
  const instant = parseInstant(text);
  if (!instant) throw unfit(term, 'an RFC 3339 time such as 2026-01-31T12:00:00Z');
  return instant.toISOString();
}

const unitSeconds: Readonly<Record<string, number>> = {
  ...{ h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 },
};

/** The seconds of `3600.5`, or of a duration as Go writes it: `3600.5s`, `1h30m`. Null for any other text. */
function secondsFrom(text: string): number | null {
  if (/^\d{1,12}(\.\d{1,9})?$/.test(text)) return Number(text);
  if (!/^(\d{1,12}(\.\d{1,9})?(h|ms|m|s|us|µs|ns))+$/.test(text)) return null;
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)];
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitSeconds[unit] ?? 0), 0);
}

const unfit = (term: FilterTerm, needed: string) =>
  invalidFilter(`${term.function} of ${fieldOf(term)} needs ${needed}`);

const fieldOf = ({ prefix, column }: FilterTerm) => (prefix === null ? column : `${prefix}.${column}`);

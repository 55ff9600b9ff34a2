import { InvalidArgumentError } from './errors.ts';

/**
 * Flyte's grammar for filters, which only takes texts apart: `eq(name,train)+gte(created_at,2026-01-01T00:00:00Z)`.
 * All terms of a text must hold. `database/filter-sql.ts` makes SQL of them.
 *
 * A value contains no `+` and no comma, and a value of a list no `;`, because these separate the parts. The typed
 * filters of the lists take any text. Source: Flyte's ListRequest.filters.
 */

const filterFunctions = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'contains',
  'not_like',
  'value_in',
  'value_not_in',
] as const;
export type FilterFunction = (typeof filterFunctions)[number];

export interface FilterTerm {
  readonly function: FilterFunction;
  /** The text before the dot of the field; null if there is no dot. */
  readonly prefix: string | null;
  readonly column: string;
  /** Only `value_in` and `value_not_in` can have several. */
  readonly values: readonly string[];
}

export const MAX_FILTER_CHARACTERS = 4096;
export const MAX_FILTER_TERMS = 20;
export const MAX_FILTER_VALUES = 100;

/** The error for a wrong filter. It names the argument. */
export const invalidFilter = (message: string): InvalidArgumentError =>
  InvalidArgumentError.of(['filters'], message, 'InvalidFilter');

/**
 * The terms of a text; none for an empty text.
 *
 * @throws InvalidArgumentError for a text that does not follow the grammar or is too long.
 */
export function parseFilters(text: string): FilterTerm[] {
  if (text === '') return [];
  if (text.length > MAX_FILTER_CHARACTERS)
    throw invalidFilter(`filters must have at most ${MAX_FILTER_CHARACTERS} characters`);
  const terms = text.split('+');
  if (terms.length > MAX_FILTER_TERMS)
    throw invalidFilter(`filters must have at most ${MAX_FILTER_TERMS} terms`);
  return terms.map(parseTerm);
}

const callForm = /^([^(]*)\((.*)\)$/s;
const fieldForm = /^(?:([a-z_]+)\.)?([a-z_]+)$/;

function parseTerm(text: string): FilterTerm {
  const [, name = '', inside = ''] = callForm.exec(text) ?? [];
  const comma = inside.lastIndexOf(',');
  if (comma < 0) throw invalidFilter(`${quoted(text)} is not of the form function(field,value)`);
  const called = filterFunctions.find((one) => one === name);
  if (!called)
    throw invalidFilter(`${quoted(name)} is not a function; use one of ${filterFunctions.join(', ')}`);
  const field = inside.slice(0, comma);
  const [, prefix = null, column] = fieldForm.exec(field) ?? [];
  if (column === undefined)
    throw invalidFilter(
      `${quoted(field)} is not a field such as name or workflow.name; values cannot contain commas`,
    );
  const value = inside.slice(comma + 1).replace(/^ /, '');
  const values = called === 'value_in' || called === 'value_not_in' ? value.split(';') : [value];
  if (values.length > MAX_FILTER_VALUES)
    throw invalidFilter(`${called} must have at most ${MAX_FILTER_VALUES} values`);
  return { function: called, prefix, column, values };
}

const MAX_QUOTED = 80;

/** A part of the caller's text, for a message. */
const quoted = (text: string): string =>
  JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);

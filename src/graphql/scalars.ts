import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { formatDuration, parseDuration } from '../platform/duration.ts';
import { keepsDigits } from '../platform/exact-json.ts';
import { formatInstant, hasInstantForm, parseInstant } from '../platform/instants.ts';
import { depthFault, MAX_JSON_DEPTH } from '../platform/storable-json.ts';
import { builder, type Json } from './builder.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

function refuse(type: string, wanted: string, node?: ValueNode): never {
  throw new GraphQLError(`${type} must be ${wanted}`, {
    ...(node ? { nodes: node } : {}),
    extensions: { code: 'INVALID_ARGUMENT' },
  });
}

builder.scalarType('DateTime', {
  description:
    'An instant as RFC 3339 text. Answers are in UTC with milliseconds: `2026-11-22T08:30:00.000Z`. Inputs need a time zone.',
  serialize: formatInstant,
  parseValue: (value) => {
    if (typeof value !== 'string' || !hasInstantForm(value))
      refuse('DateTime', 'an RFC 3339 text with a time zone, such as 2026-01-31T12:00:00Z');
    return parseInstant(value) ?? refuse('DateTime', 'a date that exists in the calendar');
  },
});

builder.scalarType('Duration', {
  description:
    'A length of time as ISO 8601 text, in weeks, days, hours, minutes and seconds: `PT1M30S`, `PT0.250S`.',
  serialize: (value) => formatDuration(value),
  parseValue: (value) => {
    const milliseconds = typeof value === 'string' ? parseDuration(value) : null;
    return milliseconds ?? refuse('Duration', 'an ISO 8601 duration such as PT30S');
  },
});

function parseInt64(value: unknown): bigint {
  const isWhole =
    typeof value === 'number'
      ? Number.isSafeInteger(value)
      : typeof value === 'string' && /^-?\d{1,19}$/.test(value);
  if (!isWhole) refuse('BigInt', 'a 64-bit integer, as a decimal text');
  const number = BigInt(value as string | number);
  if (number < MIN_INT64 || number > MAX_INT64) refuse('BigInt', 'within 64 bits');
  return number;
}

builder.scalarType('BigInt', {
  description: 'A signed 64-bit integer as decimal text, because JSON numbers lose precision above 2^53.',
  serialize: (value) => value.toString(),
  parseValue: parseInt64,
  parseLiteral: (node) =>
    parseInt64(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

const losesDigits = 'JSON whose numbers keep their digits; send other numbers as text';
const tooDeep = `nested at most ${MAX_JSON_DEPTH} deep`;

builder.scalarType('JSON', {
  description: `Any JSON value. Its lists and objects may be nested ${MAX_JSON_DEPTH} deep. A whole number above 2^53 that would lose digits is refused; send it as text.`,
  serialize: (value) => value,
  parseValue: (value) => (depthFault(value) ? refuse('JSON', tooDeep) : (value as Json)),
  parseLiteral: (node, variables) => {
    const value = jsonOf(node, variables ?? {});
    // Also checked for variables in it: each was checked separately, and together they may be nested too deep.
    return depthFault(value) ? refuse('JSON', tooDeep, node) : (value as Json);
  },
});

/**
 * The value of a literal in the document, with the values of its variables. It calls itself for each level, as the
 * parser did before. src/http/limits.ts limits how deep a document may be nested.
 */
function jsonOf(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return variables[node.name.value];
    case Kind.INT:
      return keepsDigits(node.value) ? Number(node.value) : refuse('JSON', losesDigits, node);
    case Kind.FLOAT:
      return Number.isFinite(Number(node.value)) ? Number(node.value) : refuse('JSON', losesDigits, node);
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => jsonOf(value, variables));
    case Kind.OBJECT: {
      const fields = node.fields.map((field) => [field.name.value, jsonOf(field.value, variables)]);
      return Object.fromEntries(fields);
    }
  }
}

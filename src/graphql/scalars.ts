import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { formatDuration, parseDuration } from '../platform/duration.ts';
import { builder, type Json } from './builder.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

function refuse(type: string, wanted: string): never {
  throw new GraphQLError(`${type} must be ${wanted}`, {
    extensions: { code: 'INVALID_ARGUMENT' },
  });
}

builder.scalarType('DateTime', {
  description:
    'An instant, RFC 3339, always in UTC with milliseconds when it is an answer: `2026-11-22T08:30:00.000Z`.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    if (typeof value !== 'string' || !rfc3339.test(value))
      refuse('DateTime', 'an RFC 3339 text with a time zone');
    const instant = new Date(value);
    if (Number.isNaN(instant.getTime())) refuse('DateTime', 'a date of the calendar');
    return instant;
  },
});

builder.scalarType('Duration', {
  description:
    'A length of time, ISO 8601, of weeks, days, hours, minutes and seconds: `PT1M30S`, `PT0.250S`.',
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
  description: 'A signed 64-bit integer as a decimal text, since JSON numbers lose precision above 2^53.',
  serialize: (value) => value.toString(),
  parseValue: parseInt64,
  parseLiteral: (node) =>
    parseInt64(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value as Json,
  parseLiteral: (node, variables) => jsonOf(node, variables ?? {}) as Json,
});

/** A value written into the document itself, with the variables that it names. */
function jsonOf(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return variables[node.name.value];
    case Kind.INT:
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value;
    case Kind.FLOAT:
      return Number(node.value);
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

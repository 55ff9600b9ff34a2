import { durationNanoseconds, normalDuration } from '../values/durations.ts';
import { fractionText } from '../values/timestamps.ts';
import {
  always,
  type Form,
  given,
  lazily,
  listOf,
  mapOf,
  message,
  named,
  same,
  unless,
  wrapped,
} from './form.ts';

/** Source: Flyte v1.16, `flyteidl/core/types.proto`, `interface.proto` and `literals.proto`. */

/** `PT1M30S` is `90s` in protobuf JSON. */
export const duration: Form = {
  toOurs(flyte) {
    const [, sign = '', seconds] =
      (typeof flyte === 'string' && /^(-?)(\d{1,12}(?:\.\d{1,9})?)s$/.exec(flyte)) || [];
    return seconds === undefined ? flyte : (normalDuration(`${sign}PT${seconds}S`) ?? flyte);
  },
  toFlyte(ours) {
    const nanoseconds = typeof ours === 'string' ? durationNanoseconds(ours) : null;
    if (nanoseconds === null) return ours;
    const [sign, length] = nanoseconds < 0n ? ['-', -nanoseconds] : ['', nanoseconds];
    const fraction = fractionText((length % 1_000_000_000n).toString().padStart(9, '0'));
    return `${sign}${length / 1_000_000_000n}${fraction}s`;
  },
};

const schemaType = message({
  columns: always([], listOf(message({ name: always(''), type: always('INTEGER') }))),
});

const blobType = message({ format: always(''), dimensionality: always('SINGLE') });

export const literalType: Form = lazily(() => literalTypeMessage);

const structuredDatasetType = message({
  columns: always([], listOf(message({ name: always(''), literalType: given(literalType) }))),
  format: always(''),
  externalSchemaType: unless(''),
  externalSchemaBytes: unless(''),
});

const literalTypeMessage = message({
  simple: given(same),
  schema: given(schemaType),
  collectionType: given(literalType),
  mapValueType: given(literalType),
  blob: given(blobType),
  enumType: given(message({ values: always([]) })),
  structuredDatasetType: given(structuredDatasetType),
  unionType: given(message({ variants: always([], listOf(literalType)) })),
  metadata: given(same),
  annotation: given(same),
  structure: given(message({ tag: unless(''), dataclassType: unless({}, mapOf(literalType)) })),
});

export const variable = message({ type: given(literalType), description: unless('') });

const variables = wrapped('variables', {}, mapOf(variable));

export const typedInterface = message({
  inputs: always({}, variables),
  outputs: always({}, variables),
});

const primitive = message({
  integer: given(same),
  floatValue: given(same),
  stringValue: given(same),
  boolean: given(same),
  datetime: given(same),
  duration: given(duration),
});

export const literal: Form = lazily(() => literalMessage);

export const scalar = message({
  primitive: given(primitive),
  blob: given(
    message({
      uri: always(''),
      metadata: given(message({ type: always({ format: '', dimensionality: 'SINGLE' }, blobType) })),
    }),
  ),
  binary: given(message({ value: always(''), tag: always('') })),
  schema: given(message({ uri: always(''), type: given(schemaType) })),
  noneType: given(same),
  error: given(message({ failedNodeId: always(''), message: always('') })),
  generic: given(same),
  structuredDataset: given(
    message({
      uri: always(''),
      metadata: given(message({ type: named('structuredDatasetType', given(structuredDatasetType)) })),
    }),
  ),
  union: given(message({ value: given(literal), type: given(literalType) })),
});

const literalMessage = message({
  scalar: given(scalar),
  collection: given(message({ literals: always([], listOf(literal)) })),
  map: given(message({ literals: always({}, mapOf(literal)) })),
  // The reader refuses it: a value must be in its message.
  offloadedMetadata: given(same),
  hash: unless(''),
  metadata: unless({}),
});

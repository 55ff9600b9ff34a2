import { builder } from '../../graphql/builder.ts';
import { BlobDimensionalityEnum, SimpleTypeEnum } from './literal-type.ts';

const BlobTypeInput = builder.inputType('BlobTypeInput', {
  description: 'The type of a file or a folder of files.',
  fields: (t) => ({
    format: t.string({
      description: 'The format, such as `csv`. Two formats fit if they are equal or one of them is empty.',
    }),
    dimensionality: t.field({ type: BlobDimensionalityEnum, description: 'One file, or several.' }),
  }),
});

const EnumTypeInput = builder.inputType('EnumTypeInput', {
  description: 'The type of a text that must be one of some given texts.',
  fields: (t) => ({
    values: t.stringList({
      required: true,
      description: 'The texts that are allowed. The first is the default.',
    }),
  }),
});

export const LiteralTypeInput = builder.inputRef<object>('LiteralTypeInput').implement({
  description:
    "The type of a value. Give exactly one kind; you may also give `metadata`, `annotation` and `structure`. Source: Flyte's LiteralType.",
  fields: (t) => ({
    simple: t.field({ type: SimpleTypeEnum, description: 'A value without parts.' }),
    schema: t.field({
      type: 'JSON',
      description:
        'A table in the old form: `{columns: [{name, type}]}`. New tasks use `structuredDatasetType`.',
    }),
    collectionType: t.field({ type: LiteralTypeInput, description: 'A list whose items have this type.' }),
    mapValueType: t.field({ type: LiteralTypeInput, description: 'A map from text to values of this type.' }),
    blob: t.field({ type: BlobTypeInput, description: 'A file, or a folder of files.' }),
    enumType: t.field({ type: EnumTypeInput, description: 'A text that must be one of some given texts.' }),
    structuredDatasetType: t.field({
      type: 'JSON',
      description: 'A table: `{columns: [{name, literalType}], format}`.',
    }),
    unionType: t.field({
      type: UnionTypeInput,
      description: 'A value of one of several types. If NONE is one of them, the value is optional.',
    }),
    metadata: t.field({
      type: 'JSON',
      description: 'Any JSON object that the author wants to store with the type.',
    }),
    annotation: t.field({
      type: 'JSON',
      description: "Flyte's TypeAnnotation: notes of the SDK about the type.",
    }),
    structure: t.field({
      type: 'JSON',
      description: "Flyte's TypeStructure: how the SDK tells variants of a union apart.",
    }),
  }),
});

const UnionTypeInput = builder.inputRef<object>('UnionTypeInput').implement({
  description: 'A union of types: a value has one of them.',
  fields: (t) => ({
    variants: t.field({
      type: [LiteralTypeInput],
      required: true,
      description: 'The types that the value may have.',
    }),
  }),
});

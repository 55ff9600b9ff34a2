import { builder } from '../../graphql/builder.ts';
import { enumOf } from '../../graphql/enum.ts';
import {
  type BlobType,
  type EnumType,
  type LiteralType,
  type SchemaColumn,
  type SchemaType,
  type StructuredDatasetColumn,
  type StructuredDatasetType,
  type schemaColumnTypes,
  type TypeStructure,
  typeText,
  type UnionType,
} from '../../values/literal-types.ts';

export const SimpleTypeEnum = enumOf('SimpleType', 'The types of values that have no parts.', {
  NONE: 'No value. In a union it makes the value optional.',
  INTEGER: 'A signed 64-bit integer.',
  FLOAT: 'A 64-bit floating-point number.',
  STRING: 'A text.',
  BOOLEAN: 'True or false.',
  DATETIME: 'An instant, written as RFC 3339 text.',
  DURATION: 'A length of time, written as ISO 8601 text.',
  BINARY: 'Bytes with a tag that says what they are.',
  ERROR: 'An error that a node failed with.',
  STRUCT: 'Any JSON object.',
});

export const BlobDimensionalityEnum = enumOf(
  'BlobDimensionality',
  'Whether a value is one file or several.',
  {
    SINGLE: 'One file.',
    MULTIPART: 'A folder of files.',
  },
);

const SchemaColumnTypeEnum = enumOf<(typeof schemaColumnTypes)[number]>(
  'SchemaColumnType',
  'The type of the values in a column of a table in the old form.',
  {
    INTEGER: 'Signed 64-bit integers.',
    FLOAT: 'Floating-point numbers of 64 bits.',
    STRING: 'Texts.',
    BOOLEAN: 'True or false.',
    DATETIME: 'Instants.',
    DURATION: 'Lengths of time.',
  },
);

const SchemaColumnRef = builder.objectRef<SchemaColumn>('SchemaColumn').implement({
  description: 'A column of a table in the old form.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the column, unique in its table.' }),
    type: t.expose('type', {
      type: SchemaColumnTypeEnum,
      description: 'The type of the values in the column.',
    }),
  }),
});

const SchemaTypeRef = builder.objectRef<SchemaType>('SchemaType').implement({
  description: 'The type of a table in the old form. New tasks use `structuredDatasetType`.',
  fields: (t) => ({
    columns: t.field({
      type: [SchemaColumnRef],
      extensions: { listSize: 10 },
      description: 'The columns that a table must have. Empty if any table fits.',
      resolve: ({ columns }) => [...columns],
    }),
  }),
});

const BlobTypeRef = builder.objectRef<BlobType>('BlobType').implement({
  description: 'The type of a file or a folder of files.',
  fields: (t) => ({
    format: t.exposeString('format', { description: 'The format, such as `csv`. Empty if any format fits.' }),
    dimensionality: t.expose('dimensionality', {
      type: BlobDimensionalityEnum,
      description: 'One file, or several.',
    }),
  }),
});

const EnumTypeRef = builder.objectRef<EnumType>('EnumType').implement({
  description: 'The type of a text that must be one of some given texts.',
  fields: (t) => ({
    values: t.stringList({
      description: 'The texts that are allowed. The first is the default.',
      resolve: ({ values }) => [...values],
    }),
  }),
});

/** Recursive, so its type is written before it is described. */
export const LiteralTypeType = builder.objectRef<LiteralType>('LiteralType');

const StructuredDatasetColumnRef = builder
  .objectRef<StructuredDatasetColumn>('StructuredDatasetColumn')
  .implement({
    description: 'A column of a table.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'The name of the column, unique in its table.' }),
      literalType: t.expose('literalType', {
        type: LiteralTypeType,
        description: 'The type of the values in the column.',
      }),
    }),
  });

const StructuredDatasetTypeRef = builder.objectRef<StructuredDatasetType>('StructuredDatasetType').implement({
  description: 'The type of a table.',
  fields: (t) => ({
    columns: t.field({
      type: [StructuredDatasetColumnRef],
      extensions: { listSize: 10 },
      description: 'The columns that a table must have. Empty if any table fits.',
      resolve: ({ columns }) => [...columns],
    }),
    format: t.exposeString('format', {
      description: 'The format, such as `parquet`. Capitals and small letters are equal. Empty if any fits.',
    }),
    externalSchemaType: t.exposeString('externalSchemaType', {
      nullable: true,
      description: 'The language of the schema in `externalSchemaBytes`, such as `arrow`. Null if not given.',
    }),
    externalSchemaBytes: t.exposeString('externalSchemaBytes', {
      nullable: true,
      description: 'A schema of another system, in base64. Null if not given.',
    }),
  }),
});

const UnionTypeRef = builder.objectRef<UnionType>('UnionType').implement({
  description: 'A union of types: a value has one of them.',
  fields: (t) => ({
    variants: t.field({
      type: [LiteralTypeType],
      extensions: { listSize: 2 },
      description: 'The types that the value may have. If NONE is one of them, the value is optional.',
      resolve: ({ variants }) => [...variants],
    }),
  }),
});

interface StructureField {
  readonly name: string;
  readonly literalType: LiteralType;
}

const StructureFieldRef = builder.objectRef<StructureField>('StructureField').implement({
  description: 'A field of a dataclass.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the field, unique in its dataclass.' }),
    literalType: t.expose('literalType', {
      type: LiteralTypeType,
      description: 'The type of the value of the field.',
    }),
  }),
});

const TypeStructureRef = builder.objectRef<TypeStructure>('TypeStructure').implement({
  description: 'What the SDK says about the structure of a type.',
  fields: (t) => ({
    tag: t.exposeString('tag', {
      nullable: true,
      description:
        'Tells variants of a union apart: a value of a type with a tag fits only a type with the same tag. Null if there is none.',
    }),
    dataclassType: t.field({
      type: [StructureFieldRef],
      extensions: { listSize: 10 },
      description: 'The fields of a STRUCT that comes from a dataclass. Empty if they are not declared.',
      resolve: ({ dataclassType = {} }) =>
        Object.entries(dataclassType).map(([name, literalType]) => ({ name, literalType })),
    }),
  }),
});

LiteralTypeType.implement({
  description:
    "The type of a value. Exactly one kind is not null: `simple`, `schema`, `collectionType`, `mapValueType`, `blob`, `enumType`, `structuredDatasetType` or `unionType`. Types contain types; where a document cannot go deep enough, `text` shows the type in short, and the field of type JSON beside this one shows all of it. Source: Flyte's LiteralType.",
  fields: (t) => ({
    text: t.string({
      description:
        'The type in short, as messages show it: `integer`, `list<string>`, `map<float>`, `union<datetime, none>`, `enum(small, large)`, `single blob(csv)`. A text of more than 200 characters is cut.',
      resolve: typeText,
    }),
    simple: t.field({
      type: SimpleTypeEnum,
      nullable: true,
      description: 'Set if it is the type of a value without parts.',
      resolve: (type) => ('simple' in type ? type.simple : null),
    }),
    schema: t.field({
      type: SchemaTypeRef,
      nullable: true,
      description: 'Set if it is the type of a table in the old form.',
      resolve: (type) => ('schema' in type ? type.schema : null),
    }),
    collectionType: t.field({
      type: LiteralTypeType,
      nullable: true,
      description: 'Set if it is the type of a list: the type of its items.',
      resolve: (type) => ('collectionType' in type ? type.collectionType : null),
    }),
    mapValueType: t.field({
      type: LiteralTypeType,
      nullable: true,
      description: 'Set if it is the type of a map from texts: the type of its values.',
      resolve: (type) => ('mapValueType' in type ? type.mapValueType : null),
    }),
    blob: t.field({
      type: BlobTypeRef,
      nullable: true,
      description: 'Set if it is the type of a file, or of a folder of files.',
      resolve: (type) => ('blob' in type ? type.blob : null),
    }),
    enumType: t.field({
      type: EnumTypeRef,
      nullable: true,
      description: 'Set if it is the type of a text that must be one of some given texts.',
      resolve: (type) => ('enumType' in type ? type.enumType : null),
    }),
    structuredDatasetType: t.field({
      type: StructuredDatasetTypeRef,
      nullable: true,
      description: 'Set if it is the type of a table.',
      resolve: (type) => ('structuredDatasetType' in type ? type.structuredDatasetType : null),
    }),
    unionType: t.field({
      type: UnionTypeRef,
      nullable: true,
      description: 'Set if a value may have one of several types.',
      resolve: (type) => ('unionType' in type ? type.unionType : null),
    }),
    metadata: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'A JSON object that the author has stored with the type: for a STRUCT its JSON Schema. Null if there is none.',
      resolve: ({ metadata = null }) => metadata,
    }),
    annotation: t.field({
      type: 'JSON',
      nullable: true,
      description: "Flyte's TypeAnnotation: notes of the SDK about the type. Null if there are none.",
      resolve: ({ annotation = null }) => annotation,
    }),
    structure: t.field({
      type: TypeStructureRef,
      nullable: true,
      description: 'What the SDK says about the structure of the type. Null if it says nothing.',
      resolve: ({ structure = null }) => structure,
    }),
  }),
});

/** Every root field of the schema, with the least document that asks it. */
import {
  type GraphQLField,
  type GraphQLInputType,
  GraphQLNonNull,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isScalarType,
} from 'graphql';
import { schema } from '../../src/api/schema.ts';

/** The least value that validation lets through, so that the rule decides and not the parser. */
function someValue(type: GraphQLInputType): unknown {
  if (type instanceof GraphQLNonNull) return someValue(type.ofType);
  if (isListType(type)) return [someValue(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isScalarType(type)) {
    const samples: Record<string, unknown> = {
      Int: 1,
      Float: 1,
      Boolean: true,
      DateTime: '2026-01-01T00:00:00Z',
      Duration: 'PT1S',
      BigInt: '1',
      JSON: {},
    };
    return samples[type.name] ?? 'x';
  }
  if (!isInputObjectType(type)) throw new Error('no such input');
  const fields = Object.values(type.getFields());
  const given = type.isOneOf
    ? fields.slice(0, 1)
    : fields.filter((field) => field.type instanceof GraphQLNonNull);
  return Object.fromEntries(given.map((field) => [field.name, someValue(field.type)]));
}

export interface RootField {
  readonly operation: string;
  readonly name: string;
  readonly field: GraphQLField<unknown, unknown>;
}

export const rootFields: readonly RootField[] = [
  schema.getQueryType(),
  schema.getMutationType(),
  schema.getSubscriptionType(),
].flatMap((type) =>
  Object.values(type?.getFields() ?? {}).map((field) => ({
    operation: (type?.name ?? '').toLowerCase(),
    name: field.name,
    field,
  })),
);

export function documentFor({ operation, name, field }: RootField) {
  const given = field.args.filter((arg) => arg.type instanceof GraphQLNonNull);
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }';
  const body = `${name}${passed ? `(${passed})` : ''}${selection}`;
  return {
    document: `${operation} ${declared ? `(${declared})` : ''} { ${body} }`,
    variables: Object.fromEntries(given.map((arg) => [arg.name, someValue(arg.type)])),
  };
}

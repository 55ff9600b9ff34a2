/** The descriptions of the schema are its documentation: none is missing, and all have the same style. */
import {
  type GraphQLNamedType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';

interface Described {
  readonly place: string;
  /** The last name of the path, in words. */
  readonly name: string;
  readonly text: string;
}

const words = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

const described = (place: string, name: string, text: string | null | undefined): Described => ({
  place,
  name: words(name),
  text: text ?? '',
});

function partsOf(type: GraphQLNamedType): Described[] {
  if (isEnumType(type))
    return type
      .getValues()
      .map(({ name, description }) => described(`${type.name}.${name}`, name, description));
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map(({ name, description }) =>
      described(`${type.name}.${name}`, name, description),
    );
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap(({ name, description, args }) => [
    described(`${type.name}.${name}`, name, description),
    ...args.map((argument) =>
      described(`${type.name}.${name}(${argument.name})`, argument.name, argument.description),
    ),
  ]);
}

const all = Object.values(schema.getTypeMap())
  .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
  .flatMap((type) => [described(type.name, type.name, type.description), ...partsOf(type)]);

const where = (isWrong: (one: Described) => boolean) => all.filter(isWrong).map(({ place }) => place);

describe('every type, field, argument and enum value', () => {
  it('has a description', () => {
    expect(all.length).toBeGreaterThan(1000);
    expect(where(({ text }) => text.trim() === '')).toEqual([]);
  });

  it('has one that adds something to its name', () => {
    const bare = (text: string) => words(text.replace(/^(The|A|An|Its) /, '').replace(/[.`]/g, ''));
    expect(where(({ name, text }) => bare(text) === name)).toEqual([]);
  });

  it('has one that names the objects, if it belongs to a list', () => {
    const members = ['nodes', 'edges', 'totalCount', 'pageInfo', 'node', 'cursor'];
    const nodeOf = (type: string) => /(\w+)(Connection|Edge)$/.exec(type)?.[1];
    const unnamed = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
      .flatMap(({ type, field }) => {
        const listed = nodeOf(getNamedType(field.type).name);
        const pages = field.args.filter(({ name }) => /^(first|last|before|after)$/.test(name));
        return [
          ...(members.includes(field.name)
            ? [[`${type.name}.${field.name}`, nodeOf(type.name), field] as const]
            : []),
          ...pages.map((page) => [`${type.name}.${field.name}(${page.name})`, listed, page] as const),
        ];
      })
      .filter(([, node, { description }]) => node && !description?.includes(`${node} object`));
    expect(unnamed.map(([place]) => place)).toEqual([]);
  });

  it('has one that names the mutation, if it is an input or a result', () => {
    const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
    const unnamed = mutations.filter(({ type, args }) => {
      const texts = [getNamedType(type).description, ...args.map(({ description }) => description)];
      return texts.some((text) => /^(The input of|What) the mutation\b/.test(text ?? ''));
    });
    expect(mutations.length).toBeGreaterThan(100);
    expect(unnamed.map(({ name }) => name)).toEqual([]);
  });

  it('has one that says what the mutation requires, if it is an input', () => {
    const textOf = (mutation: string) =>
      schema.getMutationType()?.getFields()[mutation]?.args[0]?.description ?? '';
    expect(textOf('deleteQueue')).toBe('The input of `deleteQueue`. `by` is required.');
    expect(textOf('cancelJobSet')).toBe('The input of `cancelJobSet`. `jobSet` and `queue` are required.');
    expect(textOf('updateTenant')).toBe('The input of `updateTenant`. None of its fields is required.');
  });

  it('has one that is a sentence: a capital at its beginning and a full stop at its end', () => {
    expect(where(({ text }) => !/^[A-Z`].*[.…]$/s.test(text))).toEqual([]);
  });

  it('has straight apostrophes and quotation marks', () => {
    expect(where(({ text }) => /[‘’“”]/.test(text))).toEqual([]);
  });
});

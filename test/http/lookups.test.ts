/** Looking things up by addresses that lead nowhere, made up with care: no answer tells of what is behind. */
import {
  type GraphQLArgument,
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { overWebSocket } from '../support/watch.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const texts = [
  newId(),
  'x',
  '',
  "' or 1 = 1 --",
  '"; drop table users',
  '../../etc/passwd',
  '%',
  '\u{1f427}'.repeat(300),
  'a\u0000b',
  'x'.repeat(20_000),
];

/** All that can be told of where something is; null for an argument that is no address. */
function addresses(type: GraphQLInputType): ((text: string) => unknown)[] {
  const bare = getNullableType(type) as GraphQLInputType;
  if (!isInputObjectType(bare)) {
    const isText = 'name' in bare && (bare.name === 'ID' || bare.name === 'String');
    return isText ? [(text) => text] : [];
  }
  const fields = Object.values(bare.getFields());
  if (bare.isOneOf)
    return fields.flatMap(({ name, type: inner }) =>
      addresses(inner).map((make) => (text: string) => ({ [name]: make(text) })),
    );
  const required = fields.filter(isRequiredInputField);
  const made = required.map(({ name, type: inner }) => [name, addresses(inner)[0]] as const);
  if (made.some(([, make]) => make === undefined)) return [];
  return [(text) => Object.fromEntries(made.map(([name, make]) => [name, make?.(text)]))];
}

const lookups = Object.values(schema.getQueryType()?.getFields() ?? {}).flatMap((field) => {
  const required: readonly GraphQLArgument[] = field.args.filter(isRequiredArgument);
  const [only] = required;
  if (!only || required.length > 1 || !['by', 'id', 'filter'].includes(only.name)) return [];
  const named = getNullableType(field.type);
  const selection = isObjectType(named) || 'getTypes' in named ? '{ __typename }' : '';
  return addresses(only.type).map((make, form) => ({
    name: `${field.name}, form ${form + 1}`,
    query: `query ($at: ${only.type}) { ${field.name}(${only.name}: $at) ${selection} }`,
    make,
  }));
});

const ofTheDatabase =
  /\b(select|insert|update|relation|column|syntax|prisma|postgres|pg_|uuid|encoding|P20\d\d)\b/i;

describe('a lookup of an object that does not exist', () => {
  it('is tested for every field that has an address', () => {
    expect(lookups.length).toBeGreaterThan(10);
  });

  it.each(lookups)('answers without details of the database: $name', async ({ query, make }) => {
    for (const text of texts) {
      const at = make(text);
      const { data, errors } = await app.ask(query, { at });
      const [error] = errors ?? [];
      expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
      expect(error?.extensions.code).toMatch(/^(NOT_FOUND|INVALID_ARGUMENT)$/);
      // What was asked may be repeated, as text or as JSON writes it.
      const told = JSON.stringify(errors?.map(({ message, extensions }) => ({ message, extensions })));
      const said = told.replaceAll(JSON.stringify(text).slice(1, -1) || '\u0000', '');
      expect(said).not.toMatch(ofTheDatabase);
    }
    const overSocket = await overWebSocket(app, query, { at: make("' or 1 = 1 --") });
    expect(overSocket.errors[0].message.replace("' or 1 = 1 --", '')).not.toMatch(ofTheDatabase);
  });
});

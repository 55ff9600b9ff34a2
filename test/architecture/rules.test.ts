import {
  type GraphQLInputType,
  GraphQLNonNull,
  isEnumType,
  isInputObjectType,
  isListType,
  isScalarType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireRules } from '../../src/api/permissions.ts';
import { rules, schema } from '../../src/api/schema.ts';
import { type App, startApp } from '../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

/** Root fields that answer whoever asks, signed in or not. Adding one is a decision. */
const openToEveryone: readonly string[] = ['fixedUsersMode'];

/** The least value that validation lets through, so that the rule decides and not the parser. */
function someValue(type: GraphQLInputType): unknown {
  if (type instanceof GraphQLNonNull) return someValue(type.ofType);
  if (isListType(type)) return [];
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

const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({
      operation: (type?.name ?? '').toLowerCase(),
      name: field.name,
      field,
    })),
);

function documentFor({ operation, name, field }: (typeof roots)[number]) {
  const given = field.args.filter((arg) => arg.type instanceof GraphQLNonNull);
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const body = `${name}${passed ? `(${passed})` : ''} { __typename }`;
  return {
    document: `${operation} ${declared ? `(${declared})` : ''} { ${body} }`,
    variables: Object.fromEntries(given.map((arg) => [arg.name, someValue(arg.type)])),
  };
}

describe('every root field', () => {
  it('has a rule', () => {
    expect(() => requireRules(schema, rules)).not.toThrow();
    expect(roots.length).toBeGreaterThan(35);
  });

  it('is missed when its rule is gone, and so is the field of a rule', () => {
    const { viewer: _viewer, ...others } = rules.Query;
    expect(() => requireRules(schema, { ...rules, Query: others })).toThrow('Query.viewer');
    const extra = { ...rules.Query, ghost: rules.Query['viewer'] as never };
    expect(() => requireRules(schema, { ...rules, Query: extra })).toThrow('Query.ghost');
  });

  it.each(roots.filter(({ name }) => !openToEveryone.includes(name)))(
    'gives a stranger nothing: $operation $name',
    async (root) => {
      const { document, variables } = documentFor(root);
      const accept = root.operation === 'subscription' ? 'text/event-stream' : 'application/json';
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query: document, variables }),
      });
      const text = await response.text();
      expect(text).toContain('UNAUTHENTICATED');
      expect(text).not.toContain('__typename');
    },
  );
});

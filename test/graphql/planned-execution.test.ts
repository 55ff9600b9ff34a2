/** Plans answer as GraphQL's own executor does. The documents and the behaviour of all resolvers are generated. */
import fc from 'fast-check';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfigMap,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { objectsIn } from '../../src/graphql/execution/complete.ts';
import { Planner } from '../../src/graphql/execution/plan.ts';
import { Run } from '../../src/graphql/execution/run.ts';

const DOCUMENTS = process.env['SOAK'] ? 10_000 : 400;

/** An object is only a number. Everything that its fields do follows from it and from the name of the field. */
interface Seeded {
  readonly seed: number;
  readonly plain: string;
  method(args: object): string;
}

function mix(seed: number, text: string): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995);
  return (hash ^ (hash >>> 13)) >>> 0;
}

const seeded = (seed: number): Seeded => ({
  seed,
  plain: `plain ${seed % 100}`,
  method: (args) => `method ${JSON.stringify(args)}`,
});

/** A value, null, an error that is thrown or returned, each at once or later. */
function behave(seed: number, value: () => unknown): unknown {
  const result = (): unknown => {
    if (seed % 19 === 0) throw new Error(`thrown ${seed % 7}`);
    if (seed % 23 === 0) return new Error(`returned ${seed % 7}`);
    if (seed % 11 === 0) return null;
    return value();
  };
  const way = (seed >>> 8) % 3;
  if (way === 0) return result();
  if (way === 1) return Promise.resolve().then(result);
  return new Promise((resolve) => setImmediate(resolve)).then(result);
}

const Colour = new GraphQLEnumType({ name: 'Colour', values: { RED: { value: 1 }, BLUE: { value: 2 } } });
const Strict = new GraphQLScalarType({
  name: 'Strict',
  serialize: (value) => {
    if (value === 'bad') throw new Error('cannot serialize');
    return value === 'nothing' ? null : { of: value };
  },
});
const Choice = new GraphQLInputObjectType({
  name: 'Choice',
  isOneOf: true,
  fields: { text: { type: GraphQLString }, number: { type: GraphQLInt } },
});

const scalar = (type: GraphQLOutputType, value: (seed: number, args: object) => unknown) => ({
  type,
  args: {
    n: { type: GraphQLInt, defaultValue: 3 },
    choice: { type: Choice },
    list: { type: new GraphQLList(new GraphQLNonNull(GraphQLInt)) },
  },
  resolve: (source: Seeded, args: object, _context: unknown, { fieldName }: { fieldName: string }) => {
    const seed = mix(source.seed, fieldName);
    return behave(seed, () => value(seed, args));
  },
});

const composite = (type: GraphQLOutputType, value: (seed: number) => unknown) => ({
  type,
  resolve: (
    source: Seeded | undefined,
    _args: object,
    _context: unknown,
    { path }: { path: { key: unknown } },
  ) => {
    const seed = mix(source?.seed ?? 1, String(path.key));
    return behave(seed, () => value(seed));
  },
});

const NN = <T extends GraphQLOutputType>(type: T) => new GraphQLNonNull(type as never);
const list = (type: GraphQLOutputType) => new GraphQLList(type);
const items = (seed: number) =>
  Array.from({ length: seed % 4 }, (_, at) => {
    const item = behave(mix(seed, `item${at}`), () => seeded(mix(seed, `${at}`)));
    // GraphQL's own executor does not wait for those that come after a fault.
    if (item instanceof Promise) item.catch(() => {});
    return item;
  });

const fields = (): GraphQLFieldConfigMap<Seeded, unknown> => ({
  id: { type: NN(GraphQLID), resolve: ({ seed }) => seed % 1000 },
  plain: { type: GraphQLString },
  method: { type: GraphQLString, args: { n: { type: GraphQLInt } } },
  text: scalar(GraphQLString, (seed, args) => `text ${seed % 50} ${JSON.stringify(args)}`),
  sure: scalar(NN(GraphQLString), (seed) => `sure ${seed % 50}`),
  whole: scalar(GraphQLInt, (seed) => (seed % 5 === 0 ? 'not a number' : seed % 50)),
  yes: scalar(NN(GraphQLBoolean), (seed) => seed % 2 === 0),
  colour: scalar(Colour, (seed) => seed % 4),
  strict: scalar(Strict, (seed) => ['bad', 'nothing', 'good'][seed % 3]),
  tags: scalar(list(NN(GraphQLString)), (seed) =>
    seed % 6 === 0 ? 'no list' : ['a', seed % 4 === 0 ? null : 'b'],
  ),
  where: { type: GraphQLString, resolve: (_source, _args, _context, { path }) => JSON.stringify(path) },
  one: composite(Thing, seeded),
  other: composite(Other, seeded),
  certain: composite(NN(Thing), seeded),
  many: composite(list(Thing), items),
  each: composite(NN(list(NN(Thing))), items),
  nested: composite(list(list(NN(Thing))), (seed) => [items(seed), items(mix(seed, 'more'))]),
  any: composite(Any, seeded),
  named: composite(NN(Named), seeded),
  anys: composite(list(NN(Any)), items),
});

const Named: GraphQLInterfaceType = new GraphQLInterfaceType({
  name: 'Named',
  fields: () => ({ plain: { type: GraphQLString }, certain: { type: NN(Thing) } }),
  resolveType: ({ seed }: Seeded) => (seed % 2 === 0 ? 'Thing' : Promise.resolve('Other')),
});
const Thing: GraphQLObjectType = new GraphQLObjectType({ name: 'Thing', interfaces: [Named], fields });
const Other: GraphQLObjectType = new GraphQLObjectType({
  name: 'Other',
  interfaces: [Named],
  fields,
  isTypeOf: ({ seed }: Seeded) => (seed % 5 === 0 ? Promise.resolve(seed % 10 === 0) : seed % 7 !== 0),
});
const Any: GraphQLUnionType = new GraphQLUnionType({
  name: 'Any',
  types: [Other, Thing],
  resolveType: ({ seed }: Seeded) =>
    ['Other', 'Thing', 'Absent', undefined, 'Named', 'Outsider'][seed % 11 > 5 ? seed % 2 : seed % 11],
});
/** No member of the union, though its resolver may say so. */
const Outsider = new GraphQLObjectType({ name: 'Outsider', fields: { plain: { type: GraphQLString } } });
const root = (name: string) =>
  new GraphQLObjectType({
    name,
    fields: () => ({
      one: composite(Thing, seeded),
      certain: composite(NN(Thing), seeded),
      many: composite(list(Thing), items),
      each: composite(NN(list(NN(Thing))), items),
      any: composite(Any, seeded),
      named: composite(NN(Named), seeded),
    }),
  });
const schema = new GraphQLSchema({
  query: root('Query'),
  mutation: root('Mutation'),
  types: [Thing, Other, Outsider],
});

const leaves = [
  'id',
  'plain',
  'method',
  'where',
  'text',
  'sure',
  'whole',
  'yes',
  'colour',
  'strict',
  'tags',
  '__typename',
];
const toThings = ['one', 'other', 'certain', 'many', 'each', 'nested'];
const toAbstract = ['any', 'named', 'anys'];
const ofRoot = ['one', 'certain', 'many', 'each', 'any', 'named'];

const directive = fc.constantFrom('', '', '', ' @skip(if: $no)', ' @include(if: $yes)', ' @include(if: $no)');
/** Under one name, only the same field, because others would conflict. */
const aliased = (name: string) =>
  fc.constantFrom(name, name, `other_${name}: ${name}`, ...(name === 'many' ? ['edges: many'] : []));
const argumentLists = ['', '', '(n: 5)', '(n: $n)', '(choice: { text: $text })', '(list: [1, 2])'];

function leaf(): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...leaves), fc.nat(5), directive).map(([name, at, when]) => {
    const takes = !['id', 'plain', 'method', 'where', '__typename'].includes(name);
    return takes ? `${name}${at}: ${name}${argumentLists[at]}${when}` : `${name}${when}`;
  });
}

function selection(depth: number, names: readonly string[]): fc.Arbitrary<string> {
  if (depth === 0)
    return fc.array(leaf(), { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(' ')} }`);
  const deeper = fc
    .tuple(fc.constantFrom(...names), directive)
    .chain(([name, when]) =>
      fc
        .tuple(
          aliased(name),
          toAbstract.includes(name)
            ? abstractSelection(depth - 1)
            : selection(depth - 1, [...toThings, ...toAbstract]),
        )
        .map(([field, inner]) => `${field}${when} ${inner}`),
    );
  const isRoot = names === ofRoot;
  const one = isRoot
    ? deeper
    : fc.oneof(
        { weight: 3, arbitrary: leaf() },
        { weight: 2, arbitrary: deeper },
        { weight: 1, arbitrary: directive.map((when) => `...F${when}`) },
        {
          weight: 1,
          arbitrary: selection(depth - 1, names).map((inner) => `... on Named { ... on Thing ${inner} }`),
        },
      );
  return fc.array(one, { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(' ')} }`);
}

function abstractSelection(depth: number): fc.Arbitrary<string> {
  const inner = () => selection(Math.max(depth - 1, 0), [...toThings, ...toAbstract]);
  return fc
    .tuple(inner(), inner(), fc.boolean())
    .map(([thing, other, named]) =>
      named
        ? `{ __typename ... on Named { plain certain ${thing} } ... on Other ${other} }`
        : `{ ... on Thing ${thing} ... on Other ${other} }`,
    );
}

const document = fc
  .tuple(fc.constantFrom('query', 'query', 'mutation'), selection(3, ofRoot), selection(1, toThings))
  .map(
    ([type, body, fragment]) =>
      `${type} ($no: Boolean! = false, $yes: Boolean!, $n: Int, $text: String!) ${body} fragment F on Thing ${fragment.replaceAll('...F', 'id')}`,
  );

/**
 * Errors by the place that became null because of them. If the place is not that of the error, any of several may win.
 * Three messages of GraphQL contain the value, and ours do not.
 */
function normalised({ data, errors = [] }: ExecutionResult): object {
  const places = errors.map(({ message, path = [], locations }) => {
    let value: unknown = data;
    let depth = 0;
    while (depth < path.length && value !== null && value !== undefined) {
      value = (value as Record<string | number, unknown>)[path[depth] as string];
      depth += 1;
    }
    const place = path.slice(0, depth).join('.');
    return depth === path.length && data !== null
      ? JSON.stringify({
          place,
          message: message.replace(/(serialize|with value|but got:).*/, '$1 …'),
          locations,
        })
      : JSON.stringify({ place });
  });
  return { data: JSON.stringify(data), errors: [...new Set(places)].sort() };
}

async function referenceOf(parsed: DocumentNode, given: Record<string, unknown>): Promise<ExecutionResult> {
  // GraphQL's own executor leaves some rejections unseen: those that come after a fault in the same list.
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => {});
  try {
    return await execute({ schema, document: parsed, variableValues: given });
  } finally {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
}

async function bothWays(parsed: DocumentNode, given: Record<string, unknown>) {
  const operation = parsed.definitions.find(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
  const reference = await referenceOf(parsed, given);
  const { coerced = {} } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  const planner = new Planner(schema, parsed, operation);
  const plan = planner.planFor(coerced);
  expect(plan).not.toBeNull();
  const first = await new Run(plan as never, undefined, coerced).result();
  // With other conditions, the same planner makes another plan.
  const otherwise = { ...coerced, no: !coerced['no'], yes: !coerced['yes'] };
  await new Run(planner.planFor(otherwise) as never, undefined, otherwise).result();
  // And it still has the first one.
  const second = await new Run(planner.planFor(coerced) as never, undefined, coerced).result();
  return { reference, planned: [first, second] };
}

// With GraphQL's own executor, there are no plans.
describe.skipIf(Boolean(process.env['REFERENCE_EXECUTOR']))('a plan', () => {
  it('answers as GraphQL does: data in the same order, null in the same places, the same errors', async () => {
    let valid = 0;
    let withErrors = 0;
    await fc.assert(
      fc.asyncProperty(document, fc.boolean(), fc.boolean(), async (text, no, yes) => {
        // Generated fields of one name may conflict. GraphQL does not execute such documents.
        const parsed = parse(text);
        if (validate(schema, parsed).length > 0) return;
        valid += 1;
        const { reference, planned } = await bothWays(parsed, { no, yes, n: 4, text: 'given' });
        if (reference.errors) withErrors += 1;
        for (const { objects, ...one } of planned) {
          expect(normalised(one)).toEqual(normalised(reference));
          if (!one.errors) expect(objects).toBe(objectsIn(one.data) - 1);
        }
      }),
      { numRuns: DOCUMENTS },
    );
    expect(valid).toBeGreaterThan(DOCUMENTS / 4);
    expect(withErrors).toBeGreaterThan(DOCUMENTS / 20);
  }, 600_000);

  it('tells one error of a place that becomes null, also if several come', async () => {
    const failing = { type: NN(GraphQLString), resolve: () => Promise.reject(new Error('failed')) };
    const Part = new GraphQLObjectType({ name: 'Part', fields: { one: failing, other: failing } });
    const Query = new GraphQLObjectType({
      name: 'Query',
      fields: { part: { type: Part, resolve: () => ({}) } },
    });
    const document = parse('{ part { one other } }');
    const [operation] = document.definitions as [OperationDefinitionNode];
    const plan = new Planner(new GraphQLSchema({ query: Query }), document, operation).planFor({});
    const { data, errors } = await new Run(plan as never, undefined, {}).result();
    expect(data).toEqual({ part: null });
    expect(errors?.map(({ path }) => path)).toEqual([['part', 'one']]);
  });

  it('counts objects inside of JSON, and not those of connections', async () => {
    const json = (value: unknown) => ({ type: Strict, resolve: () => value });
    const Query = new GraphQLObjectType({ name: 'Query', fields: { json: json([{ edges: {} }, {}]) } });
    const document = parse('{ json edges: json }');
    const [operation] = document.definitions as [OperationDefinitionNode];
    const plan = new Planner(new GraphQLSchema({ query: Query }), document, operation).planFor({});
    const { data, objects } = await new Run(plan as never, undefined, {}).result();
    expect(data).toEqual({ json: { of: [{ edges: {} }, {}] }, edges: { of: [{ edges: {} }, {}] } });
    expect(objects).toBe(5);
  });

  it('is another one if @skip or @include decide otherwise', async () => {
    const document = parse('query ($no: Boolean!) { one { __typename id @skip(if: $no) } }');
    const [operation] = document.definitions as [OperationDefinitionNode];
    const planner = new Planner(schema, document, operation);
    const keysWith = async (no: boolean) => {
      const { data } = await new Run(planner.planFor({ no }) as never, undefined, { no }).result();
      return Object.keys((data as { readonly one: object }).one);
    };
    expect(await keysWith(true)).toEqual(['__typename']);
    expect(await keysWith(false)).toEqual(['__typename', 'id']);
    expect(await keysWith(true)).toEqual(['__typename']);
  });

  it('does not leave a promise of a list unseen when an item before it has failed', async () => {
    const Query = new GraphQLObjectType({
      name: 'Query',
      fields: {
        all: {
          type: list(NN(GraphQLString)),
          resolve: () => [null, Promise.reject(new Error('nobody sees this'))],
        },
      },
    });
    const ofLists = new GraphQLSchema({ query: Query });
    const document = parse('{ all }');
    const [operation] = document.definitions as [OperationDefinitionNode];
    const plan = new Planner(ofLists, document, operation).planFor({});
    const { data, errors } = await new Run(plan as never, undefined, {}).result();
    expect(data).toEqual({ all: null });
    expect(errors?.map(({ message }) => message)).toEqual([
      'Cannot return null for non-nullable field Query.all.',
    ]);
    // An unseen rejection fails the test run.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('keeps a name in the answer that is no plain key to the executor of GraphQL', () => {
    const document = parse('{ __proto__: one { id } }');
    const [operation] = document.definitions as [OperationDefinitionNode];
    expect(new Planner(schema, document, operation).planFor({})).toBeNull();
  });
});

/** Wrong variables: the check ends at the first fault, however many there are. */
import { buildSchema, getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { variableFault } from '../../src/graphql/variables.ts';
import { ask } from '../../src/http/ask.ts';
import { createGraphQLServer } from '../../src/http/graphql.ts';
import { Meter } from '../../src/http/rate.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { taskInput } from '../support/seed.ts';
import { overSse, overWebSocket } from '../support/watch.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const createProject =
  'mutation ($input: RegisterProjectInput!) { registerProject(input: $input) { __typename } }';
const watching = 'subscription ($by: ExecutionByInput!) { executionEvents(by: $by) { id } }';
const SECRET = 'what-the-caller-sent';
const manyUnknown = (count: number) => ({
  sent: SECRET,
  ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`unknown${at}`, at])),
});

/** Values that count how often they are read, one by one or all at once. */
function counted<T extends object>(value: T): { value: T; reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(value, {
    get(target, name, receiver) {
      reads += 1;
      return Reflect.get(target, name, receiver);
    },
    ownKeys(target) {
      reads += 1;
      return Reflect.ownKeys(target);
    },
  });
  return { value: proxy, reads: () => reads };
}

const faultIn = (document: string, variables: Record<string, unknown>, suggests = false) =>
  variableFault(schema, getOperationAST(parse(document)) as OperationDefinitionNode, variables, { suggests });

describe('a fault of variables', () => {
  it('is reported alone: nothing after the first one is checked', () => {
    const later = counted({ name: 'x' });
    const events = [{ run: 1 }, ...Array.from({ length: 1000 }, () => later.value)];
    const document =
      'mutation ($input: ReportJobEventsInput!) { reportJobEvents(input: $input) { __typename } }';
    expect(faultIn(document, { input: { events } })?.message).toMatch(/^input\.events\[0\]/);
    expect(later.reads()).toBe(0);
  });

  it.each([
    [
      'an unknown field',
      createProject,
      { input: { identifier: 'x', name: 'x', [`u${'x'.repeat(1e5)}`]: 1 } },
    ],
    ['a field that is missing', createProject, { input: {} }],
    ['no object', createProject, { input: SECRET.repeat(1000) }],
    ['null', createProject, { input: null }],
    ['nothing', createProject, {}],
    ['no text', createProject, { input: { identifier: manyUnknown(1000), name: 'x' } }],
    ['no integer', 'query ($first: Int) { projects(first: $first) { edges { cursor } } }', { first: SECRET }],
    [
      'no integer of a list',
      'query ($n: [Int!]) { projects(first: $n) { edges { cursor } } }',
      { n: SECRET },
    ],
    [
      'not of an enum',
      'query ($l: Level) { projects(first: $l) { edges { cursor } } }',
      { l: SECRET.repeat(1000) },
    ],
    [
      'no duration',
      'mutation ($e: LoginInput) { login(input: $e) { __typename } }',
      { e: { expiresIn: SECRET } },
    ],
    ['two of one', watching, { by: { id: SECRET, key: null } }],
    ['null of one', watching, { by: { id: null } }],
  ])('names the path and never the value: %s', (_name, document, variables) => {
    const fault = faultIn(document, variables);
    const [place = ''] = fault?.message.split(':') ?? [];
    expect(fault?.extensions).toEqual({ code: 'INVALID_ARGUMENT', path: place.split('.') });
    expect(fault?.message.length).toBeLessThan(800);
    expect(JSON.stringify(fault?.extensions).length).toBeLessThan(800);
    expect(fault?.message).not.toContain(SECRET);
  });

  it('suggests similar field names to signed-in callers only', () => {
    const given = { input: { identifier: 'x', name: 'x', nam: 'x' } };
    expect(faultIn(createProject, given, true)?.message).toContain('"name"?');
    expect(faultIn(createProject, given)?.message).not.toContain('?');
  });
});

describe('the message of a fault', () => {
  it('has at most 100 characters of a name, and 500 of what GraphQL says', () => {
    const name = (length: number) => 'v'.repeat(length);
    const missing = (length: number) =>
      faultIn(`query ($${name(length)}: Int!) { projects(first: $${name(length)}) { totalCount } }`, {});
    expect(missing(100)?.message).toBe(`${name(100)}: a Int! is required`);
    expect(missing(101)?.message).toBe(`${name(100)}…: a Int! is required`);
    const unknown = (length: number) => {
      const words = (field: string) => `Field "${field}" is not defined by type "RegisterProjectInput".`;
      const field = name(length - words('').length);
      const fault = faultIn(createProject, { input: { identifier: 'x', name: 'x', [field]: 1 } });
      return [fault?.message, words(field)];
    };
    const [whole, wordsOfWhole] = unknown(500);
    expect(whole).toBe(`input: ${wordsOfWhole}`);
    const [cut, wordsOfCut = ''] = unknown(501);
    expect(cut).toBe(`input: ${wordsOfCut.slice(0, 500)}…`);
  });
});

describe('input objects inside one another', () => {
  it('may nest 256 deep, and not deeper', () => {
    const nesting = buildSchema('input Nest { inner: Nest } type Query { fits(nest: Nest): Boolean }');
    const faultOf = (levels: number) => {
      const operation = getOperationAST(parse('query ($nest: Nest) { fits(nest: $nest) }'));
      const nest = Array.from({ length: levels - 1 }).reduce<object>((inner) => ({ inner }), {});
      return variableFault(nesting, operation as OperationDefinitionNode, { nest }, { suggests: false });
    };
    expect(faultOf(256)).toBeNull();
    expect(faultOf(257)?.message).toBe('nest: the value is nested deeper than 256 levels');
  });

  const createTask = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { __typename } }';
  const deepType = (levels: number) => {
    let type: object = { simple: 'INTEGER' };
    for (let level = 0; level < levels; level += 1) type = { collectionType: type };
    return type;
  };
  const tooDeep = { code: 'INVALID_ARGUMENT', path: ['input'] };

  it.each([300, 3_000, 20_000, 500_000])('are refused when they nest %i deep', (levels) => {
    const input = taskInput('p', 'x', { inputs: { a: deepType(levels) } });
    expect(faultIn(createTask, { input })?.extensions).toEqual(tooDeep);
  });

  it.each([300, 3_000])('are refused over HTTP and WebSocket: %i', async (levels) => {
    const variables = { input: taskInput('p', 'x', { inputs: { a: deepType(levels) } }) };
    for (const { errors } of [
      await app.ask(createTask, variables),
      await overWebSocket(app, createTask, variables),
    ])
      expect(errors?.map(({ extensions }: Answer) => extensions.code)).toEqual(['INVALID_ARGUMENT']);
  });

  it('are refused when a request nests them deeper than a program could write', async () => {
    const written = JSON.stringify({
      query: createTask,
      variables: { input: taskInput('p', 'x', { inputs: { a: { simple: 'HERE' } } }) },
    });
    const [before, after] = written.split('{"simple":"HERE"}');
    const type = `${'{"collectionType":'.repeat(20_000)}{"simple":"INTEGER"}${'}'.repeat(20_000)}`;
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body: `${before}${type}${after}`,
    });
    const { errors } = (await response.json()) as Answer;
    expect(errors).toMatchObject([{ extensions: tooDeep }]);
  });
});

describe('120,000 unknown keys', () => {
  const variables = { input: { identifier: 'x', name: 'x', ...manyUnknown(120_000) } };
  const batch = async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: app.admin },
      body: JSON.stringify([{ query: createProject, variables }, { query: '{ viewer { username } }' }]),
    });
    return (await response.json()) as Answer[];
  };
  const ways: [name: string, ask: () => Promise<Answer>][] = [
    ['HTTP', () => app.ask(createProject, variables)],
    ['SSE', async () => (await overSse(app, watching, { by: variables.input }).next()).value],
    ['a WebSocket', () => overWebSocket(app, createProject, variables)],
    ['a subscription over a WebSocket', () => overWebSocket(app, watching, { by: variables.input })],
    ['a batch', async () => (await batch())[0]],
  ];

  it.each(ways)('cause one short error over %s', async (_name, ask) => {
    const { data, errors } = await ask();
    expect(data).toBeFalsy();
    expect(errors).toHaveLength(1);
    expect(errors[0].extensions).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(JSON.stringify(errors).length).toBeLessThan(400);
    expect(JSON.stringify(errors)).not.toContain(SECRET);
  });

  it('do not affect the other operations of a batch', async () => {
    expect((await batch())[1].data.viewer.username).toBe('admin');
  });
});

describe('variables without a sign-in', () => {
  const graphql = createGraphQLServer();

  /** Runs an operation as the server does, over HTTP and over a WebSocket. */
  async function run(document: string, variableValues: object): Promise<Answer> {
    const edge = {
      caller: null,
      signal: new AbortController().signal,
      publicUrl: app.url,
      meter: new Meter(null, '192.0.2.1'),
      isOverHttp: false,
      isLong: false,
    };
    return await ask(graphql, { query: document, variables: variableValues as Answer }, edge);
  }

  it.each([
    ['a mutation', createProject],
    ['a subscription', watching],
    [
      'a fragment',
      `fragment F on Query { execution(by: $by) { id } } query ($by: ExecutionByInput!) { ... { ...F } }`,
    ],
  ])('are not checked where the operation requires a sign-in: %s', async (_name, document) => {
    const { value, reads } = counted({ input: {}, by: {} });
    expect((await run(document, value)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(reads()).toBe(0);
  });

  it('are checked where the operation is open to everybody, which is answered', async () => {
    const document = 'query ($yes: Boolean!) { fixedUsersMode @include(if: $yes) { enabled } viewer { id } }';
    const { data, errors } = await run(document, { yes: true });
    expect(data).toEqual({ fixedUsersMode: { enabled: false }, viewer: null });
    expect(errors).toMatchObject([{ path: ['viewer'], extensions: { code: 'UNAUTHENTICATED' } }]);
    expect((await run(document, { yes: 'no' })).errors).toMatchObject([
      { message: 'yes: the value must be a valid Boolean' },
    ]);
    expect(await run('{ __typename }', {})).toMatchObject({ data: { __typename: 'Query' } });
  });
});

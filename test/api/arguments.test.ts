/** Text that PostgreSQL cannot store is refused with its path, before a rule or a command uses it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storableArguments } from '../../src/api/arguments.ts';
import type { FieldArguments } from '../../src/graphql/rules.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { registerProject } from '../support/seed.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, 'p');
});
afterAll(() => app.stop());

const NUL = '\\u0000';
const HALF = '\\uD83D';
/** Sent without changes. `fetch` would replace half of a surrogate pair, but an escape sequence stays. */
async function post(query: string, variables = '{}', authorization = app.admin) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
  });
  return (await response.json()) as {
    data?: unknown;
    errors?: { message: string; extensions: { code: string; path?: string[] } }[];
  };
}

const createExecution = `mutation ($input: CreateExecutionInput!) { createExecution(input: $input) { __typename } }`;
const inputFor = (inputs: string) =>
  `{"input":{"project":"p","domain":"development","launchPlan":{"id":"${newId()}"},"inputs":${inputs}}}`;
const registering =
  'mutation ($input: RegisterProjectInput!) { registerProject(input: $input) { __typename } }';

describe('a text that cannot be stored', () => {
  it.each<[string, string, string | undefined, string[]]>([
    [
      'NUL in an argument',
      `{ project(by: {identifier: "a${NUL}"}) { id } }`,
      undefined,
      ['by', 'identifier'],
    ],
    [
      'half a pair',
      '($i: String!) { project(by: {identifier: $i}) { id } }',
      `{"i":"a${HALF}"}`,
      ['by', 'identifier'],
    ],
    ['an ID', `{ project(by: {id: "a${NUL}"}) { id } }`, undefined, ['by', 'id']],
    [
      'a key',
      `{ execution(by: {key: {project: "p", domain: "a${NUL}", name: "n"}}) { id } }`,
      undefined,
      ['by', 'key', 'domain'],
    ],
    ['an input', registering, `{"input":{"identifier":"nul","name":"a${NUL}"}}`, ['input', 'name']],
    ['a value in JSON', createExecution, inputFor(`{"x":["${HALF}"]}`), ['input', 'inputs', 'x', '0']],
    ['a name in JSON', createExecution, inputFor(`{"x":{"k${NUL}":1}}`), ['input', 'inputs', 'x', 'k\u0000']],
    [
      'a list',
      `{ executions(filter: {project: "p", domain: "a${NUL}"}) { edges { cursor } } }`,
      undefined,
      ['filter', 'domain'],
    ],
  ])('is refused with its path: %s', async (_name, query, variables, path) => {
    const document = query.startsWith('(') ? `query ${query}` : query;
    const { errors } = await post(document, variables);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'INVALID_ARGUMENT', path }]);
  });

  it('is refused in a subscription', async () => {
    const query = `subscription { executionEvents(by: {id: "a${NUL}"}) { id } }`;
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: app.admin },
      body: JSON.stringify({ query }),
    });
    expect(await response.text()).toContain('INVALID_ARGUMENT');
  });

  it('is accepted and replaced when an executor reports the end of a run', async () => {
    const { data, errors } = await post(
      'mutation ($r: ID!) { returnLease(input: {run: $r, reason: "a\\u0000b", attempted: false}) { __typename } }',
      `{"r":"${newId()}"}`,
      app.executor,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ returnLease: { __typename: 'ReturnLeasePayload' } });
  });
});

describe('arguments', () => {
  it('are refused when they are nested more than 256 deep', () => {
    const resolve = storableArguments(() => 'answer', { name: 'field', hasArguments: true, needs: {} });
    const answerTo = (levels: number) => {
      // The arguments themselves are the outermost level.
      const args = Array.from({ length: levels - 1 }).reduce<FieldArguments>((inner) => ({ inner }), {});
      return resolve(null, args, null as never, null as never);
    };
    expect(answerTo(256)).toBe('answer');
    expect(() => answerTo(257)).toThrow('nested too deep');
  });
});

describe('JSON', () => {
  const lists = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

  it('is accepted 64 levels deep, as a variable and in the document', async () => {
    for (const answer of [
      await post(createExecution, inputFor(`{"x":${lists(63)}}`)),
      await post(
        `mutation { createExecution(input: {project: "p", domain: "development", launchPlan: {id: "x"}, inputs: {x: ${lists(63)}}}) { __typename } }`,
      ),
    ]) {
      expect(answer.errors).toBeUndefined();
      expect(answer.data).toEqual({ createExecution: { __typename: 'NotFoundError' } });
    }
  });

  it.each([64, 500, 3_000, 100_000])('is refused as a variable when it is deeper: %i', async (levels) => {
    const { errors } = await post(createExecution, inputFor(`{"x":${lists(levels)}}`));
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('nested at most 64 deep'),
      extensions: { code: 'INVALID_ARGUMENT', path: ['input', 'inputs'] },
    });
  });

  it.each([64, 400])('is refused in the document when it is deeper: %i', async (levels) => {
    const { errors } = await post(
      `mutation { createExecution(input: {project: "p", domain: "development", launchPlan: {id: "x"}, inputs: {x: ${lists(levels)}}}) { __typename } }`,
    );
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('nested at most 64 deep'),
      extensions: { code: 'INVALID_ARGUMENT' },
      locations: [expect.anything()],
    });
  });

  it('is refused when document and variable are too deep together', async () => {
    const { errors } = await post(
      `mutation ($x: JSON) { createExecution(input: {project: "p", domain: "development", launchPlan: {id: "x"}, inputs: {x: [[$x]]}}) { __typename } }`,
      `{"x":${lists(62)}}`,
    );
    expect(errors?.[0]?.extensions.code).toBe('INVALID_ARGUMENT');
  });
});

describe('an invalid scalar in a variable', () => {
  it('is refused with its path', async () => {
    const { errors } = await post(
      'mutation ($input: ReportJobEventsInput!) { reportJobEvents(input: $input) { __typename } }',
      `{"input":{"events":[{"run":"x","kind":"RUNNING","occurredAt":"2026-02-30T00:00:00Z"}]}}`,
      app.executor,
    );
    expect(errors).toMatchObject([
      {
        message: 'input.events[0].occurredAt: DateTime must be a date that exists in the calendar',
        extensions: { code: 'INVALID_ARGUMENT', path: ['input', 'events', '0', 'occurredAt'] },
      },
    ]);
  });
});

describe('introspection', () => {
  it('takes the name of a type from a variable, as every schema does', async () => {
    const { data } = await post('query ($n: String!) { __type(name: $n) { name } }', '{"n":"Execution"}');
    expect(data).toEqual({ __type: { name: 'Execution' } });
  });
});

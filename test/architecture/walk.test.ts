import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import { make } from '../support/mutate.ts';
import { createGroup, createUser } from '../support/people.ts';
import {
  domain,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { newCaller, newTenant } from '../support/users.ts';
import { overSse } from '../support/watch.ts';

/**
 * Callers without rights query every root field of Query, with every address that could reach a project, a user or a
 * group, along every path of the schema: a member of the tenant without grants, a reader of another project, an
 * administrator of another tenant. They must find nothing of the project, and must not be able to tell it from objects
 * that do not exist: answers and SQL statements are the same. The documents come from the schema, so a new field is
 * tested automatically; a new kind of argument fails the test until it has values here. edges.test.ts has callers who
 * may read one object but not the next.
 */

// Such documents are above the limit of cost for other callers.
vi.hoisted(() => {
  process.env['QUERY_ALIAS_LIMIT'] = '1000';
  process.env['QUERY_COST_LIMIT'] = '1000000000';
  process.env['QUERY_TOKEN_LIMIT'] = '100000';
  process.env['RATE_COST_PER_MINUTE'] = '0';
});

/** How many objects deep, below a root field. The edges and nodes of a connection do not count. */
const DEPTH = 4;
/** The same below a root field that leads to objects of any type, because each type is walked from its own lookup. */
const ANY_DEPTH = 2;
const project = 'sealed';
const name = {
  task: 'sealed-task',
  workflow: 'sealed-workflow',
  execution: 'sealed-execution',
  queue: `${project}/${domain}`,
  experiment: 'sealed-experiment',
  run: 'sealed-run',
  model: 'sealed-model',
  group: 'sealed-group',
};
const person = { username: 'sealed-user', email: 'sealed@example.com' };

/** Tables whose rows all belong to the project. */
const tables = [
  ...['projects', 'tasks', 'workflows', 'launch_plans', 'executions', 'node_executions', 'task_executions'],
  ...['queues', 'jobs', 'job_runs', 'experiments', 'experiment_runs', 'registered_models', 'model_versions'],
];

let app: LocalApp;
let callers: Record<'member' | 'outsider' | 'neighbour', string>;
/** The texts that must not be visible: ids, names, digests, values, logs. */
let secrets: string[];
let ids: string[];
let executionId: string;

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, name.task);
  await registerWorkflow(app, project, name.workflow, { 'sealed-node': [] }, { task: name.task });
  const id = await launch(app, project, name.workflow, {
    name: name.execution,
    inputs: { x: '7777777777777' },
  });
  executionId = id;
  const hands = new Hands(app, 'walker');
  const run = await hands.leaseNode('sealed-node');
  const chunks = [{ sequence: 0, stream: 'STDOUT', text: 'sealed-log', printedAt: new Date().toISOString() }];
  await app.ask(
    'mutation ($input: ReportRunLogInput!) { reportRunLog(input: $input) { __typename } }',
    { input: { run: run.id, chunks } },
    app.executor,
  );
  await hands.start(run);
  await hands.succeed(run, { y: 8888888888888 });
  await untilEnded(app, id);
  await app.stopScheduler();
  await seedModel(id);
  await seedAttributes();
  const user = (await createUser(app, person)).user;
  const { group } = await createGroup(app, { name: name.group, members: [{ id: user.id }] });
  const rows = await Promise.all(tables.map((table) => pool.query(`select id from ${table}`)));
  ids = [user.id, group.id, ...rows.flatMap((answer) => answer.rows.map((row) => row.id as string))];
  const digests = await pool.query(
    'select digest from tasks union select digest from workflows union select digest from launch_plans',
  );
  secrets = [
    ...ids,
    ...digests.rows.map((row) => row.digest as string),
    ...[project, ...Object.values(name), ...Object.values(person), 'sealed-node', 'sealed-log'],
    ...[
      '6666666666666',
      '7777777777777',
      '8888888888888',
      'sealed-tag',
      'sealed-alias',
      's3://sealed-bucket/model',
    ],
  ];
  const other = await registerProject(app, 'next-door');
  const tenantId = await newTenant('elsewhere');
  callers = {
    member: await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }),
    outsider: await newCaller({ role: 'ADMIN', level: 'MANAGE', tenantId }),
    neighbour: await newCaller({ role: 'USER', grants: [{ type: 'PROJECT', id: other, level: 'READ' }] }),
  };
  const themselves = await Promise.all(
    Object.values(callers).map((caller) => app.ask('{ viewer { id } }', {}, caller)),
  );
  people = [{ username: 'admin' }, ...themselves.map(({ data }) => ({ id: data.viewer.id }))];
});
afterAll(() => app.stop());

/** An experiment with a run, and a model with a version that the execution created and an alias. */
async function seedModel(execution: string): Promise<void> {
  const tags = [{ key: 'colour', value: 'sealed-tag' }];
  await make(app, 'createExperiment', { project, name: name.experiment, tags }, 'experiment');
  const experiment = { key: { project, name: name.experiment } };
  const made = { execution: { id: execution } };
  const run = await make(app, 'createRun', { experiment, name: name.run, ...made }, 'run');
  await make(app, 'createRegisteredModel', { project, name: name.model }, 'registeredModel');
  const model = { key: { project, name: name.model } };
  const source = 's3://sealed-bucket/model';
  await make(app, 'createModelVersion', { model, source, ...made, run: { id: run } }, 'modelVersion');
  await make(app, 'updateModelAlias', { model, alias: 'sealed-alias', version: 1 }, 'registeredModel');
}

/** Attributes of the workflow. The walk asks for the first kind of attributes only. */
async function seedAttributes(): Promise<void> {
  const attributes = { taskResource: { limits: { memory: '6666666666666' } } };
  const input = { project, domain, workflow: name.workflow, attributes };
  const { errors } = await app.ask(
    'mutation ($input: UpdateWorkflowAttributesInput!) { updateWorkflowAttributes(input: $input) { __typename } }',
    { input },
  );
  expect(errors).toBeUndefined();
}

/** The values of a text argument or field, by its name. */
const texts: Readonly<Record<string, () => readonly string[]>> = {
  project: () => [project],
  identifier: () => [project],
  domain: () => [domain],
  name: () => Object.values(name),
  workflow: () => [name.workflow],
  execution: () => [name.execution],
  nodeId: () => ['sealed-node'],
  jobSet: () => [executionId],
  version: () => ['v1'],
  username: () => [person.username],
  email: () => [person.email],
  alias: () => ['sealed-alias'],
  prefix: () => ['sealed'],
  token: () => ['no-token'],
  set: () => ['slipway.access-token'],
  kid: () => ['no-kid'],
  challenge: () => ['no-challenge'],
  clientId: () => ['no-client'],
  subject: () => [person.username],
};

/**
 * The users in addresses. Users do not belong to the project, and every user with every address would be thousands of
 * queries.
 */
let people: object[];

/** All interesting values: all addresses of the seeded objects. */
function valuesOf(type: GraphQLInputType, called: string): unknown[] {
  const bare = getNullableType(type) as GraphQLInputType;
  if (isListType(bare)) return getNamedType(bare).name === 'ID' ? [ids] : [[]];
  if (isEnumType(bare)) return [bare.getValues()[0]?.name];
  if (bare.name === 'UserByInput' && called !== 'by') return people;
  if (bare.name === 'Boolean') return [true];
  if (isInputObjectType(bare)) {
    const fields = Object.values(bare.getFields());
    if (bare.isOneOf)
      return fields.flatMap((field) =>
        valuesOf(field.type, field.name).map((value) => ({ [field.name]: value })),
      );
    const required = fields.filter(isRequiredInputField);
    return combined(required.map((field) => [field.name, valuesOf(field.type, field.name)]));
  }
  if (bare.name === 'ID') return ids;
  if (bare.name === 'Int') return [1];
  const known = bare.name === 'String' ? texts[called]?.() : undefined;
  if (!known) throw new Error(`the walk does not know what to give ${called}: ${bare}`);
  return [...known];
}

/** One object for each combination of values. */
function combined(parts: readonly (readonly [string, readonly unknown[]])[]): Record<string, unknown>[] {
  return parts.reduce<Record<string, unknown>[]>(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** Everything that can be selected from a type, `depth` objects deep. A path never contains a type twice. */
function selection(type: GraphQLOutputType, depth: number, path: readonly string[] = []): string {
  const named = getNamedType(type);
  if (isAbstractType(named)) {
    // Fields of one name have different types in different members.
    const members = schema
      .getPossibleTypes(named)
      .map((member) => `... on ${member.name} ${fieldsOf(member, depth, path, `${member.name}_`)}`);
    return `{ __typename ${members.join(' ')} }`;
  }
  return isObjectType(named) ? fieldsOf(named, depth, path) : '';
}

function fieldsOf(type: GraphQLObjectType, depth: number, path: readonly string[], prefix = ''): string {
  const isWrapper = /(Connection|Edge)$/.test(type.name);
  if ((depth === 0 || path.includes(type.name)) && !isWrapper) return '{ __typename }';
  // `nodes` leads to the same objects as `edges`.
  const fields = Object.values(type.getFields()).filter(
    (field) => field.name !== 'nodes' && !field.args.some(isRequiredArgument),
  );
  const below = isWrapper ? depth : depth - 1;
  const selected = fields.map((field) => {
    const inside = selection(field.type, below, [...path, type.name]);
    return `${prefix && `${prefix}${field.name}: `}${field.name} ${inside}`;
  });
  return `{ ${selected.join(' ')} }`;
}

const roots = Object.values(schema.getQueryType()?.getFields() ?? {});
const subscriptions = Object.values(schema.getSubscriptionType()?.getFields() ?? {});

interface Question {
  readonly document: string;
  readonly variables: Record<string, unknown>;
}

function questionsOf(root: (typeof roots)[number], operation = 'query'): Question[] {
  const given: readonly GraphQLArgument[] = root.args.filter((arg) => isNonNullType(arg.type));
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const depth = isInterfaceType(getNamedType(root.type)) ? ANY_DEPTH : DEPTH;
  const body = `${root.name}${passed ? `(${passed})` : ''} ${selection(root.type, depth)}`;
  const document = `${operation} ${declared ? `(${declared})` : ''} { ${body} }`;
  return combined(given.map((arg) => [arg.name, valuesOf(arg.type, arg.name)])).map((variables) => ({
    document,
    variables,
  }));
}

/** A refusal may repeat the given address, part by part, but no other secret. */
const wasAsked = (secret: string, asked: string) => secret.split('/').every((part) => asked.includes(part));

/** The secrets of the project in the answers to all queries of a root field. */
async function seenBy(authorization: string, root: (typeof roots)[number]): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const { document, variables } of questionsOf(root)) {
    const { status, data, errors } = await app.ask(document, variables, authorization);
    const codes = (errors ?? []).map((error) => error.extensions.code);
    expect([
      200,
      codes.filter((code) => code === 'INTERNAL' || code === 'GRAPHQL_VALIDATION_FAILED'),
    ]).toEqual([status, []]);
    const asked = JSON.stringify(variables);
    expect(data, JSON.stringify(errors)).not.toBeUndefined();
    const told = JSON.stringify(data);
    const said = JSON.stringify(errors ?? []);
    for (const secret of secrets)
      if (told.includes(secret) || (said.includes(secret) && !wasAsked(secret, asked))) seen.add(secret);
  }
  return seen;
}

describe('every path of the schema', () => {
  it('shows an administrator everything of the project', async () => {
    const seen = new Set<string>();
    for (const root of roots) for (const secret of await seenBy(app.admin, root)) seen.add(secret);
    expect([...seen].sort()).toEqual([...new Set(secrets)].sort());
  });

  it.each(
    roots.flatMap((root) => [
      { root, who: 'member' as const },
      { root, who: 'outsider' as const },
      { root, who: 'neighbour' as const },
    ]),
  )('shows a $who nothing of the project from $root.name', async ({ root, who }) => {
    expect([...(await seenBy(callers[who], root))]).toEqual([]);
  });
});

/** The same query for an object that does not exist. */
function twinOf(variables: Record<string, unknown>): Record<string, unknown> {
  const known = [...ids, project, ...Object.values(name), 'sealed-node'];
  let text = JSON.stringify(variables);
  for (const word of known)
    text = text.replaceAll(`"${word}"`, /^[0-9a-f-]{36}$/.test(word) ? `"${newId()}"` : '"ghost"');
  return JSON.parse(text);
}

describe('every subscription', () => {
  it.each(
    subscriptions.flatMap((root) =>
      (['member', 'outsider', 'neighbour'] as const).map((who) => ({ root, who })),
    ),
  )('$root.name ends for a hidden object as for an absent one, for $who', async ({ root, who }) => {
    for (const { document, variables } of questionsOf(root, 'subscription')) {
      const results = overSse(app, document, variables, callers[who]);
      const first = (await results.next()).value;
      expect(first.errors.map((error: { extensions: object }) => error.extensions)).toEqual([
        { code: 'NOT_FOUND' },
      ]);
      const asked = JSON.stringify(variables);
      const said = JSON.stringify(first);
      expect(secrets.filter((secret) => said.includes(secret) && !wasAsked(secret, asked))).toEqual([]);
      await results.return(undefined);
    }
  });
});

describe('a query for a hidden object', () => {
  it.each(
    roots
      .filter((root) => root.args.some((arg) => isNonNullType(arg.type)))
      .flatMap((root) => (['member', 'outsider', 'neighbour'] as const).map((who) => ({ root, who }))),
  )('takes the same statements as for an absent one: $root.name, for $who', async ({ root, who }) => {
    const ask = async ({ document, variables }: Question) => {
      const { result, statements } = await countStatements(() => app.ask(document, variables, callers[who]));
      expect(result.status).toBe(200);
      return statements.toSorted();
    };
    for (const question of questionsOf(root)) {
      await ask(question);
      const twin = { ...question, variables: twinOf(question.variables) };
      expect(await ask(question), JSON.stringify(question.variables)).toEqual(await ask(twin));
    }
  });
});

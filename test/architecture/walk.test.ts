import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { pool } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { newCaller, newTenant } from '../support/credentials.ts';
import { Hands } from '../support/hands.ts';
import { createGroup, newUser } from '../support/people.ts';
import {
  domain,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
  untilEnded,
} from '../support/seed.ts';

/**
 * From every root field of Query, with every address that could reach a seeded project, user or group, along every path
 * of the schema: who may not read them finds nothing of them. The documents come from the schema, so a new field is walked as
 * soon as it is there; a new kind of argument fails the test until it is told what to put there.
 */

/** Objects below a root field; a connection's edges and nodes do not count. */
const DEPTH = 5;
const project = 'sealed';
const name = {
  task: 'sealed-task',
  workflow: 'sealed-workflow',
  execution: 'sealed-execution',
  queue: `${project}/${domain}`,
  group: 'sealed-group',
};
const person = { username: 'sealed-user', email: 'sealed@example.com' };

let app: App;
let callers: Record<'member' | 'outsider', string>;
/** What must not be seen: ids, names, digests, values, printed text. */
let secrets: string[];
let ids: string[];

beforeAll(async () => {
  app = await startApp();
  await registerProject(app, project);
  await registerTask(app, project, name.task);
  await registerWorkflow(app, project, name.workflow, { 'sealed-node': [] }, { task: name.task });
  const id = await launch(app, project, name.workflow, {
    name: name.execution,
    inputs: { x: '7777777777777' },
  });
  const hands = new Hands(app, 'walker');
  const run = await hands.leaseNode('sealed-node');
  const chunks = [{ sequence: 0, stream: 'STDOUT', text: 'sealed-log', at: new Date().toISOString() }];
  await app.ask(
    'mutation ($input: ReportRunLogInput!) { reportRunLog(input: $input) { __typename } }',
    { input: { run: run.id, chunks } },
    app.executor,
  );
  await hands.start(run);
  await hands.succeed(run, { y: 8888888888888 });
  await untilEnded(app, id);
  const user = await newUser(app, person);
  const { group } = await createGroup(app, { name: name.group, members: [{ id: user.id }] });
  const tables = ['projects', 'tasks', 'workflows', 'launch_plans', 'executions', 'node_executions'];
  const rows = await Promise.all(
    [...tables, 'task_executions', 'queues', 'jobs', 'job_runs'].map((table) =>
      pool.query(`select id from ${table}`),
    ),
  );
  ids = [user.id, group.id, ...rows.flatMap((answer) => answer.rows.map((row) => row.id as string))];
  const digests = await pool.query(
    'select digest from tasks union select digest from workflows union select digest from launch_plans',
  );
  secrets = [
    ...ids,
    ...digests.rows.map((row) => row.digest as string),
    ...[project, ...Object.values(name), ...Object.values(person), 'sealed-node', 'sealed-log'],
    ...['7777777777777', '8888888888888'],
  ];
  const tenantId = await newTenant('elsewhere');
  callers = {
    member: await newCaller({ role: 'USER', level: 'NO_PERMISSIONS' }),
    outsider: await newCaller({ role: 'ADMIN', level: 'MANAGE', tenantId }),
  };
}, 60_000);
afterAll(() => app.stop());

/** What a text argument or field may be given, by its name. */
const texts: Readonly<Record<string, () => readonly string[]>> = {
  project: () => [project],
  identifier: () => [project],
  domain: () => [domain],
  name: () => Object.values(name),
  execution: () => [name.execution],
  nodeId: () => ['sealed-node'],
  version: () => ['v1'],
  username: () => [person.username],
  email: () => [person.email],
};

/** Every value of interest: all addresses of what was seeded. */
function valuesOf(type: GraphQLInputType, called: string): unknown[] {
  const bare = getNullableType(type) as GraphQLInputType;
  if (isListType(bare)) return [[]];
  if (isEnumType(bare)) return [bare.getValues()[0]?.name];
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
  const known = bare.name === 'String' ? texts[called]?.() : undefined;
  if (!known) throw new Error(`the walk does not know what to give ${called}: ${bare}`);
  return [...known];
}

/** One object for each choice of values. */
function combined(parts: readonly (readonly [string, readonly unknown[]])[]): Record<string, unknown>[] {
  return parts.reduce<Record<string, unknown>[]>(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** Everything that can be selected of a type, `depth` objects deep. */
function selection(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const isWrapper = /(Connection|Edge)$/.test(named.name);
  if (depth === 0 && !isWrapper) return '{ __typename }';
  const fields = Object.values(named.getFields()).filter((field) => !field.args.some(isRequiredArgument));
  const below = isWrapper ? depth : depth - 1;
  return `{ ${fields.map((field) => `${field.name} ${selection(field.type, below)}`).join(' ')} }`;
}

const roots = Object.values(schema.getQueryType()?.getFields() ?? {});

interface Question {
  readonly document: string;
  readonly variables: Record<string, unknown>;
}

function questionsOf(root: (typeof roots)[number]): Question[] {
  const given: readonly GraphQLArgument[] = root.args.filter((arg) => isNonNullType(arg.type));
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const body = `${root.name}${passed ? `(${passed})` : ''} ${selection(root.type, DEPTH)}`;
  const document = `query ${declared ? `(${declared})` : ''} { ${body} }`;
  return combined(given.map((arg) => [arg.name, valuesOf(arg.type, arg.name)])).map((variables) => ({
    document,
    variables,
  }));
}

/** What of the project stands in the answers to all questions of a root. */
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
    const told = JSON.stringify(data);
    const said = JSON.stringify(errors ?? []);
    // A refusal may repeat the address that was asked for, and nothing else.
    for (const secret of secrets)
      if (told.includes(secret) || (said.includes(secret) && !asked.includes(secret))) seen.add(secret);
  }
  return seen;
}

describe('a walk over every path of the schema', () => {
  it('reaches everything of the project, for its administrator', async () => {
    const seen = new Set<string>();
    for (const root of roots) for (const secret of await seenBy(app.admin, root)) seen.add(secret);
    expect([...seen].sort()).toEqual([...new Set(secrets)].sort());
  }, 120_000);

  it.each(
    roots.flatMap((root) => [
      { root, who: 'member' as const },
      { root, who: 'outsider' as const },
    ]),
  )(
    'reaches nothing of it from $root.name, as $who',
    async ({ root, who }) => {
      expect([...(await seenBy(callers[who], root))]).toEqual([]);
    },
    60_000,
  );
});

/** Copies of launch plans, with all that they need, in other domains and projects. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { digestOf } from '../../src/registry/domain/digest.ts';
import { update } from '../attributes/attributes-seed.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import {
  domain,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { grant, newCaller } from '../support/users.ts';

const project = 'promoted';
let app: LocalApp;
let projectId: string;
let elsewhereId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  elsewhereId = await registerProject(app, 'elsewhere');
  await registerTask(app, project, 'double');
  await registerTask(app, 'elsewhere', 'double');
  await registerWorkflow(app, 'elsewhere', 'lent', { a: [] });
  await registerFull();
  await registerWorkflow(app, project, 'small', { a: [] });
});
afterAll(() => app.stop());

/** Flyte's form of a task, with a field that our form cannot hold. */
const fullTask = {
  template: {
    type: 'python-task',
    metadata: {
      runtime: { type: 'FLYTE_SDK', version: '1.16', flavor: 'python' },
      discoverable: true,
      discovery_version: '2',
      timeout: '90s',
      retries: { retries: 3 },
      interruptible: false,
      metadata: { labels: { a: 'b' } },
    },
    interface: {
      inputs: { variables: { x: { type: { simple: 'INTEGER' }, description: 'a number' } } },
      outputs: { variables: { y: { type: { simple: 'INTEGER' } } } },
    },
    container: {
      image: 'python',
      args: ['run', '{{.inputs}}'],
      resources: {
        requests: [
          { name: 'MEMORY', value: '1Gi' },
          { name: 'CPU', value: '500m' },
        ],
      },
      config: [{ key: 'a', value: '1' }],
    },
    custom: { nested: { list: [1, null, 'x'] } },
    securityContext: { secrets: [{ group: 'g', key: 'k' }] },
    config: { b: 'c' },
  },
};
const description = {
  shortDescription: 'counts',
  longDescription: { value: '# Counting', format: 'MARKDOWN' },
  sourceCode: { link: 'https://example.com/source' },
  tags: ['a', 'b'],
};
const taskNode = (name: string, of = project) => ({ taskNode: { referenceId: keyOf(of, name) } });
const x = (binding: object = { promise: { nodeId: '', var: 'x' } }) => [{ var: 'x', binding }];

/** A workflow with nodes of all kinds, which starts launch plans of its own and of another project. */
async function registerFull(): Promise<void> {
  await make(app, 'createTask', { key: keyOf(project, 'full'), flyte: fullTask, description }, 'task');
  await registerWorkflow(app, project, 'started', { a: [] });
  // A task of another domain stays where it is.
  const shared = { ...keyOf(project, 'shared'), domain: 'staging' };
  await make(app, 'createTask', { ...taskInput(project, 'shared'), key: shared }, 'task');
  const { template } = workflowInput(project, 'inside', { a: [] });
  const condition = {
    comparison: { operator: 'GT', leftValue: { var: 'x' }, rightValue: { value: 3 } },
  };
  const nodes = [
    { id: 'run', inputs: x(), workflowNode: { launchplanRef: keyOf(project, 'started') } },
    { id: 'lent', inputs: x(), workflowNode: { launchplanRef: keyOf('elsewhere', 'lent') } },
    { id: 'sub', inputs: x(), workflowNode: { subWorkflowRef: keyOf(project, 'inside') } },
    { id: 'shared', inputs: x(), taskNode: { referenceId: shared } },
    { id: 'approve', inputs: x(), gateNode: { approve: { signalId: 'go' } } },
    {
      id: 'many',
      inputs: x({ value: [1, 2] }),
      arrayNode: { node: { id: 'item', ...taskNode('full') }, parallelism: 2 },
    },
    {
      id: 'choice',
      inputs: x(),
      branchNode: {
        ifElse: {
          case: { condition, thenNode: { id: 'yes', inputs: x({ value: 1 }), ...taskNode('double') } },
          elseNode: { id: 'no', inputs: x({ value: 2 }), ...taskNode('double', 'elsewhere') },
        },
      },
    },
  ];
  await make(
    app,
    'createWorkflow',
    {
      key: keyOf(project, 'whole'),
      template: {
        ...template,
        nodes,
        outputs: [{ var: 'z', binding: { promise: { nodeId: 'choice', var: 'y' } } }],
      },
      subWorkflows: [{ key: keyOf(project, 'inside'), template }],
      description: { ...description, shortDescription: 'the whole' },
    },
    'workflow',
  );
  await make(
    app,
    'createLaunchPlan',
    {
      key: keyOf(project, 'whole'),
      workflow: { key: keyOf(project, 'whole') },
      defaultInputLiterals: { x: { scalar: { primitive: { integer: '5' } }, hash: 'five' } },
      labels: [{ key: 'team', value: 'vision' }],
      maxParallelism: 4,
      concurrencyPolicy: { max: 2, behavior: 'QUEUE' },
      schedule: {
        times: { cron: { expression: '0 6 * * *', timeZone: 'Europe/Berlin' } },
        catchUp: 'ALL',
        catchUpLimit: 7,
      },
      notifications: [{ phases: ['FAILED'], webhook: { url: 'https://example.com/hook' } }],
      triggers: [
        { launchPlan: { project, domain, name: 'started' } },
        { launchPlan: { project: 'elsewhere', domain, name: 'lent' }, phases: ['FAILED'] },
      ],
    },
    'launchPlan',
  );
}

/** A workflow that starts launch plans, and its own launch plan. */
async function registerStarting(name: string, plans: readonly string[]): Promise<void> {
  const { key, template } = workflowInput(project, name, { a: [] });
  const nodes = plans.map((plan) => ({
    id: plan,
    inputs: x(),
    workflowNode: { launchplanRef: keyOf(project, plan) },
  }));
  const outputs = [{ var: 'z', binding: { promise: { nodeId: plans[0], var: 'z' } } }];
  await make(app, 'createWorkflow', { key, template: { ...template, nodes, outputs } }, 'workflow');
  await make(app, 'createLaunchPlan', { key, workflow: { key } }, 'launchPlan');
}

const selected = `launchPlan { id projectIdentifier domain name version state }
  entities { type outcome key { project domain name version } }`;
const promote = (name: string, more: object = {}, caller?: string): Promise<Answer> =>
  mutate(
    app,
    'promoteLaunchPlan',
    { by: { key: keyOf(project, name) }, domain: 'production', ...more },
    selected,
    caller,
  );
const outcomesOf = ({ entities }: Answer) =>
  entities.map(
    ({ type, key, outcome }: Answer) => `${outcome} ${type} ${key.domain}/${key.name} ${key.version}`,
  );

/** All that a promotion could write. */
async function stored(): Promise<unknown> {
  const tables = ['tasks', 'workflows', 'launch_plans', 'named_entities', 'description_entities', 'grants'];
  return await Promise.all(
    tables.map(async (table) => (await pool.query(`select id from ${table}`)).rowCount),
  );
}

const at = (name: string, inDomain: string, of = project) => ({
  name,
  domain: inDomain,
  project: { identifier: of },
});

/** The document with the keys that the copies of this project have. */
function rekeyed<T>(document: T, to: { project: string; domain: string }): T {
  return JSON.parse(JSON.stringify(document), (_key, one) =>
    one?.project === project && one.domain === domain && one.name ? { ...one, ...to } : one,
  );
}

describe('promoteLaunchPlan', () => {
  it('copies the launch plan with all that it needs, each thing after those that it refers to', async () => {
    const before = await stored();
    const expected = [
      'TASK production/double v1',
      'TASK production/full v1',
      'WORKFLOW production/started v1',
      'LAUNCH_PLAN production/started v1',
      'WORKFLOW production/whole v1',
      'LAUNCH_PLAN production/whole v1',
    ];
    const dry = await promote('whole', { dryRun: true });
    expect(outcomesOf(dry)).toEqual(expected.map((one) => `NEW ${one}`));
    expect(dry.launchPlan).toBeNull();
    expect(await stored()).toEqual(before);

    const made = await promote('whole');
    expect(made.launchPlan).toMatchObject({ ...keyOf2(project, 'production', 'whole'), state: 'INACTIVE' });
    expect(made.entities).toEqual(dry.entities);

    const all = await stored();
    const repeated = await promote('whole', { dryRun: true });
    expect(outcomesOf(repeated)).toEqual(expected.map((one) => `IDENTICAL ${one}`));
    expect(await promote('whole')).toEqual(repeated);
    expect(repeated.launchPlan).toEqual(made.launchPlan);
    expect(await stored()).toEqual(all);
  });

  it.each([
    ['the same project', project],
    ['another project', 'elsewhere'],
  ])('gives the copies the same documents but for the keys, in %s', async (_where, to) => {
    const made = await promote('whole', { project: to });
    expect(made).toMatchObject({ __typename: 'PromoteLaunchPlanPayload' });
    const target = { project: to, domain: 'production' };
    for (const name of ['double', 'full']) {
      const [from, copy] = await Promise.all(
        [at(name, domain), at(name, 'production', to)].map((where) =>
          db.task.findFirstOrThrow({ where, include: { description: true } }),
        ),
      );
      expect(copy?.template).toEqual(from?.template);
      expect(copy?.digest).toBe(from?.digest);
      expect(copy?.shortDescription).toBe(from?.shortDescription);
      expect(contentOf(copy?.description)).toEqual(contentOf(from?.description));
    }
    expect(JSON.stringify(await db.task.findFirst({ where: at('full', 'production', to) }))).toContain(
      'leftovers',
    );
    for (const name of ['started', 'whole']) {
      const [from, copy] = await Promise.all(
        [at(name, domain), at(name, 'production', to)].map((where) =>
          db.workflow.findFirstOrThrow({ where, include: { description: true } }),
        ),
      );
      expect(copy?.closure).toEqual(rekeyed(from?.closure, target));
      expect(copy?.digest).toBe(digestOf(rekeyed(from?.closure as object, target)));
      expect(contentOf(copy?.description)).toEqual(contentOf(from?.description));
      const [plan, copiedPlan] = await Promise.all(
        [at(name, domain), at(name, 'production', to)].map((where) =>
          db.launchPlan.findFirstOrThrow({ where }),
        ),
      );
      const spec = { ...rekeyed(plan?.spec as object, target), workflowDigest: copy?.digest };
      expect(copiedPlan?.spec).toEqual(spec);
      expect(copiedPlan?.digest).toBe(digestOf(spec));
      expect(copiedPlan?.workflowId).toBe(copy?.id);
    }
    const { closure } = await db.workflow.findFirstOrThrow({ where: at('whole', 'production', to) });
    expect(JSON.stringify(closure)).toContain(JSON.stringify('elsewhere'));
    expect(JSON.stringify(closure)).toContain(JSON.stringify('staging'));
  });

  it('gives only the launch plan another version', async () => {
    const made = await promote('small', { domain, version: 'v2' });
    expect(outcomesOf(made)).toEqual([
      'IDENTICAL TASK development/double v1',
      'IDENTICAL WORKFLOW development/small v1',
      'NEW LAUNCH_PLAN development/small v2',
    ]);
    expect(made.launchPlan.version).toBe('v2');
  });

  it('leaves the workflow where it is if it belongs to another project', async () => {
    const key = keyOf(project, 'borrows');
    await make(app, 'createLaunchPlan', { key, workflow: { key: keyOf('elsewhere', 'lent') } }, 'launchPlan');
    expect(outcomesOf(await promote('borrows'))).toEqual(['NEW LAUNCH_PLAN production/borrows v1']);
    const copy = await db.launchPlan.findFirstOrThrow({ where: at('borrows', 'production') });
    expect(copy.spec).toMatchObject({ workflowId: keyOf('elsewhere', 'lent') });
  });

  it('copies a launch plan once, before all workflows that start it', async () => {
    // `a-top` starts `b-middle` and `c-bottom`, and `b-middle` starts `c-bottom`, too.
    await registerWorkflow(app, project, 'c-bottom', { a: [] });
    await registerStarting('b-middle', ['c-bottom']);
    await registerStarting('a-top', ['b-middle', 'c-bottom']);
    const copies = outcomesOf(await promote('a-top', { domain: 'staging' }));
    expect(copies.filter((one: string) => one.includes('LAUNCH_PLAN'))).toEqual([
      'NEW LAUNCH_PLAN staging/c-bottom v1',
      'NEW LAUNCH_PLAN staging/b-middle v1',
      'NEW LAUNCH_PLAN staging/a-top v1',
    ]);
  });

  it('answers the differences of a copy that exists with another content, and stores nothing', async () => {
    await registerTask(app, project, 'fresh');
    await registerTask(app, project, 'taken', { retries: 2 });
    const { key, template } = workflowInput(project, 'mixed', { a: [], b: ['a'] }, { task: 'fresh' });
    const [first, second] = template.nodes;
    const nodes = [first, { ...second, ...taskNode('taken') }];
    await make(app, 'createWorkflow', { key, template: { ...template, nodes } }, 'workflow');
    await make(app, 'createLaunchPlan', { key, workflow: { key } }, 'launchPlan');
    const { key: taken, ...other } = taskInput(project, 'taken', { retries: 1 });
    await make(app, 'createTask', { key: { ...taken, domain: 'production' }, ...other }, 'task');
    const before = await stored();
    for (const dryRun of [true, false])
      expect(await promote('mixed', { dryRun })).toMatchObject({
        __typename: 'DifferentStructureError',
        code: 'INVALID_ARGUMENT',
        differences: [{ path: ['metadata', 'retries'], oldValue: '1', newValue: '2' }],
      });
    expect(await stored()).toEqual(before);
  });

  it('completes a promotion of which a part is there', async () => {
    await promote('whole', { domain: 'staging' });
    const { id } = await db.launchPlan.findFirstOrThrow({ where: at('whole', 'staging') });
    await db.launchPlan.delete({ where: { id } });
    expect(outcomesOf(await promote('whole', { domain: 'staging' })).slice(-2)).toEqual([
      'IDENTICAL WORKFLOW staging/whole v1',
      'NEW LAUNCH_PLAN staging/whole v1',
    ]);
  });

  it('makes each copy once if two calls run at the same time', async () => {
    await registerProject(app, 'raced');
    const calls = await Promise.all(Array.from({ length: 4 }, () => promote('whole', { project: 'raced' })));
    const [first] = calls;
    for (const one of calls) {
      expect(one).toMatchObject({ __typename: 'PromoteLaunchPlanPayload', launchPlan: first?.launchPlan });
      expect(one.entities.map(({ key }: Answer) => key)).toEqual(
        first?.entities.map(({ key }: Answer) => key),
      );
    }
    const made = calls.flatMap(outcomesOf).filter((one) => one.startsWith('NEW'));
    expect(made.toSorted()).toEqual([...new Set(made)].toSorted());
    expect(made).toHaveLength(6);
  });

  it.each([
    ['an unknown domain', { domain: 'nowhere' }, ['input', 'domain']],
    ['an empty version', { version: '' }, ['input', 'version']],
  ])('refuses %s', async (_what, more, path) => {
    expect(await promote('small', more)).toMatchObject({ problems: [{ path }] });
  });

  it('names the copy that the target does not accept', async () => {
    await update(
      app,
      { project: 'elsewhere', domain: 'staging' },
      { taskResource: { limits: { memory: '1Mi' } } },
    );
    expect(await promote('whole', { project: 'elsewhere', domain: 'staging' })).toMatchObject({
      problems: [{ path: ['input', 'by', 'task', 'full', 'container', 'resources', 'requests', 'MEMORY'] }],
    });
  });

  it('takes no statements to show the copies', async () => {
    const input = { by: { key: keyOf(project, 'whole') }, domain: 'production', dryRun: true };
    const ask = (fields: string) => statementsOf(() => mutate(app, 'promoteLaunchPlan', input, fields));
    const bare = await ask('__typename');
    const shown = await ask('entities { type outcome key { project domain name version } }');
    expect(shown.result.entities).toHaveLength(6);
    expect(shown.statements).toHaveLength(bare.statements.length);
  });

  it('copies at most 500 versions', async () => {
    await registerWorkflow(app, project, 'wide', { a: [] });
    const { id, closure } = await db.workflow.findFirstOrThrow({ where: at('wide', domain) });
    const withTasks = (count: number) =>
      db.workflow.update({
        where: { id },
        data: {
          closure: {
            ...(closure as object),
            tasks: Array.from({ length: count }, (_, index) => ({ id: keyOf(project, `task-${index}`) })),
          },
        },
      });
    await withTasks(499);
    expect(await promote('wide')).toMatchObject({ problems: [{ code: 'TooLarge', path: ['input', 'by'] }] });
    await withTasks(498);
    expect(await promote('wide')).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'by'] });
  });
});

const keyOf2 = (projectIdentifier: string, inDomain: string, name: string) => ({
  projectIdentifier,
  domain: inDomain,
  name,
  version: 'v1',
});

/** What a description says. */
function contentOf(row: Answer) {
  if (!row) return null;
  const { shortDescription, longText, longUri, longFormat, iconLink, sourceLink, tags } = row;
  return { shortDescription, longText, longUri, longFormat, iconLink, sourceLink, tags };
}

describe('the rights that a promotion requires', () => {
  const nameOf = async (name: string, inDomain = domain) =>
    (await db.namedEntity.findFirstOrThrow({ where: { ...at(name, inDomain), type: 'WORKFLOW' } })).id;
  const callerWith = (...grants: { type: 'PROJECT' | 'WORKFLOW'; id: string; level: 'READ' | 'EDIT' }[]) =>
    newCaller({ role: 'USER', grants });

  it('are READ on the launch plan and EDIT on the project of the copies', async () => {
    const to = { project: 'elsewhere', dryRun: true };
    const reader = await callerWith({ type: 'PROJECT', id: projectId, level: 'READ' });
    const editor = await callerWith(
      { type: 'PROJECT', id: projectId, level: 'READ' },
      { type: 'PROJECT', id: elsewhereId, level: 'EDIT' },
    );
    const stranger = await callerWith({ type: 'PROJECT', id: elsewhereId, level: 'EDIT' });
    expect(await promote('small', to, editor)).toMatchObject({ __typename: 'PromoteLaunchPlanPayload' });
    expect(await promote('small', { dryRun: true }, reader)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await promote('small', to, stranger)).toMatchObject({ refused: 'NOT_FOUND' });
    const answer = await askAlike(
      (identifier) => promote('small', { project: identifier }, reader),
      ['elsewhere', 'ghostly'],
    );
    expect(answer).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'project'] });
  });

  it('are READ on the tasks', async () => {
    const caller = await callerWith(
      { type: 'WORKFLOW', id: await nameOf('small'), level: 'READ' },
      { type: 'PROJECT', id: elsewhereId, level: 'EDIT' },
    );
    expect(await promote('small', { project: 'elsewhere' }, caller)).toMatchObject({
      __typename: 'NotFoundError',
      message: `task ${project}/${domain}/double version v1 not found`,
      path: ['input', 'by'],
    });
  });

  it('are READ on the workflow, which is not named if it is hidden', async () => {
    const key = keyOf(project, 'lending');
    const workflow = { key: keyOf('elsewhere', 'lent') };
    await make(app, 'createLaunchPlan', { key, workflow }, 'launchPlan');
    const caller = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    expect(await promote('lending', {}, caller)).toMatchObject({
      __typename: 'NotFoundError',
      message: `workflow of launch plan ${project}/${domain}/lending version v1 not found`,
      path: ['input', 'by'],
    });
  });

  it('are READ on the launch plans that the workflow starts', async () => {
    const caller = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    await grant(caller, 'WORKFLOW', await nameOf('started'), 'NO_PERMISSIONS');
    expect(await promote('whole', {}, caller)).toMatchObject({
      __typename: 'NotFoundError',
      message: `launch plan ${project}/${domain}/started version v1 not found`,
    });
  });

  it('are EDIT on a workflow that exists in the target, whose name is unavailable if it is hidden', async () => {
    await promote('small');
    const caller = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    const name = await nameOf('small', 'production');
    await grant(caller, 'WORKFLOW', name, 'READ');
    expect(await promote('small', {}, caller)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    const other = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    await grant(other, 'WORKFLOW', name, 'NO_PERMISSIONS');
    expect(await promote('small', {}, other)).toMatchObject({
      problems: [{ code: 'NameUnavailable', path: ['input', 'by', 'workflow', 'small', 'name'] }],
    });
  });

  it('include the scopes of tasks and descriptions if there are any', async () => {
    const scopes = [
      'task:create',
      'task:read',
      'workflow:create',
      'workflow:read',
      'launchPlan:create',
      'launchPlan:read',
      'launchPlan:use',
      'project:read',
    ];
    const grants = [
      { type: 'PROJECT', id: projectId, level: 'EDIT' },
      { type: 'PROJECT', id: elsewhereId, level: 'EDIT' },
    ] as const;
    const to = { project: 'elsewhere', dryRun: true };
    const withoutTasks = scopes.filter((scope) => scope !== 'task:create');
    const blocked = await newCaller({ role: 'USER', grants, scopes: withoutTasks });
    expect(await promote('small', to, blocked)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    const narrow = await newCaller({ role: 'USER', grants, scopes });
    expect(await promote('small', to, narrow)).toMatchObject({ __typename: 'PromoteLaunchPlanPayload' });
    expect(await promote('whole', to, narrow)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    const wide = await newCaller({ role: 'USER', grants, scopes: [...scopes, 'descriptionEntity:read'] });
    expect(await promote('whole', to, wide)).toMatchObject({ __typename: 'PromoteLaunchPlanPayload' });
  });

  it('include USE on a copied launch plan of a workflow that stays where it is', async () => {
    await make(
      app,
      'createLaunchPlan',
      { key: keyOf(project, 'inner'), workflow: { key: keyOf('elsewhere', 'lent') } },
      'launchPlan',
    );
    await registerStarting('outer', ['inner']);
    const lent = await db.namedEntity.findFirstOrThrow({
      where: { ...at('lent', domain, 'elsewhere'), type: 'WORKFLOW' },
    });
    const caller = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    await grant(caller, 'WORKFLOW', lent.id, 'READ');
    const before = await stored();
    expect(await promote('outer', {}, caller)).toMatchObject({ refused: 'PERMISSION_DENIED' });
    expect(await stored()).toEqual(before);
    const user = await callerWith({ type: 'PROJECT', id: projectId, level: 'EDIT' });
    await grant(user, 'WORKFLOW', lent.id, 'USE');
    expect(await promote('outer', {}, user)).toMatchObject({ __typename: 'PromoteLaunchPlanPayload' });
  });
});

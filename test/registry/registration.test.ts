import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import {
  readActiveLaunchPlans,
  readLaunchPlanInputs,
  readLaunchPlans,
  readTaskRows,
  readTasks,
  readTaskTemplates,
  readWorkflowClosures,
  readWorkflowInterfaces,
  readWorkflowRows,
  readWorkflows,
} from '../../src/registry/store.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  domain,
  integer,
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';

const project = 'registry';
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
});
afterAll(() => app.stop());

describe('registerProject', () => {
  const register = async (input: object) => {
    const { data } = await app.ask(
      `mutation ($input: RegisterProjectInput!) {
         registerProject(input: $input) {
           __typename ... on RegisterProjectPayload { project { identifier labels { key value } } }
           ... on Error { code path } ... on InvalidArgumentError { problems { path message } }
         }
       }`,
      { input },
    );
    return data.registerProject;
  };

  it('creates a project once when many calls register it at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => register({ identifier: 'raced', name: 'Raced' })),
    );
    const made = answers.filter((answer) => answer.__typename === 'RegisterProjectPayload');
    expect(made).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'ALREADY_EXISTS')).toHaveLength(11);
  });

  it('reports all problems together, each with its field', async () => {
    const labels = [
      { key: 'bad key', value: 'x' },
      { key: 'ok', value: 'not ok!' },
    ];
    const answer = await register({ identifier: 'Nope', name: ' ', description: 'x'.repeat(301), labels });
    expect(answer.problems.map((problem: Answer) => problem.path.join('.')).sort()).toEqual([
      'input.description',
      'input.identifier',
      'input.labels.bad key',
      'input.labels.ok',
      'input.name',
    ]);
  });

  it('refuses a label that is given twice', async () => {
    const labels = [
      { key: 'team', value: 'a' },
      { key: 'team', value: 'b' },
    ];
    expect(await register({ identifier: 'twice', name: 'Twice', labels })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['input', 'labels', 'team'],
    });
  });
});

describe('createTask', () => {
  it('answers ALREADY_EXISTS for the same content, whatever its order', async () => {
    const inputs = { a: integer, b: integer };
    const turned = { b: integer, a: integer };
    const first = await createTask(app, taskInput(project, 'same', { inputs }));
    expect(first.__typename).toBe('CreateTaskPayload');
    const again = await createTask(app, taskInput(project, 'same', { inputs: turned }));
    expect(again).toMatchObject({
      __typename: 'AlreadyExistsError',
      code: 'ALREADY_EXISTS',
      existingId: first.task.id,
    });
  });

  it('reports the difference when the version exists with other content', async () => {
    await createTask(app, taskInput(project, 'changed', { retries: 1 }));
    const other = await createTask(app, taskInput(project, 'changed', { retries: 2 }));
    expect(other).toMatchObject({ __typename: 'DifferentStructureError', code: 'INVALID_ARGUMENT' });
    const kept = await db.task.findFirstOrThrow({ where: { name: 'changed' } });
    expect(other).toMatchObject({
      existingId: kept.id,
      differences: [{ path: ['metadata', 'retries'], oldValue: '1', newValue: '2' }],
    });
    expect(kept.template).toMatchObject({ metadata: { retries: 1 } });
  });

  it('creates one version when 20 calls register it at the same time', async () => {
    const input = taskInput(project, 'raced');
    const answers = await Promise.all(Array.from({ length: 20 }, () => createTask(app, input)));
    expect(answers.filter((answer) => answer.__typename === 'CreateTaskPayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'ALREADY_EXISTS')).toHaveLength(19);
    expect(await db.task.count({ where: { name: 'raced' } })).toBe(1);
  });

  it.each([
    ['more than ten retries', { retries: 11 }, 'input.template.metadata.retries'],
    ['a timeout that is negative', { timeout: '-PT1S' }, 'input.template.metadata.timeout'],
  ])('refuses %s and names the field', async (_name, options, path) => {
    const answer = await createTask(app, taskInput(project, 'wrong', options));
    expect(answer.problems.map((problem: Answer) => problem.path.join('.'))).toContain(path);
  });

  it('names the part of its key that is missing', async () => {
    const input = { ...taskInput(project, 'x'), key: { ...keyOf(project, ''), version: '' } };
    const answer = await createTask(app, input);
    expect(answer.problems).toMatchObject([
      { path: ['input', 'key', 'name'], message: 'missing name' },
      { path: ['input', 'key', 'version'], message: 'missing version' },
    ]);
  });

  it('is NOT_FOUND when the project does not exist', async () => {
    const { errors } = await app.ask(
      'mutation ($input: CreateTaskInput!) { createTask(input: $input) { __typename } }',
      { input: taskInput('ghost', 'x') },
    );
    expect(errors).toMatchObject([{ message: 'project ghost not found', extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('createWorkflow', () => {
  it("reports all of the compiler's errors together, each with its code and its node", async () => {
    const input = workflowInput(project, 'broken', { a: ['b'], b: ['a'], c: ['ghost'] });
    const { nodes } = input.template;
    const stray = { ...nodes[2], id: 'd', taskNode: { referenceId: keyOf(project, 'unregistered') } };
    const answer = await createWorkflow(app, {
      ...input,
      template: { ...input.template, nodes: [...nodes, stray] },
    });
    const found = answer.problems.map((problem: Answer) => [problem.code, problem.path[3]]);
    expect(found).toContainEqual(['CycleDetected', expect.anything()]);
    expect(found).toContainEqual(['NodeReferenceNotFound', 'c']);
    expect(found).toContainEqual(['TaskReferenceNotFound', 'd']);
  });

  it('refuses a binding of two kinds, as any query that does not fit the schema', async () => {
    const { key, template } = workflowInput(project, 'torn', { a: [] });
    const nodes = template.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(({ binding, ...one }) => ({ ...one, binding: { ...binding, value: 1 } })),
    }));
    const { errors } = await app.ask(
      'mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { __typename } }',
      { input: { key, template: { ...template, nodes } } },
    );
    expect(errors).toMatchObject([{ message: expect.stringContaining('BindingDataInput') }]);
  });

  it('refuses too many nodes before it reads their tasks', async () => {
    const shape = Object.fromEntries(Array.from({ length: 8_000 }, (_, index) => [`n${index}`, []]));
    const { key, template } = workflowInput(project, 'wide', shape);
    const nodes = template.nodes.map((node) => ({
      ...node,
      taskNode: { referenceId: keyOf(project, `task of ${node.id}`) },
    }));
    const { result, statements } = await statementsOf(() =>
      createWorkflow(app, { key, template: { ...template, nodes } }),
    );
    expect(result).toMatchObject({
      message: 'a workflow must have at most 1000 nodes, got 8000',
      problems: [{ code: 'InvalidValue', path: ['input', 'template', 'nodes'] }],
    });
    expect(statements.filter((text) => text.includes('tasks'))).toEqual([]);
  });

  it('answers differently for identical and for different content', async () => {
    await registerWorkflow(app, project, 'stable', { a: [], b: ['a'] });
    const same = await createWorkflow(app, workflowInput(project, 'stable', { a: [], b: ['a'] }));
    const other = await createWorkflow(app, workflowInput(project, 'stable', { a: [], b: ['a'], c: ['b'] }));
    expect(same).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(other).toMatchObject({ __typename: 'DifferentStructureError', code: 'INVALID_ARGUMENT' });
  });

  it('treats a workflow with another version of a task as different', async () => {
    await registerTask(app, project, 'versioned', { version: 'v1' });
    await registerTask(app, project, 'versioned', { version: 'v2', retries: 3 });
    const input = (version: string) => {
      const { template, key } = workflowInput(project, 'uses', { a: [] });
      const nodes = template.nodes.map((node) => ({
        ...node,
        taskNode: { referenceId: keyOf(project, 'versioned', version) },
      }));
      return { key: { ...key, version }, template: { ...template, nodes } };
    };
    const [one, two] = [await createWorkflow(app, input('v1')), await createWorkflow(app, input('v2'))];
    expect(one.workflow.digest).not.toBe(two.workflow.digest);
  });
});

describe('createLaunchPlan', () => {
  it('answers NotFoundError for its workflow before it checks anything else', async () => {
    const answer = await createLaunchPlan(app, {
      key: keyOf(project, ''),
      workflow: { key: keyOf(project, 'ghost') },
      defaultInputs: { nonsense: 1 },
    });
    expect(answer).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'workflow'] });
  });

  it('shows which inputs an execution must, may and cannot give', async () => {
    await registerWorkflow(app, project, 'planned', { a: [] });
    const plan = async (name: string, more: object) =>
      (
        await createLaunchPlan(app, {
          key: keyOf(project, name),
          workflow: { key: keyOf(project, 'planned') },
          ...more,
        })
      ).launchPlan;
    expect(await plan('must', {})).toMatchObject({
      state: 'INACTIVE',
      expectedInputs: [{ name: 'x', required: true, default: null }],
    });
    expect(await plan('may', { defaultInputs: { x: 3 } })).toMatchObject({
      expectedInputs: [{ name: 'x', required: false, default: 3 }],
    });
    expect(await plan('cannot', { fixedInputs: { x: 4 } })).toMatchObject({
      expectedInputs: [],
      fixedInputs: { x: 4 },
    });
  });

  it.each([
    ['a name the workflow does not have', { defaultInputs: { z: 1 } }, 'VariableNameNotFound'],
    ['a value of another type', { fixedInputs: { x: 'many' } }, 'MismatchingTypes'],
  ])('refuses %s', async (_name, more, code) => {
    const answer = await createLaunchPlan(app, {
      key: keyOf(project, 'refused'),
      workflow: { key: keyOf(project, 'planned') },
      ...more,
    });
    expect(answer.problems).toMatchObject([{ code }]);
  });
});

describe('updateLaunchPlan', () => {
  const versions = ['v1', 'v2', 'v3'];
  beforeAll(async () => {
    await registerWorkflow(app, project, 'active', { a: [] });
    for (const version of versions)
      await createLaunchPlan(app, {
        key: keyOf(project, 'switch', version),
        workflow: { key: keyOf(project, 'active') },
        fixedInputs: { x: Number(version[1]) },
      });
  });
  const update = async (version: string, state: string) => {
    const { data } = await app.ask(
      `mutation ($input: UpdateLaunchPlanInput!) {
         updateLaunchPlan(input: $input) { ... on UpdateLaunchPlanPayload { launchPlan { version state } } }
       }`,
      { input: { by: { key: keyOf(project, 'switch', version) }, state } },
    );
    return data.updateLaunchPlan.launchPlan;
  };
  const active = async () => {
    const { data, errors } = await app.ask(
      `query ($key: EntityNameInput!) { activeLaunchPlan(key: $key) { version } }`,
      { key: { project, domain, name: 'switch' } },
    );
    return data.activeLaunchPlan?.version ?? errors?.[0]?.extensions.code;
  };

  it('has no active version until one is activated', async () => {
    expect(await active()).toBe('NOT_FOUND');
  });

  it('activates a version and deactivates the previous one in one step', async () => {
    await update('v1', 'ACTIVE');
    expect(await update('v2', 'ACTIVE')).toEqual({ version: 'v2', state: 'ACTIVE' });
    expect(await active()).toBe('v2');
    expect(await update('v2', 'ACTIVE')).toEqual({ version: 'v2', state: 'ACTIVE' });
  });

  it('changes no other version when one is deactivated', async () => {
    await update('v1', 'INACTIVE');
    expect(await active()).toBe('v2');
    await update('v2', 'INACTIVE');
    expect(await active()).toBe('NOT_FOUND');
  });

  it('leaves exactly one version active when many are activated at the same time', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all([...versions, ...versions].map((version) => update(version, 'ACTIVE')));
      expect(await db.launchPlan.count({ where: { name: 'switch', state: 'ACTIVE' } })).toBe(1);
    }
  });
});

describe('a version', () => {
  it('is read by id and by key with the same values as Prisma reads', async () => {
    await registerWorkflow(app, project, 'read', { a: [] });
    await db.launchPlan.updateMany({ where: { name: 'read' }, data: { state: 'ACTIVE' } });
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    const task = await db.task.findFirstOrThrow({ where: { name: 'double' } });
    const where = { where: { name: 'read' } };
    const [workflow, plan] = [
      await db.workflow.findFirstOrThrow(where),
      await db.launchPlan.findFirstOrThrow(where),
    ];
    const addresses = (id: string, name: string) => [{ id }, { key: keyOf(project, name) }, { id: 'no id' }];
    expect(await readTasks(tenantId, addresses(task.id, 'double'))).toEqual([task, task, null]);
    expect(await readWorkflows(tenantId, addresses(workflow.id, 'read'))).toEqual([workflow, workflow, null]);
    expect(await readLaunchPlans(tenantId, addresses(plan.id, 'read'))).toEqual([plan, plan, null]);
    const names = [
      { project, domain, name: 'read' },
      { project, domain, name: 'ghost' },
    ];
    const { spec: _spec, inputOrder: _order, ...withInputs } = plan;
    const { expectedInputs, fixedInputs, expectedOutputs, ...planRow } = withInputs;
    expect(await readActiveLaunchPlans(tenantId, names)).toEqual([planRow, null]);
    const { template, ...taskRow } = task;
    expect(await readTaskRows(tenantId, addresses(task.id, 'double'))).toEqual([taskRow, taskRow, null]);
    const { taskIds: _taskIds, launchPlanIds: _planIds, ...withClosure } = workflow;
    const { interface: signature, closure, ...workflowRow } = withClosure;
    expect(await readWorkflowRows(tenantId, addresses(workflow.id, 'read'))).toEqual([
      ...[workflowRow, workflowRow],
      null,
    ]);
    const inputs = { id: plan.id, expectedInputs, fixedInputs, expectedOutputs };
    expect(await readLaunchPlanInputs([plan.id, task.id])).toEqual([inputs, null]);
    expect(await readTaskTemplates([task.id])).toEqual([{ id: task.id, template }]);
    expect(await readWorkflowInterfaces([workflow.id])).toEqual([{ id: workflow.id, interface: signature }]);
    expect(await readWorkflowClosures([workflow.id])).toEqual([{ id: workflow.id, closure }]);
  });
});

describe('the tasks of a workflow', () => {
  it('are read with one statement, however many they are', async () => {
    const { id: tenantId } = await db.tenant.findFirstOrThrow();
    const names = [...Array.from({ length: 8_000 }, (_, index) => `ghost ${index}`), 'double'];
    const { result, statements } = await statementsOf(() =>
      readTasks(
        tenantId,
        names.map((name) => ({ key: keyOf(project, name) })),
      ),
    );
    expect(statements).toHaveLength(1);
    expect(result.at(-1)).toMatchObject({ name: 'double' });
    expect(result.slice(0, -1).every((task) => task === null)).toBe(true);
  });
});

describe('lists of versions', () => {
  it('are listed newest first, in pages, by name', async () => {
    for (const version of ['v1', 'v2', 'v3']) await registerTask(app, project, 'listed', { version });
    const page = async (after: string | null) => {
      const { data } = await app.ask(
        `query ($after: String) {
           tasks(filter: { project: "${project}", domain: "${domain}", name: "listed" }, first: 2, after: $after) {
             edges { node { version interface { inputs { name type } } } } pageInfo { hasNextPage endCursor }
           }
         }`,
        { after },
      );
      return data.tasks;
    };
    const one = await page(null);
    expect(one.edges.map((edge: Answer) => edge.node.version)).toEqual(['v3', 'v2']);
    expect(one.edges[0].node.interface.inputs).toEqual([{ name: 'x', type: { simple: 'INTEGER' } }]);
    const two = await page(one.pageInfo.endCursor);
    expect(two.edges.map((edge: Answer) => edge.node.version)).toEqual(['v1']);
    expect(two.pageInfo.hasNextPage).toBe(false);
  });
});

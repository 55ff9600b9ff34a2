/** What the registry answers field by field, beside its JSON forms: types, task templates, expected inputs, graphs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import {
  createLaunchPlan,
  createTask,
  createWorkflow,
  integer,
  keyOf,
  registerProject,
  registerTask,
  taskInput,
  workflowInput,
} from '../support/seed.ts';

const project = 'typed';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
});
afterAll(() => app.stop());

const string = { simple: 'STRING' };

async function lookUp(
  noun: 'task' | 'workflow' | 'launchPlan',
  name: string,
  selection: string,
): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($key: EntityKeyInput!) { ${noun}(by: { key: $key }) { ${selection} } }`,
    { key: keyOf(project, name) },
  );
  expect(errors).toBeUndefined();
  return data[noun];
}

/** The type without what is null, for comparison. */
function withoutNulls(value: Answer): Answer {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (one === null ? [] : [[key, withoutNulls(one)]])),
  );
}

describe('LiteralType', () => {
  const oneLevel = `simple text metadata annotation structure { tag dataclassType { name literalType { simple } } }
    schema { columns { name type } } blob { format dimensionality } enumType { values }
    structuredDatasetType { format externalSchemaType externalSchemaBytes columns { name literalType { simple } } }`;
  const selection = `${oneLevel} collectionType { ${oneLevel} } mapValueType { ${oneLevel} collectionType { ${oneLevel} } }
    unionType { variants { ${oneLevel} } }`;
  const types: Record<string, { given: object; text: string; typed?: object }> = {
    integer: { given: integer, text: 'integer' },
    list: {
      given: { collectionType: string },
      text: 'list<string>',
      typed: { collectionType: { ...string, text: 'string' } },
    },
    map: {
      given: { mapValueType: { collectionType: string } },
      text: 'map<list<string>>',
      typed: {
        mapValueType: { text: 'list<string>', collectionType: { ...string, text: 'string' } },
      },
    },
    blob: { given: { blob: { format: 'csv', dimensionality: 'MULTIPART' } }, text: 'multipart blob(csv)' },
    enum: { given: { enumType: { values: ['small', 'large'] } }, text: 'enum(small, large)' },
    schema: {
      given: { schema: { columns: [{ name: 'at', type: 'DATETIME' }] } },
      text: 'schema(at)',
    },
    table: {
      given: {
        structuredDatasetType: {
          columns: [{ name: 'rows', literalType: integer }],
          format: 'parquet',
          externalSchemaType: 'arrow',
          externalSchemaBytes: 'AAAA',
        },
      },
      text: 'structured dataset(parquet)',
    },
    union: {
      given: { unionType: { variants: [integer, { simple: 'NONE' }] } },
      text: 'union<integer, none>',
      typed: {
        unionType: {
          variants: [
            { ...integer, text: 'integer' },
            { simple: 'NONE', text: 'none' },
          ],
        },
      },
    },
    dataclass: {
      given: {
        simple: 'STRUCT',
        metadata: { title: 'Config' },
        annotation: { annotations: { unit: 'ms' } },
        structure: { tag: 'config', dataclassType: { depth: integer } },
      },
      text: 'struct',
      typed: {
        simple: 'STRUCT',
        metadata: { title: 'Config' },
        annotation: { annotations: { unit: 'ms' } },
        structure: { tag: 'config', dataclassType: [{ name: 'depth', literalType: integer }] },
      },
    },
  };

  it('shows every kind of type, one set field each, in the order in which the inputs are declared', async () => {
    const inputs = Object.fromEntries(Object.entries(types).map(([name, { given }]) => [name, given]));
    await registerTask(app, project, 'kinds', { inputs });
    const { interface: signature } = await lookUp(
      'task',
      'kinds',
      `interface { inputs { name type literalType { ${selection} } } }`,
    );
    expect(signature.inputs.map(({ name }: Answer) => name)).toEqual(Object.keys(types));
    for (const { name, type, literalType } of signature.inputs) {
      const { given, text, typed = given } = types[name] ?? { given: {}, text: '' };
      expect(withoutNulls(literalType), name).toEqual({ ...typed, text });
      expect(type, name).toEqual(given);
    }
  });
});

describe('TaskTemplate', () => {
  const template = {
    type: 'spark',
    taskTypeVersion: 3,
    metadata: {
      timeout: 'PT1M30S',
      retries: 2,
      interruptible: false,
      deprecatedErrorMessage: 'use spark-2',
      runtime: { type: 'FLYTE_SDK', version: '1.16', flavor: 'python' },
      discoverable: true,
      discoveryVersion: '7',
      cacheSerializable: true,
      cacheIgnoreInputVars: ['x'],
      tags: [{ key: 'team', value: 'a' }],
      labels: [{ key: 'app', value: 'b' }],
      annotations: [{ key: 'note', value: 'c' }],
      podTemplateName: 'large',
      generatesDeck: true,
      isEager: true,
    },
    securityContext: {
      runAs: { iamRole: 'reader', k8sServiceAccount: 'spark', executionIdentity: 'ada' },
      secrets: [{ group: 'database', groupVersion: '2', key: 'password', mountRequirement: 'FILE' }],
    },
    extendedResources: {
      gpuAccelerator: { device: 'nvidia-tesla-a100', partitionSize: '1g.5gb' },
      sharedMemory: { mountPath: '/dev/shm', mountName: 'shm', sizeLimit: '1Gi' },
    },
    custom: { executors: 3 },
  };
  const container = {
    image: 'spark:3',
    command: ['run'],
    args: ['{{.inputs.x}}'],
    env: [{ key: 'MODE', value: 'fast' }],
    resources: {
      requests: [{ name: 'CPU', value: '500m' }],
      limits: [{ name: 'MEMORY', value: '1Gi' }],
    },
    ports: [{ containerPort: 8080, name: 'http' }],
    dataConfig: {
      enabled: true,
      inputPath: '/in',
      outputPath: '/out',
      format: 'YAML',
      ioStrategy: { downloadMode: 'DOWNLOAD_STREAM', uploadMode: 'UPLOAD_EAGER' },
    },
    architecture: 'ARM64',
  };
  const entries = '{ key value }';
  const dataConfig =
    'dataConfig { enabled inputPath outputPath format ioStrategy { downloadMode uploadMode } }';
  const containerSelection = `container { image command args env ${entries}
    resources { requests { name value } limits { name value } } ports { containerPort name } architecture ${dataConfig} }`;
  const otherTargets = `k8sPod { metadata { labels ${entries} annotations ${entries} } podSpec primaryContainerName ${dataConfig} }
    sql { statement dialect }`;
  const selection = `taskTemplate {
    type taskTypeVersion custom config ${entries} ${containerSelection} ${otherTargets}
    metadata { timeout retries interruptible deprecatedErrorMessage runtime { type version flavor } discoverable
      discoveryVersion cacheSerializable cacheIgnoreInputVars tags ${entries} labels ${entries} annotations ${entries}
      podTemplateName generatesDeck isEager }
    interface { inputs { name } }
    securityContext { runAs { iamRole k8sServiceAccount executionIdentity }
      secrets { group groupVersion key mountRequirement } }
    extendedResources { gpuAccelerator { device unpartitioned partitionSize } sharedMemory { mountPath mountName sizeLimit } }
  }`;
  const interfaceInput = { inputs: [{ name: 'x', type: integer }] };

  async function register(name: string, more: object): Promise<void> {
    const input = { key: keyOf(project, name), template: { ...more, interface: interfaceInput } };
    expect(await createTask(app, input)).toMatchObject({ __typename: 'CreateTaskPayload' });
  }

  it('gives back every field of a container that the input takes', async () => {
    await register('container', { ...template, container, config: { 'spark.cores': '4' } });
    const { taskTemplate } = await lookUp('task', 'container', selection);
    expect(withoutNulls(taskTemplate)).toEqual({
      ...template,
      container,
      config: [{ key: 'spark.cores', value: '4' }],
      interface: { inputs: [{ name: 'x' }] },
    });
  });

  it.each([
    ['an accelerator that is used as a whole', { gpuAccelerator: { device: 'a100', unpartitioned: true } }],
    ['shared memory without a limit', { sharedMemory: { mountPath: '/dev/shm' } }],
  ])('gives back %s', async (name, extendedResources) => {
    await register(name, { ...template, container, extendedResources });
    const { taskTemplate } = await lookUp('task', name, selection);
    expect(withoutNulls(taskTemplate.extendedResources)).toEqual(extendedResources);
  });

  it('gives back a pod and an SQL statement', async () => {
    const metadata = { labels: [{ key: 'a', value: '1' }], annotations: [{ key: 'b', value: '2' }] };
    const podSpec = { containers: [{ name: 'main', image: 'a' }] };
    const k8sPod = { metadata, podSpec, primaryContainerName: 'main', dataConfig: container.dataConfig };
    await register('pod', { type: 'pod', metadata: {}, k8sPod });
    const sql = { statement: 'select 1', dialect: 'ANSI' };
    await register('sql', { type: 'sql', metadata: {}, sql });
    expect((await lookUp('task', 'pod', selection)).taskTemplate).toMatchObject({
      k8sPod,
      sql: null,
      container: null,
    });
    expect((await lookUp('task', 'sql', selection)).taskTemplate).toMatchObject({ sql, k8sPod: null });
  });

  it('shows the defaults of what is left out, and null where there is none', async () => {
    await register('bare', { type: 'a', metadata: {} });
    expect((await lookUp('task', 'bare', selection)).taskTemplate).toEqual({
      ...{
        type: 'a',
        taskTypeVersion: 0,
        custom: null,
        config: [],
        container: null,
        k8sPod: null,
        sql: null,
      },
      ...{ securityContext: null, extendedResources: null, interface: { inputs: [{ name: 'x' }] } },
      metadata: {
        ...{ timeout: null, retries: 0, interruptible: null, deprecatedErrorMessage: '', runtime: null },
        ...{ discoverable: false, discoveryVersion: '', cacheSerializable: false, cacheIgnoreInputVars: [] },
        ...{ tags: [], labels: [], annotations: [] },
        ...{ podTemplateName: null, generatesDeck: null, isEager: false },
      },
    });
  });

  it('shows the defaults of how a program gets its inputs', async () => {
    const dataConfig = { ioStrategy: {} };
    await register('copied', {
      type: 'a',
      metadata: {},
      container: { image: 'a', command: ['b'], dataConfig },
    });
    expect((await lookUp('task', 'copied', selection)).taskTemplate.container.dataConfig).toEqual({
      ...{ enabled: false, inputPath: null, outputPath: null, format: 'JSON' },
      ioStrategy: { downloadMode: 'DOWNLOAD_EAGER', uploadMode: 'UPLOAD_ON_EXIT' },
    });
  });

  it("is the same whether it was registered in our form or in Flyte's", async () => {
    await register('both', { ...template, container, config: { a: 'b' } });
    const flyte = (await lookUp('task', 'both', 'flyte')).flyte;
    expect(flyte.template.securityContext.secrets).toEqual([
      { group: 'database', groupVersion: '2', key: 'password', mountRequirement: 'FILE' },
    ]);
    expect(await createTask(app, { key: keyOf(project, 'both'), flyte })).toMatchObject({
      __typename: 'AlreadyExistsError',
    });
  });

  it.each([
    [
      'a port that does not exist',
      { container: { ...container, ports: [{ containerPort: 0 }] } },
      'container.ports.0.containerPort',
    ],
    [
      'a GPU both as a whole and in parts',
      { extendedResources: { gpuAccelerator: { device: 'a', unpartitioned: true, partitionSize: 'b' } } },
      'extendedResources.gpuAccelerator.partitionSize',
    ],
    [
      'a size of shared memory that is no quantity',
      { extendedResources: { sharedMemory: { sizeLimit: 'much' } } },
      'extendedResources.sharedMemory.sizeLimit',
    ],
    [
      'a label that is given twice',
      {
        metadata: {
          labels: [
            { key: 'a', value: '1' },
            { key: 'a', value: '2' },
          ],
        },
      },
      'metadata.labels.a',
    ],
    ['an unknown version of the type', { taskTypeVersion: -1 }, 'taskTypeVersion'],
  ])('refuses %s', async (_name, more, path) => {
    const input = { ...taskInput(project, 'wrong') };
    Object.assign(input.template, more);
    const answer = await createTask(app, input);
    expect(answer.problems.map((problem: Answer) => problem.path.join('.'))).toEqual([
      `input.template.${path}`,
    ]);
  });
});

describe('LaunchPlan', () => {
  it('shows the types of expected inputs and outputs, and defaults in both forms', async () => {
    await createWorkflow(app, workflowInput(project, 'planned', { a: [] }));
    const key = keyOf(project, 'planned');
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: '9007199254740993' } });
    const plan = await lookUp(
      'launchPlan',
      'planned',
      `expectedInputs { name type literalType { simple } description required default defaultLiteral }
       expectedOutputs { name type literalType { simple } description }`,
    );
    expect(plan).toEqual({
      expectedInputs: [
        {
          ...{ name: 'x', type: integer, literalType: integer, description: null, required: false },
          default: '9007199254740993',
          defaultLiteral: { scalar: { primitive: { integer: '9007199254740993' } } },
        },
      ],
      expectedOutputs: [{ name: 'z', type: integer, literalType: integer, description: null }],
    });
  });

  it('shows an input without a default as required', async () => {
    const key = keyOf(project, 'required');
    await createLaunchPlan(app, { key, workflow: { key: keyOf(project, 'planned') } });
    const { expectedInputs } = await lookUp(
      'launchPlan',
      'required',
      'expectedInputs { required default defaultLiteral }',
    );
    expect(expectedInputs).toEqual([{ required: true, default: null, defaultLiteral: null }]);
  });
});

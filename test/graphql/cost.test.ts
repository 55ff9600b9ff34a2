/** The cost of operations: the estimate itself, and a check that includes every list of the schema. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  getIntrospectionQuery,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/api/schema.ts';
import { permissionTexts } from '../../src/authorization/domain/permission-texts.ts';
import * as executorDocuments from '../../src/executor/host/documents.ts';
import {
  costOf,
  INTROSPECTION_COST,
  isConnection,
  isListOfObjects,
  MUTATION_COST,
  rowsOf,
} from '../../src/graphql/cost.ts';
import { MAX_PAGE } from '../../src/graphql/keyset.ts';
import { serverConfig } from '../../src/platform/config/server.ts';

const cost = (text: string, variables: Record<string, unknown> = {}, operationName?: string) =>
  costOf(schema, { document: parse(text), variables, operationName });

const filter = 'filter: { project: "p", domain: "d" }';

describe('the cost of an operation', () => {
  it('of a page of an execution, with its nodes, attempts, runs and logs, is far below the limit', () => {
    const run = 'runs { id state log { sequence text } }';
    const attempts = `taskExecutions { edges { node { id phase job { id state ${run} } } } }`;
    const page = `{ execution(by: { id: "x" }) { id nodeExecutions { edges { node { id ${attempts} } } } } }`;
    expect(validate(schema, parse(page))).toEqual([]);
    expect(cost(page)).toBeLessThan(serverConfig.queryCostLimit / 2);
  });

  it('is one for an object and zero for a scalar, and at least one in total', () => {
    expect(cost('{ viewer { id username role } }')).toBe(1);
    expect(cost('{ __typename }')).toBe(1);
    expect(cost('{ a: viewer { id } b: viewer { id } c: version { version } }')).toBe(3);
  });

  it('counts the rows of a page: first, else last, else 25', () => {
    expect(cost(`{ executions(${filter}, first: 7) { edges { cursor node { id name } } } }`)).toBe(8);
    expect(cost(`{ executions(${filter}, last: 9) { edges { node { id } } } }`)).toBe(10);
    expect(cost(`{ executions(${filter}) { edges { node { id } } } }`)).toBe(26);
    expect(cost(`{ executions(${filter}, first: 7) { pageInfo { hasNextPage } } }`)).toBe(8);
    expect(cost(`{ executions(${filter}, first: 7, last: 9) { edges { node { id } } } }`)).toBe(8);
  });

  it('is the same for `nodes` and for `edges`, and counts `pageInfo` once', () => {
    const project = '{ project { id } }';
    expect(cost(`{ executions(${filter}, first: 4) { nodes ${project} } }`)).toBe(1 + 4 + 4);
    expect(cost(`{ executions(${filter}, first: 4) { edges { node ${project} } } }`)).toBe(1 + 4 + 4);
    expect(cost(`{ executions(${filter}, first: 4) { nodes ${project} edges { node ${project} } } }`)).toBe(
      1 + 4 + 4 + 4,
    );
    // `node` of the query is an object, not a row.
    expect(cost('{ node(id: "x") { id ... on Execution { project { id } } } }')).toBe(2);
  });

  it('counts the fields of interfaces, and those of fragments by their own type', () => {
    expect(cost('{ node(id: "x") { ... on Queue { jobs(first: 3) { nodes { id } } } } }')).toBe(1 + 1 + 3);
    expect(
      cost('{ nodes(ids: ["x"]) { ... on Node { id } ...P } } fragment P on Queue { project { id } }'),
    ).toBe(1 + 1 + 1);
  });

  it('reads page sizes from variables and their defaults', () => {
    const text = `query ($n: Int = 3) { executions(${filter}, first: $n) { edges { node { id } } } }`;
    expect(cost(text)).toBe(4);
    expect(cost(text, { n: 500 })).toBe(501);
    expect(cost(text, { n: null })).toBe(26);
    // A page that the field will refuse counts as the largest page.
    expect(cost(text, { n: 1_000_000 })).toBe(MAX_PAGE + 1);
    expect(cost(text, { n: 'many' })).toBe(MAX_PAGE + 1);
    expect(cost(text, { n: -5 })).toBe(1);
  });

  it('multiplies the sizes of lists within lists', () => {
    const nested = (outer: number, inner: number) =>
      cost(`{ executions(${filter}, first: ${outer}) { edges { node {
        nodeExecutions(first: ${inner}) { edges { node { id } } } } } } }`);
    expect(nested(10, 20)).toBe(1 + 10 + 10 * (1 + 20));
    expect(nested(1000, 1000)).toBe(1_002_001);
    expect(nested(1000, 1000)).toBeGreaterThan(serverConfig.queryCostLimit);
  });

  it('uses the declared size of a list without pages', () => {
    expect(cost('{ job(by: { id: "x" }) { runs { id } } }')).toBe(1 + 1 + 5);
    expect(cost('{ job(by: { id: "x" }) { runs { log(first: 30) { text } } } }')).toBe(
      1 + 1 + 5 + 5 * (1 + 30),
    );
    expect(cost('{ job(by: { id: "x" }) { runs { log { text } } } }')).toBe(1 + 1 + 5 + 5 * (1 + 100));
  });

  it.each([
    'experiment(by: { id: "x" }) { tags { key } }',
    'run(by: { id: "x" }) { tags { key } }',
    'registeredModel(by: { id: "x" }) { tags { key } }',
    'registeredModel(by: { id: "x" }) { aliases { alias } }',
    'modelVersion(by: { id: "x" }) { tags { key } }',
    'launchPlan(by: { id: "x" }) { expectedInputs { name } }',
  ])('counts ten tags, aliases and inputs: %s', (field) => {
    expect(cost(`{ ${field} }`)).toBe(1 + 1 + 10);
  });

  it('counts ten inputs and ten outputs of an interface', () => {
    const signature = 'interface { inputs { name } outputs { name } }';
    expect(cost(`{ task(by: { id: "x" }) { ${signature} } }`)).toBe(1 + 1 + 2 * (1 + 10));
  });

  it.each([
    ['{ domains { name } }', 1 + 5],
    ['{ project(by: { id: "x" }) { labels { key } domains { name } } }', 1 + 1 + 5 + 1 + 5],
    ['{ viewer { groups { name } } }', 1 + 1 + 25],
    ['{ explainPermission(user: { id: "x" }, resource: { tenant: true }) { steps { step } } }', 1 + 1 + 10],
    ['mutation { login { ... on InvalidArgumentError { problems { code } } } }', MUTATION_COST + 1 + 10],
  ])('of a list without pages counts as many entries as such a list usually has: %s', (text, paid) => {
    expect(cost(text)).toBe(paid);
  });

  it('is the same with fragments, named or inline', () => {
    const plain = cost(`{ executions(${filter}, first: 4) { edges { node { project { id } } } } }`);
    expect(plain).toBe(9);
    expect(
      cost(`query { ...All } fragment All on Query { executions(${filter}, first: 4) { ...Rows } }
        fragment Rows on ExecutionConnection { edges { ... on ExecutionEdge { node { ...Project } } } }
        fragment Project on Execution { ... { project { id } } }`),
    ).toBe(plain);
  });

  it('leaves out fields that are skipped or not included', () => {
    const text = `query ($yes: Boolean!) {
      viewer @include(if: $yes) { id } version @skip(if: $yes) { version } b: viewer @skip(if: false) { id } }`;
    expect(cost(text, { yes: true })).toBe(2);
    expect(cost(text, { yes: false })).toBe(2);
    expect(cost('{ a: viewer { id } b: viewer @include(if: false) { id } }')).toBe(1);
  });

  it('is higher for each mutation', () => {
    const launch = 'createExecution(input: { project: "p", domain: "d" }) { __typename }';
    expect(cost(`mutation { ${launch} }`)).toBe(MUTATION_COST);
    expect(cost(`mutation { a: ${launch} b: ${launch} }`)).toBe(2 * MUTATION_COST);
  });

  it('is 100 for each field of introspection, and counts only the named operation', () => {
    expect(INTROSPECTION_COST).toBe(100);
    expect(MUTATION_COST).toBe(10);
    expect(cost('{ __schema { queryType { name } } __type(name: "X") { name } }')).toBe(
      2 * INTROSPECTION_COST,
    );
    expect(cost('query A { viewer { id } } query B { __type(name: "X") { name } }', {}, 'B')).toBe(100);
  });

  const types = 'types { name fields { name description } }';
  const times = (count: number, text: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => text(at)).join(' ');
  const tooMuch: readonly [name: string, query: string][] = [
    ['aliases under `__schema`', `{ __schema { ${times(58, (at) => `a${at}: ${types}`)} } }`],
    ['aliases of `__schema`', `{ ${times(58, (at) => `a${at}: __schema { ${types} }`)} }`],
    [
      'aliases of a fragment',
      `{ __schema { ${times(58, (at) => `a${at}: types { ...T }`)} } }
       fragment T on __Type { name fields { name description } }`,
    ],
    [
      'inline fragments',
      `{ ... { ${times(58, (at) => `a${at}: __schema { ... { ... on __Schema { ${types} } } }`)} } }`,
    ],
  ];
  it.each(tooMuch)('is more for a large answer of introspection: %s', (_name, query) => {
    expect(cost(query)).toBeGreaterThan(serverConfig.queryCostLimit);
  });

  it('leaves out what `@skip` leaves out of introspection, and ends for a fragment that spreads itself', () => {
    const skipped = `{ __schema { ${times(58, (at) => `a${at}: ${types.replace('{', '@skip(if: true) {')}`)} } }`;
    expect(cost(skipped)).toBe(INTROSPECTION_COST);
    expect(cost('{ __schema { ...T } } fragment T on __Schema { directives { name } ...T }')).toBe(
      INTROSPECTION_COST,
    );
  });

  it('of `nodes` grows with its ids, written out or in a variable', () => {
    expect(cost('{ nodes(ids: ["a", "b"]) { id ... on Run { execution { id } } } }')).toBe(1 + 2 + 2 * 1);
    const ids = Array.from({ length: 100 }, (_, at) => `${at}`);
    expect(cost('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).toBe(1 + 100);
    expect(cost('query ($id: ID!) { nodes(ids: [$id]) { id } }', { id: 'a' })).toBe(1 + 1);
    expect(cost('{ nodes(ids: "a") { id } }')).toBe(1 + 1);
  });

  it('is the cost of one event for a subscription', () => {
    expect(cost('subscription { executionEvents(by: { id: "x" }) { id phase } }')).toBe(1);
  });

  it('is computed quickly for documents that are built to explode or not valid', () => {
    const layers = Array.from(
      { length: 60 },
      (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} a${i}: viewer { id } }`,
    ).join(' ');
    const text = `{ ...F0 } ${layers} fragment F60 on Query { viewer { id } }`;
    expect(cost(text)).toBe(Number.MAX_SAFE_INTEGER);
    expect(cost('{ ...A } fragment A on Query { viewer { id } ...B } fragment B on Query { ...A }')).toBe(1);
    expect(cost('{ nothing { of { the } kind } ...None ... on Nobody { x } }')).toBe(1);
    expect(cost('fragment A on Query { viewer { id } }')).toBe(1);
  });
});

describe('every list of objects in the schema', () => {
  const fields = Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith('__'))
    .flatMap((type) => {
      if (!isObjectType(type) && !isInterfaceType(type)) return [];
      return Object.values(type.getFields()).map((field) => ({ type, field }));
    });
  const unsized = (all: typeof fields) =>
    all
      .filter(
        ({ type, field }) =>
          isListOfObjects(field) && !(isConnection(type) && ['edges', 'nodes'].includes(field.name)),
      )
      .filter(({ field }) => rowsOf(field, () => undefined) === null)
      .map(({ type, field }) => `${type.name}.${field.name}`);

  it('has pages, or declares its size with `extensions: { listSize }`', () => {
    expect(fields.length).toBeGreaterThan(300);
    expect(unsized(fields)).toEqual([]);
  });

  it('is found by this test', () => {
    const type = buildSchema('type Query { things: [Query!]! }').getQueryType();
    const field = type?.getFields()['things'];
    if (!type || !field) throw new Error('no such field');
    expect(unsized([{ type, field }])).toEqual(['Query.things']);
  });

  it('has the size that is usual for it, where it has no pages', () => {
    const sized = fields.flatMap(({ type, field }) => {
      const { listSize } = field.extensions;
      return listSize === undefined ? [] : [[`${type.name}.${field.name}`, listSize] as const];
    });
    expect(Object.fromEntries(sized)).toEqual({
      'AccessExplanation.steps': 10,
      'BindingData.collection': 5,
      'BindingData.map': 5,
      'BranchNode.cases': 3,
      'Container.env': 5,
      'Container.ports': 2,
      'ContainerResources.limits': 3,
      'ContainerResources.requests': 3,
      'KubernetesObjectMetadata.annotations': 5,
      'KubernetesObjectMetadata.labels': 5,
      'LaunchPlan.expectedOutputs': 10,
      'NodeExecution.taskExecutions': 5,
      'RecoveryPlan.nodes': 1000,
      'TerminateExecutionsPayload.results': 1000,
      'DeleteExecutionsPayload.results': 1000,
      'Query.retentionReport': 60,
      'Retention.rules': 10,
      'RetentionRule.labels': 5,
      'RetentionRule.phases': 4,
      'SchemaType.columns': 10,
      'StructuredDatasetType.columns': 10,
      'TaskMetadata.annotations': 5,
      'TaskMetadata.labels': 5,
      'TaskMetadata.tags': 5,
      'TaskTemplate.config': 5,
      'TypeStructure.dataclassType': 10,
      'UnionType.variants': 2,
      'Workflow.subWorkflows': 2,
      'WorkflowGraph.edges': 1000,
      'WorkflowGraph.nodes': 1000,
      'WorkflowGraph.outputs': 10,
      'WorkflowGraph.tags': 5,
      'WorkflowNode.inputs': 5,
      'WorkflowNode.outputAliases': 2,
      'WorkflowNodeMetadata.config': 5,
      'DifferentStructureError.differences': 10,
      'ClusterResourceAttributes.attributes': 5,
      'Execution.annotations': 5,
      'Execution.envs': 5,
      'Execution.executionEnvAssignments': 5,
      'Execution.labels': 5,
      'Execution.nodeCounts': 10,
      'Execution.notifications': 10,
      'ExecutionData.files': 10,
      'ExecutionSpan.spans': 5,
      'ExternalResource.logs': 2,
      'Experiment.tags': 10,
      'IdentityProvider.groups': 100,
      'InvalidArgumentError.problems': 10,
      'CancelJobsPayload.results': 1000,
      'Job.annotations': 5,
      'Job.environment': 10,
      'Job.labels': 5,
      'Job.nodeSelector': 5,
      'Job.runs': 5,
      'JobEventPage.events': 100,
      'Job.tolerations': 5,
      'JobContainer.env': 10,
      'JobResources.limits': 5,
      'JobResources.requests': 5,
      'PreemptJobsPayload.results': 1000,
      'ReprioritizeJobsPayload.results': 1000,
      'SubmitJobsPayload.results': 1000,
      'LaunchPlan.annotations': 5,
      'LaunchPlan.envs': 5,
      'LaunchPlan.executionEnvAssignments': 5,
      'LaunchPlan.labels': 5,
      'LaunchPlan.expectedInputs': 10,
      'LaunchPlan.notifications': 10,
      'LaunchPlan.triggers': 10,
      'ExecutorNode.labels': 10,
      'ExecutorUsage.nodeTypes': 5,
      'NodeTypeQueueUsage.runsByState': 4,
      'NodeTypeUsage.queues': 10,
      'NodeTypeUsage.taints': 5,
      'Queue.usage': 3,
      'QueuePoolUsage.runsByState': 4,
      'ExecutorNode.runs': 10,
      'ExecutorNode.taints': 5,
      'JobExplanation.obstacles': 11,
      'QueueShare.history': 60,
      'LaunchPlanTrigger.inputs': 10,
      'LeaseJobsPayload.runs': 50,
      'LeasedRun.inputBlobs': 10,
      'ModelVersion.tags': 10,
      'NodeExecution.itemCounts': 10,
      'NotificationDelivery.attempts': 10,
      'PluginOverrides.overrides': 5,
      'Project.domains': 5,
      'Project.executionCounts': 9,
      'Project.labels': 5,
      'PromoteLaunchPlanPayload.entities': 10,
      'Query.allPermissions': Object.keys(permissionTexts).length,
      'Query.domains': 5,
      'Query.nodes': 'ids',
      'CreateQueuesPayload.results': 100,
      'PoolResourceFractions.fractions': 3,
      'Queue.counts': 11,
      'Queue.labels': 5,
      'Queue.permissions': 4,
      'Queue.resourceLimitsByPriorityClass': 2,
      'QueuePermission.subjects': 10,
      'QueueResourceLimit.maximumResourceFraction': 3,
      'QueueResourceLimit.maximumResourceFractionByPool': 2,
      'JsonWebKeySet.keys': 10,
      'RetryPolicy.rules': 10,
      'UpdateQueuesPayload.results': 100,
      'RegisteredModel.aliases': 10,
      'RegisteredModel.tags': 10,
      'Run.tags': 10,
      'SecurityContext.secrets': 5,
      'SecurityContext.tokens': 5,
      'TaskExecution.logs': 5,
      'TaskExecution.reasons': 10,
      'TaskExecutionMetadata.externalResources': 10,
      'TaskExecutionMetadata.resourcePoolInfo': 2,
      'TypedInterface.inputs': 10,
      'TypedInterface.outputs': 10,
      'User.groups': 25,
      'VersionDifference.differences': 10,
      'WorkflowExecutionConfig.annotations': 5,
      'WorkflowExecutionConfig.envs': 5,
      'WorkflowExecutionConfig.executionEnvAssignments': 5,
      'WorkflowExecutionConfig.labels': 5,
    });
  });

  it('costs more where it takes long to compute, and nothing more elsewhere', () => {
    const dear = fields.flatMap(({ type, field }) =>
      field.extensions['cost'] === undefined
        ? []
        : [[`${type.name}.${field.name}`, field.extensions['cost']]],
    );
    expect(Object.fromEntries(dear)).toEqual({
      'LaunchPlan.difference': 100,
      'Mutation.promoteLaunchPlan': 100,
      'ScheduleStatus.nextFireTimes': 500,
      'Task.difference': 100,
      'Workflow.difference': 100,
    });
  });

  it('takes the page size from `first` when it has pages', () => {
    for (const { type, field } of fields)
      if (isConnection(getNamedType(field.type)))
        expect(
          field.args.map(({ name }) => name),
          `${type.name}.${field.name}`,
        ).toContain('first');
  });
});

describe('the lowest limit that can be set', () => {
  it('admits every operation of the executor', () => {
    const texts = Object.values(executorDocuments).map(String);
    expect(texts.length).toBeGreaterThanOrEqual(5);
    for (const text of texts) expect(cost(text), text).toBeLessThan(1000);
  });
});

/** Every operation in our own sources: examples, clients, executor, tests. */
describe('the default limit', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = ['examples', 'src/executor', 'src/http/graphiql', 'test/clients', 'test/support'].flatMap(
    (folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !/node_modules|generated/.test(file))
        .map((file) => join(root, folder, file)),
  );

  /** Texts in backquotes, and GraphQL in Markdown, that are valid operations. */
  const operations = [...sources, join(root, 'README.md'), join(root, 'examples/client/README.md')]
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      const pattern = file.endsWith('.md') ? /```graphql\n([^`]+)```/g : /`([^`]*\{[^`]*\})\s*`/g;
      return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
    })
    .flatMap((text) => {
      try {
        const document = parse(text.replace(/^#.*$/gm, ''));
        return document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION) ? [document] : [];
      } catch {
        return [];
      }
    })
    .filter((document) =>
      validate(schema, document).every(({ message }) => /Unknown fragment|is never used/.test(message)),
    );

  it('admits every operation of the examples, the clients, the executor, GraphiQL and README', () => {
    expect(operations.length).toBeGreaterThan(25);
    const costs = operations.map((document) =>
      Math.max(
        ...document.definitions.map((definition) =>
          definition.kind === Kind.OPERATION_DEFINITION
            ? costOf(schema, { document, operationName: definition.name?.value })
            : 0,
        ),
      ),
    );
    expect(Math.max(...costs)).toBeLessThan(serverConfig.queryCostLimit / 2);
    expect(cost(getIntrospectionQuery())).toBeLessThan(serverConfig.queryCostLimit / 10);
  });
});

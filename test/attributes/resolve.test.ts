import { describe, expect, it } from 'vitest';
import {
  executionConfigsFor,
  mostSpecific,
  payloadFor,
  type ScopedAttributes,
} from '../../src/attributes/domain/resolve.ts';
import { priorityOf, type Scope } from '../../src/attributes/domain/scopes.ts';

const scope = (
  domain: string | null = null,
  workflow: string | null = null,
  launchPlan: string | null = null,
  projectId = 'p',
): Scope => ({ projectId, domain, workflow, launchPlan });

/** A record whose payload tells it from the others. */
const pool = (of: Scope, clusterPoolName: string): ScopedAttributes => ({
  ...of,
  resourceType: 'CLUSTER_ASSIGNMENT',
  payload: { clusterPoolName },
});
const records = [
  pool(scope(), 'project'),
  pool(scope('d'), 'domain'),
  pool(scope('d', 'w'), 'workflow'),
  pool(scope('d', 'w', 'l'), 'launch plan'),
];
const found = (of: Scope, among = records) =>
  mostSpecific(among, 'CLUSTER_ASSIGNMENT', of)?.payload.clusterPoolName;

describe('the most specific record', () => {
  it.each<[string, Scope]>([
    ['launch plan', scope('d', 'w', 'l')],
    ['workflow', scope('d', 'w', 'other')],
    ['workflow', scope('d', 'w')],
    ['domain', scope('d', 'other', 'l')],
    ['domain', scope('d')],
    ['project', scope('other', 'w', 'l')],
    ['project', scope()],
  ])('is that of the %s for %j', (name, of) => {
    expect(found(of)).toBe(name);
    expect(found(of, records.toReversed())).toBe(name);
  });

  it('is null if no record matches', () => {
    expect(found(scope('d', 'w', 'l', 'another project'))).toBeUndefined();
    expect(found(scope('d'), [pool(scope('d', 'w'), 'workflow')])).toBeUndefined();
    expect(mostSpecific(records, 'EXECUTION_QUEUE', scope('d', 'w', 'l'))).toBeNull();
  });

  it('counts as a whole', () => {
    const config = (of: Scope, payload: object): ScopedAttributes =>
      ({ ...of, resourceType: 'WORKFLOW_EXECUTION_CONFIG', payload }) as ScopedAttributes;
    const both = [config(scope(), { maxParallelism: 5 }), config(scope('d'), { interruptible: true })];
    expect(mostSpecific(both, 'WORKFLOW_EXECUTION_CONFIG', scope('d'))?.payload).toEqual({
      interruptible: true,
    });
  });
});

describe('the priority of a scope', () => {
  it.each<[number, Scope]>([
    [5, scope()],
    [10, scope('d')],
    [100, scope('d', 'w')],
    [1000, scope('d', 'w', 'l')],
  ])('is %s for %j', (priority, of) => {
    expect(priorityOf(of)).toBe(priority);
  });
});

describe('what applies to an execution', () => {
  const of = scope('d', 'w', 'l');
  const ofEach = (resourceType: ScopedAttributes['resourceType']) =>
    records.map((record) => ({ ...record, resourceType }) as ScopedAttributes);

  it.each([
    ['TASK_RESOURCE', 'workflow'],
    ['CLUSTER_RESOURCE', 'domain'],
    ['EXECUTION_QUEUE', 'workflow'],
    ['EXECUTION_CLUSTER_LABEL', 'workflow'],
    ['QUALITY_OF_SERVICE_SPECIFICATION', 'workflow'],
    ['PLUGIN_OVERRIDE', 'launch plan'],
    ['WORKFLOW_EXECUTION_CONFIG', 'workflow'],
    ['CLUSTER_ASSIGNMENT', 'domain'],
  ] as const)('of %s is at most that of the %s', (type, name) => {
    expect(payloadFor(ofEach(type), type, of)).toEqual({ clusterPoolName: name });
  });

  it('is null if nothing applies', () => {
    expect(payloadFor([], 'TASK_RESOURCE', of)).toBeNull();
  });

  it('is two configurations: the most specific one, and that of the project', () => {
    const configs = ofEach('WORKFLOW_EXECUTION_CONFIG');
    const named = (clusterPoolName: string) => ({ clusterPoolName });
    expect(executionConfigsFor(configs, of)).toEqual({
      specific: named('workflow'),
      project: named('project'),
    });
    expect(executionConfigsFor(configs.slice(0, 1), of)).toEqual({
      specific: named('project'),
      project: named('project'),
    });
    expect(executionConfigsFor(configs.slice(1), of)).toEqual({ specific: named('workflow'), project: null });
    expect(executionConfigsFor([], of)).toEqual({ specific: null, project: null });
  });
});

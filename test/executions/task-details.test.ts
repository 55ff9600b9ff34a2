import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergeLogs,
  mergePatch,
  mergeTaskDetails,
  type TaskDetailsEvent,
  type TaskExecutionMetadata,
  type TaskLog,
} from '../../src/executions/domain/task-details.ts';

const log = (uri: string, name = '', more: Partial<TaskLog> = {}): TaskLog => ({
  uri,
  name,
  messageFormat: 'UNKNOWN',
  showWhilePending: false,
  hideOnceFinished: false,
  ...more,
});

const at = new Date('2026-01-01T00:00:00Z');
const event = (more: Partial<TaskDetailsEvent> = {}): TaskDetailsEvent => ({
  phase: 'RUNNING',
  occurredAt: at,
  logs: [],
  reason: null,
  reasons: [],
  customInfo: null,
  metadata: null,
  logContext: null,
  taskType: null,
  eventVersion: 0,
  inputUri: null,
  outputUri: null,
  ...more,
});

describe('the logs of an attempt', () => {
  it('are those of the event, and then the stored ones with another address and another name', () => {
    const stored = [log('a', 'one'), log('b', 'two'), log('c'), log('d')];
    expect(mergeLogs(stored, [log('x', 'two'), log('c', 'new')], 'RUNNING').map(({ uri }) => uri)).toEqual([
      'x',
      'c',
      'a',
      'd',
    ]);
  });

  it('stay if the event brings none', () => {
    expect(mergeLogs([log('a')], [], 'RUNNING')).toEqual([log('a')]);
  });

  it.each([
    ['QUEUED', ['early']],
    ['INITIALIZING', ['early']],
    ['WAITING_FOR_RESOURCES', ['early', 'late', 'plain']],
    ['RUNNING', ['early', 'late', 'plain']],
    ['RETRYABLE_FAILED', ['early', 'late', 'plain']],
    ['SUCCEEDED', ['early', 'plain']],
    ['FAILED', ['early', 'plain']],
    ['ABORTED', ['early', 'plain']],
  ] as const)('in the phase %s are %j', (phase, uris) => {
    const all = [
      log('early', '', { showWhilePending: true }),
      log('late', '', { hideOnceFinished: true }),
      log('plain'),
    ];
    expect(mergeLogs([], all, phase).map(({ uri }) => uri)).toEqual(uris);
  });

  it('are at most 100', () => {
    const many = Array.from({ length: 60 }, (_, index) => log(`u${index}`));
    const more = Array.from({ length: 60 }, (_, index) => log(`v${index}`));
    expect(mergeLogs(many, more, 'RUNNING')).toHaveLength(100);
  });
});

describe('the reasons of an attempt', () => {
  const reasonsAfter = (...events: Partial<TaskDetailsEvent>[]) =>
    events
      .reduce(
        (details, one) => mergeTaskDetails(details, event(one)),
        null as ReturnType<typeof mergeTaskDetails> | null,
      )
      ?.reasons.map(({ message }) => message);

  it('get a single reason only if it differs from the last one', () => {
    expect(
      reasonsAfter(
        { reason: 'pulling' },
        { reason: 'pulling' },
        { reason: 'running' },
        { reason: 'pulling' },
      ),
    ).toEqual(['pulling', 'running', 'pulling']);
  });

  it('get collected reasons as they are, and no empty one', () => {
    const reasons = [
      { occurredAt: at.toISOString(), message: 'a' },
      { occurredAt: at.toISOString(), message: 'a' },
    ];
    expect(reasonsAfter({ reasons, reason: 'ignored' }, { reason: '' })).toEqual(['a', 'a']);
  });

  it('are the last 500', () => {
    const many = (from: number) =>
      Array.from({ length: 300 }, (_, index) => ({
        occurredAt: at.toISOString(),
        message: `${from + index}`,
      }));
    const kept = reasonsAfter({ reasons: many(0) }, { reasons: many(300) });
    expect(kept).toHaveLength(500);
    expect(kept?.[0]).toBe('100');
  });
});

describe('a merge patch', () => {
  it('changes, adds and removes members, also inside', () => {
    expect(
      mergePatch({ a: 1, b: { c: 1, d: 2 }, e: [1] }, { a: 2, b: { c: null, x: 3 }, e: [2, 3], f: null }),
    ).toEqual({
      a: 2,
      b: { d: 2, x: 3 },
      e: [2, 3],
    });
  });

  it('takes a key __proto__ as data', () => {
    const patched = mergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(Object.hasOwn(patched, '__proto__')).toBe(true);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('changes nothing the second time', () => {
    const json = fc.object({ maxDepth: 3 }) as fc.Arbitrary<Record<string, never>>;
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});

describe('the metadata of an attempt', () => {
  const resource = (index: number, more: object = {}) => ({
    ...{
      externalId: `id${index}`,
      index,
      retryAttempt: 0,
      phase: 'RUNNING' as const,
      cacheStatus: 'DISABLED' as const,
    },
    logs: [],
    ...more,
  });
  const metadata = (more: Partial<TaskExecutionMetadata> = {}): TaskExecutionMetadata => ({
    generatedName: 'pod',
    externalResources: [],
    resourcePoolInfo: [],
    pluginIdentifier: 'k8s',
    instanceClass: 'INTERRUPTIBLE',
    ...more,
  });
  const metadataAfter = (...all: TaskExecutionMetadata[]) =>
    all.reduce(
      (details, one) => mergeTaskDetails(details, event({ metadata: one })),
      null as ReturnType<typeof mergeTaskDetails> | null,
    )?.metadata;

  it('keeps what an event leaves empty, and an interruptible machine', () => {
    expect(
      metadataAfter(
        metadata(),
        metadata({ generatedName: '', pluginIdentifier: '', instanceClass: 'DEFAULT' }),
      ),
    ).toEqual(metadata());
  });

  it('has what the last event says of a name, a plug-in and a pool', () => {
    const pool = [{ allocationToken: 't', namespace: 'n' }];
    const second = { generatedName: 'pod-2', pluginIdentifier: 'ray' };
    expect(metadataAfter(metadata(), metadata({ ...second, resourcePoolInfo: pool }))).toEqual(
      metadata({ ...second, resourcePoolInfo: pool }),
    );
    const held = metadata({ resourcePoolInfo: pool });
    expect(metadataAfter(held, metadata({ resourcePoolInfo: null }))).toEqual(held);
    expect(metadataAfter(held, metadata({ resourcePoolInfo: [] }))).toEqual(metadata());
    expect(metadataAfter(metadata({ resourcePoolInfo: null }))).toEqual(metadata());
  });

  it('has at most 10,000 things outside', () => {
    const many = (length: number) => Array.from({ length }, (_, index) => resource(index));
    const countAfter = (length: number) =>
      metadataAfter(metadata({ externalResources: many(length) }))?.externalResources.length;
    expect([countAfter(10_000), countAfter(10_001)]).toEqual([10_000, 10_000]);
  });

  it('has the last id and the last information of a thing outside, unless an event leaves them out', () => {
    const about = (more: object) => metadata({ externalResources: [resource(0, more)] });
    const named = { externalId: 'new', customInfo: { pod: 1 }, childExecutionId: 'child' };
    const shown = (...all: TaskExecutionMetadata[]) => metadataAfter(...all)?.externalResources;
    expect(shown(about({}), about(named))).toStrictEqual([resource(0, named)]);
    expect(shown(about(named), about({ externalId: '' }))).toStrictEqual([resource(0, named)]);
  });

  describe('the logs of a thing outside', () => {
    const early = log('early', '', { showWhilePending: true });
    const late = log('late', '', { hideOnceFinished: true });
    const about = (phase: 'QUEUED' | 'RUNNING' | 'SUCCEEDED', logs: readonly TaskLog[] = []) =>
      metadata({ externalResources: [resource(0, { phase, logs })] });
    const urisOf = (details: ReturnType<typeof mergeTaskDetails> | null) =>
      details?.metadata?.externalResources[0]?.logs.map(({ uri }) => uri);

    it.each([
      ['QUEUED', ['early']],
      ['RUNNING', ['early', 'late', 'plain']],
      ['SUCCEEDED', ['early', 'plain']],
    ] as const)('are those that its phase %s shows, from the first event on', (phase, uris) => {
      const logs = [early, late, log('plain')];
      const first = mergeTaskDetails(null, event({ metadata: about(phase, logs) }));
      expect(urisOf(first)).toEqual(uris);
      const before = mergeTaskDetails(null, event({ metadata: metadata() }));
      expect(urisOf(mergeTaskDetails(before, event({ metadata: about(phase, logs) })))).toEqual(uris);
    });

    it('are those of ended work when the attempt has ended', () => {
      const first = mergeTaskDetails(null, event({ metadata: about('RUNNING', [late, log('plain')]) }));
      expect(urisOf(mergeTaskDetails(first, event({ phase: 'RETRYABLE_FAILED' })))).toEqual([
        'late',
        'plain',
      ]);
      expect(urisOf(mergeTaskDetails(first, event({ phase: 'FAILED' })))).toEqual(['plain']);
    });

    it('are at most 100, also in the first event', () => {
      const logs = Array.from({ length: 101 }, (_, index) => log(`u${index}`));
      expect(urisOf(mergeTaskDetails(null, event({ metadata: about('RUNNING', logs) })))).toHaveLength(100);
    });
  });

  it('has each thing outside once, by its number and attempt, in this order', () => {
    const first = metadata({ externalResources: [resource(1, { cacheStatus: 'HIT' }), resource(0)] });
    const second = metadata({
      externalResources: [
        resource(1, { retryAttempt: 2 }),
        resource(1, { externalId: '', phase: 'SUCCEEDED' }),
        resource(1, { retryAttempt: 1 }),
      ],
    });
    expect(metadataAfter(first, second)?.externalResources).toEqual([
      resource(0),
      resource(1, { phase: 'SUCCEEDED', cacheStatus: 'HIT' }),
      resource(1, { retryAttempt: 1 }),
      resource(1, { retryAttempt: 2 }),
    ]);
  });
});

describe('other details of an attempt', () => {
  it('are nothing if the engine says nothing', () => {
    expect(mergeTaskDetails(null, event())).toStrictEqual({ logs: [], reasons: [], eventVersion: 0 });
  });

  it('stay if a later event leaves them out', () => {
    const said = {
      ...{ customInfo: { a: 1 }, logContext: { pod: 'p' }, taskType: 'spark' },
      ...{ inputUri: 's3://i', outputUri: 's3://o' },
    };
    const first = mergeTaskDetails(null, event(said));
    expect(first).toStrictEqual({ logs: [], reasons: [], eventVersion: 0, ...said });
    expect(mergeTaskDetails(first, event())).toStrictEqual(first);
    const news = { customInfo: { b: 2 }, logContext: { pod: 'q' }, taskType: 'ray' };
    expect(mergeTaskDetails(first, event(news))).toStrictEqual({
      ...first,
      ...news,
      customInfo: { a: 1, b: 2 },
    });
  });

  it('keep the first inputs, the last outputs, and the highest version', () => {
    const first = mergeTaskDetails(
      null,
      event({ inputUri: 's3://1', outputUri: 's3://a', eventVersion: 2, taskType: 'spark' }),
    );
    expect(
      mergeTaskDetails(first, event({ inputUri: 's3://2', outputUri: 's3://b', eventVersion: 1 })),
    ).toMatchObject({
      inputUri: 's3://1',
      outputUri: 's3://b',
      eventVersion: 2,
      taskType: 'spark',
    });
  });
});

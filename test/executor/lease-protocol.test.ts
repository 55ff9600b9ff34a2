import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiError } from '../../src/executor/host/api-error.ts';
import { reportJobEventsDocument } from '../../src/executor/host/documents.ts';
import { type RunRecord, RunRecords } from '../../src/executor/host/run-records.ts';
import type { Capacity, Runtime } from '../../src/executor/host/runtime.ts';
import { startWorkLoop, type WorkLoop } from '../../src/executor/host/work-loop.ts';
import { newId } from '../../src/platform/ids.ts';
import { log } from '../../src/platform/log.ts';
import { stopClocks } from '../support/clock.ts';
import { command, waitUntil } from './fixture.ts';
import { PlayedRuntime, PlayedServer, type Poll } from './played.ts';

/** What the executor sends and when, with a server and a runtime that the test controls. */

let server: PlayedServer;
let runtime: PlayedRuntime;
let records: RunRecords;
let loop: WorkLoop | null = null;

async function start({
  slots = 1,
  leftovers = [] as RunRecord[],
  onLostContact = 'continue' as 'continue' | 'stop',
  capacity = null as Capacity | null,
  whenStopped = 'END' as Runtime['whenStopped'],
} = {}): Promise<void> {
  server = new PlayedServer();
  runtime = new PlayedRuntime();
  runtime.capacity = capacity;
  runtime.whenStopped = whenStopped;
  records = new RunRecords(join(runtime.folder, 'records'), log);
  for (const record of leftovers) await records.write(record);
  loop = await startWorkLoop({
    client: server,
    runtime,
    records,
    log,
    path: '',
    name: 'played',
    instance: newId(),
    pool: 'default',
    slots,
    drainSeconds: 1,
    onLostContact,
  });
}

async function stop(): Promise<void> {
  server.isSigningOff = true;
  const stopping = loop?.stop();
  loop = null;
  await stopping;
}

afterEach(async () => {
  for (const run of runtime.begun) runtime.end(run);
  await stop();
});

const [a, b] = [newId(), newId()];

/** Until the server knows that the first run has begun. */
const untilBegun = () => waitUntil(() => server.said.length === 1, 'the run began');

describe('an executor', () => {
  it('starts a run only after a call that named it was answered', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    const second = await server.poll(1);
    expect(second).toMatchObject({ knownRuns: [a], maxJobs: 0, wait: 'PT0S' });
    expect(runtime.begun).toEqual([]);
    second.answer([]);
    expect((await server.poll(2)).wait).toBe('PT10S');
    await untilBegun();
    expect(runtime.begun).toEqual([a]);
    expect(runtime.works).toMatchObject([
      { requests: { cpuMillis: 2000 }, timeoutSeconds: 90, terminationGraceSeconds: 1 },
    ]);
    expect(server.said).toEqual([`RUNNING ${a}`]);
  });

  it('reports that a command waits before it reports that the command runs', async () => {
    await start();
    runtime.waiting.add(a);
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await server.poll(2);
    await waitUntil(() => server.said.length === 2, 'both were reported');
    runtime.end(a);
    await waitUntil(() => server.said.length === 3, 'the end was reported');
    expect(server.said).toEqual([`PENDING ${a}`, `RUNNING ${a}`, `SUCCEEDED ${a}`]);
  });

  it('tells the server the labels and taints of its nodes', async () => {
    await start();
    const taint = { key: 'gpu', value: '', effect: 'NoSchedule' } as const;
    const node = { name: 'n', allocatable: { cpu: '4' }, labels: { zone: 'a' }, taints: [taint] };
    runtime.nodes = async () => [{ ...node, unschedulable: true }];
    (await server.poll(0)).answer([]);
    const reported = { ...node, labels: [{ key: 'zone', value: 'a' }], unschedulable: true };
    expect((await server.poll(1)).nodes).toEqual([reported]);
  });

  it('drops a run that is cancelled before it started, and confirms that it has ended', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([], { cancelRuns: [a] });
    expect(await server.poll(2)).toMatchObject({ knownRuns: [], maxJobs: 1 });
    expect(runtime.begun).toEqual([]);
    expect(server.said).toEqual([`CANCELLED ${a}`]);
  });

  it('asks for at most 100 runs at once, and waits for a third of a lease, up to 20 s', async () => {
    await start({ slots: 150 });
    expect(await server.poll(0)).toMatchObject({ maxJobs: 100, wait: 'PT10S' });
    (await server.poll(0)).answer([], { leaseDuration: 'PT48S' });
    expect((await server.poll(1)).wait).toBe('PT16S');
    (await server.poll(1)).answer([], { leaseDuration: 'PT5M' });
    expect((await server.poll(2)).wait).toBe('PT20S');
    (await server.poll(2)).answer([], { leaseDuration: 'PT3S' });
    expect((await server.poll(3)).wait).toBe('PT1S');
    // Beyond that wait, it gives the server another third of a lease, but at least 2 s.
    expect(server.polls.map(({ timeoutMs }) => timeoutMs)).toEqual([20_000, 32_000, 120_000, 3000]);
  });

  it('asks for runs at once when a run ends while it waits before the next call', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    (await server.poll(2)).fail(300_000);
    await waitUntil(() => runtime.begun.length === 1, 'the run began');
    runtime.end(a);
    expect(await server.poll(3)).toMatchObject({ knownRuns: [], maxJobs: 1 });
  });

  it('does not interrupt the call that confirms a run when another one ends', async () => {
    await start({ slots: 2 });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    (await server.poll(2)).answer([b]);
    expect(await server.poll(3)).toMatchObject({ knownRuns: [a, b], maxJobs: 0, wait: 'PT0S' });
    runtime.end(a);
    await waitUntil(() => server.said.length === 2, 'the end was reported');
    (await server.poll(3)).answer([]);
    await waitUntil(() => runtime.begun.length === 2, 'the other one began');
    expect(await server.poll(4)).toMatchObject({ knownRuns: [b], maxJobs: 1 });
    expect(server.polls).toHaveLength(5);
  });

  it('goes on waiting when a run ends while a call is open that asked for runs', async () => {
    await start({ slots: 2 });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    expect(await server.poll(2)).toMatchObject({ knownRuns: [a], maxJobs: 1 });
    runtime.end(a);
    await waitUntil(() => server.said.length === 2, 'the end was reported');
    (await server.poll(2)).answer([b]);
    expect(await server.poll(3)).toMatchObject({ knownRuns: [b], maxJobs: 1 });
  });

  it('asks for runs at once when a run ends while a call is open that asked for none', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    expect((await server.poll(2)).maxJobs).toBe(0);
    runtime.end(a);
    expect(await server.poll(3)).toMatchObject({ knownRuns: [], maxJobs: 1 });
    expect(server.said).toEqual([`RUNNING ${a}`, `SUCCEEDED ${a}`]);
  });

  it('stops a cancelled run, renews its lease until it has ended, confirms that, and starts the next run', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await server.poll(2);
    await untilBegun();
    (await server.poll(2)).answer([b], { cancelRuns: [a] });
    expect(await server.poll(3)).toMatchObject({ knownRuns: [a, b], stoppingRuns: [a], maxJobs: 0 });
    (await server.poll(3)).answer([], { cancelRuns: [a] });
    expect(await server.poll(4)).toMatchObject({ knownRuns: [a, b], stoppingRuns: [a], wait: 'PT10S' });
    await waitUntil(() => runtime.stopped.length === 1, 'the run was stopped');
    expect([runtime.stopped, runtime.begun, server.said]).toEqual([[a], [a], [`RUNNING ${a}`]]);
    runtime.end(a);
    await waitUntil(() => runtime.begun.length === 2, 'the next began');
    await waitUntil(() => server.said.length === 3, 'the end and the next were reported');
    expect([...server.said].sort()).toEqual([`CANCELLED ${a}`, `RUNNING ${a}`, `RUNNING ${b}`].sort());
  });

  it('reports the result of a run that finished before it was cancelled', async () => {
    await start();
    let store = () => {};
    const { insist } = server;
    server.insist = async (document, variables, options) => {
      if (String(document) === String(reportJobEventsDocument) && server.said.length > 0)
        await new Promise<void>((resolve) => {
          store = resolve;
        });
      return await insist(document, variables, options);
    };
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    runtime.end(a);
    await waitUntil(() => runtime.cancels.length > 0, 'it ended');
    await waitUntil(() => String(store) !== String(() => {}), 'the end is being reported');
    (await server.poll(2)).answer([], { cancelRuns: [a] });
    expect(await server.poll(3)).toMatchObject({ stoppingRuns: [a] });
    store();
    await waitUntil(() => server.said.length === 2, 'the end was reported');
    expect(server.said).toEqual([`RUNNING ${a}`, `SUCCEEDED ${a}`]);
  });

  /**
   * Lets all calls fail until the lease of 50 ms has expired, which one pause between two calls takes. @returns the
   * next call.
   */
  async function loseContact(from: number): Promise<Poll> {
    for (let number = from; number < from + 3; number += 1) (await server.poll(number)).fail();
    return await server.poll(from + 3);
  }
  const brief = { leaseDuration: 'PT0.05S' };

  it('continues its runs and starts none when no call is answered for the length of a lease', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    (await server.poll(2)).answer([b], brief);
    (await server.poll(3)).answer([], brief);
    const back = await loseContact(4);
    // The next run does not begin although there is room, because another executor may have its job.
    expect(back).toMatchObject({ knownRuns: [a, b], stoppingRuns: [], wait: 'PT0S' });
    expect([runtime.begun, runtime.stopped]).toEqual([[a], []]);
    runtime.end(a);
    await waitUntil(() => server.said.length === 2, 'the result was reported');
    expect(runtime.begun).toEqual([a]);
    back.answer([], brief);
    await waitUntil(() => runtime.begun.length === 2, 'the next began');
    expect(server.said.slice(0, 2)).toEqual([`RUNNING ${a}`, `SUCCEEDED ${a}`]);
  });

  it('stops its runs in that case when it is configured to, which counts no attempt', async () => {
    await start({ onLostContact: 'stop' });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    (await server.poll(2)).answer([], brief);
    await loseContact(3);
    await waitUntil(() => runtime.stopped.length > 0, 'the run was stopped');
    runtime.end(a);
    await waitUntil(() => server.said.length === 2, 'the lease was given back');
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${a} untouched`]);
  });

  it('reports a run as cancelled when the server asks for its end after the lease was lost', async () => {
    await start({ onLostContact: 'stop' });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    (await server.poll(2)).answer([], brief);
    const back = await loseContact(3);
    await waitUntil(() => runtime.stopped.length > 0, 'the run was stopped');
    back.answer([], { cancelRuns: [a] });
    await server.poll(7);
    runtime.end(a);
    await waitUntil(() => server.said.length === 2, 'the end was reported');
    expect(server.said).toEqual([`RUNNING ${a}`, `CANCELLED ${a}`]);
  });

  it('counts no attempt when it stops after it has lost the lease, or before the command has started', async () => {
    await start({ onLostContact: 'stop', slots: 2 });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    (await server.poll(2)).answer([], brief);
    await loseContact(3);
    await waitUntil(() => runtime.stopped.length > 0, 'the run was stopped');
    const stopping = stop();
    runtime.end(a);
    await stopping;
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${a} untouched`]);

    await start();
    runtime.isSlow = true;
    (await server.poll(0)).answer([b]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => runtime.begun.length > 0, 'the run began');
    const stoppingAgain = stop();
    await waitUntil(() => runtime.stopped.length > 0, 'the run was stopped').finally(() => runtime.end(b));
    await stoppingAgain;
    expect(server.said).toEqual([`returned ${b} untouched`]);
  });

  it('gives back at once what it is assigned while it stops, and nothing that it still runs', async () => {
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await server.poll(2);
    await untilBegun();
    server.assignedLast = [a, b];
    const stopping = stop();
    await waitUntil(() => server.said.length === 2, 'one was given back');
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${b} untouched`]);
    runtime.end(a);
    await stopping;
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${b} untouched`, `SUCCEEDED ${a}`]);
    // Only after the last of its runs may another process use its name.
    const signOff = { knownRuns: [], maxJobs: 0, timeoutMs: 3000 };
    expect(server.signOffs).toMatchObject([
      { ...signOff, isLast: false },
      { ...signOff, isLast: true },
    ]);
  });

  it('gives back its own runs when it stops', async () => {
    await start({ slots: 2 });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    (await server.poll(2)).answer([b]);
    await server.poll(3);
    await untilBegun();
    const stopping = stop();
    await waitUntil(
      () => server.said.includes(`returned ${b} untouched`),
      'the one not begun was given back',
    );
    await waitUntil(() => runtime.stopped.includes(a), 'the run was stopped').finally(() => runtime.end(a));
    await stopping;
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${b} untouched`, `returned ${a} attempted`]);
  });

  const left = (phase: 'PREPARING' | 'STARTING' | 'STARTED', runId = newId()): RunRecord => ({
    spec: command(['x'], { runId }),
    inputUris: [],
    ...(phase === 'STARTED' ? { phase, handle: { runId } } : { phase }),
  });

  it('continues the runs of an earlier executor, renews their leases at once, and reports their end', async () => {
    const [started, starting, preparing] = [left('STARTED'), left('STARTING'), left('PREPARING')];
    await start({ slots: 2, leftovers: [started, starting, preparing] });
    const first = await server.poll(0);
    const ids = [started, starting, preparing].map(({ spec }) => spec.runId).sort();
    expect({ ...first, knownRuns: [...first.knownRuns].sort() }).toMatchObject({
      knownRuns: ids,
      maxJobs: 0,
    });
    await waitUntil(() => server.said.length === 3, 'the server knows them');
    expect([...server.said].sort()).toEqual(
      [
        `RUNNING ${started.spec.runId}`,
        `RUNNING ${starting.spec.runId}`,
        `returned ${preparing.spec.runId} untouched`,
      ].sort(),
    );
    // Nothing was started a second time.
    expect(runtime.begun).toEqual([]);
    runtime.end(started.spec.runId);
    await waitUntil(() => server.said.length === 4, 'the end was reported');
    expect(server.said[3]).toBe(`SUCCEEDED ${started.spec.runId}`);
    const isAlone = () => server.polls.at(-1)?.knownRuns.join() === starting.spec.runId;
    await waitUntil(isAlone, 'only one was left');
    server.polls.at(-1)?.answer([], { cancelRuns: [starting.spec.runId] });
    await waitUntil(() => runtime.stopped.length === 1, 'the other one was stopped');
    runtime.end(starting.spec.runId);
    await waitUntil(() => server.said.length === 5, 'that was reported');
    expect(server.said[4]).toBe(`CANCELLED ${starting.spec.runId}`);
    await waitUntil(() => records.list().length === 0, 'nothing is left of them');
    expect(runtime.forgotten.sort()).toEqual([started.spec.runId, starting.spec.runId].sort());
  });

  it('reports a run that is lost as failed, and does not return it', async () => {
    const lost = left('STARTED');
    const reports: object[] = [];
    await start({ leftovers: [lost] });
    const { ask } = server;
    server.ask = async (document: unknown, variables: unknown, options: never) => {
      if (document === reportJobEventsDocument)
        reports.push(...(variables as { input: { events: object[] } }).input.events);
      return ask.call(server, document, variables, options);
    };
    const failure = { code: 'RunLost', message: 'gone', kind: 'SYSTEM' } as const;
    runtime.end(lost.spec.runId, { kind: 'FAILED', failure });
    await waitUntil(() => server.said.includes(`FAILED ${lost.spec.runId}`), 'it was reported');
    expect(reports.at(-1)).toMatchObject({ kind: 'FAILED', error: failure });
  });

  it('returns a run whose command never began although the runtime had it, which counts no attempt', async () => {
    await start();
    runtime.isSlow = true;
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => runtime.begun.length === 1, 'it was started');
    runtime.end(a, { kind: 'NOT_BEGUN', reason: 'the queue was closed', isFault: false });
    await waitUntil(() => server.said.length === 1, 'it was returned');
    expect(server.said).toEqual([`returned ${a} untouched`]);
  });

  it('returns a run whose command could not begin because of a fault, which counts as an attempt', async () => {
    await start();
    runtime.isSlow = true;
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => runtime.begun.length === 1, 'it was started');
    runtime.end(a, { kind: 'NOT_BEGUN', reason: 'no such folder', isFault: true });
    await waitUntil(() => server.said.length === 1, 'it was returned');
    expect(server.said).toEqual([`returned ${a} attempted`]);
  });

  it('leaves its runs to the next executor when it stops, if that is how the runtime is', async () => {
    await start({ whenStopped: 'LEAVE', slots: 2 });
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    (await server.poll(2)).answer([b]);
    await server.poll(3);
    await stop();
    expect(server.said).toEqual([`RUNNING ${a}`, `returned ${b} untouched`]);
    expect([runtime.stopped, runtime.cancels]).toEqual([[], []]);
    expect(records.list()).toMatchObject([{ spec: { runId: a }, phase: 'STARTED' }]);
  });

  it('does not leave a run whose start it has not finished', async () => {
    await start({ whenStopped: 'LEAVE' });
    runtime.start = (_work, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => records.list()[0]?.phase === 'STARTING', 'it is starting');
    await stop();
    expect(server.said).toEqual([`returned ${a} untouched`]);
    expect(records.list()).toEqual([]);
  });

  it('starts runs in their order while their requests fit, and asks for none while one waits', async () => {
    await start({ slots: 4, capacity: { cpuMillis: 3000, memoryBytes: 100 } });
    const c = newId();
    const asks = (cpu: string, memory: string) => ({
      container: {
        resources: { requests: [{ name: 'CPU', value: cpu }], limits: [{ name: 'MEMORY', value: memory }] },
      },
    });
    server.changes.set(a, asks('2', '10')).set(b, asks('1.5', '10')).set(c, asks('500m', '10'));
    (await server.poll(0)).answer([a, b, c]);
    expect(await server.poll(1)).toMatchObject({ maxJobs: 1, nodes: [{ allocatable: { cpu: '4' } }] });
    (await server.poll(1)).answer([]);
    await untilBegun();
    // The last one would fit, but it would overtake.
    expect(await server.poll(2)).toMatchObject({ knownRuns: [a, b, c], maxJobs: 0 });
    expect(runtime.begun).toEqual([a]);
    runtime.end(a);
    await waitUntil(() => runtime.begun.length === 3, 'the others began');
    expect((await server.poll(3)).maxJobs).toBe(2);
  });

  it.each([
    ['CPU', '4', '1'],
    ['memory', '1', '101'],
  ])(
    'returns a run that asks for more %s than there is, which counts as an attempt',
    async (_what, cpu, memory) => {
      await start({ capacity: { cpuMillis: 3000, memoryBytes: 100 } });
      const requests = [
        { name: 'cpu', value: cpu },
        { name: 'memory', value: memory },
      ];
      server.changes.set(a, { container: { resources: { requests, limits: [] } } });
      (await server.poll(0)).answer([a]);
      (await server.poll(1)).answer([]);
      await waitUntil(() => server.said.length === 1, 'it was returned');
      expect([server.said, runtime.begun]).toEqual([[`returned ${a} attempted`], []]);
    },
  );

  it.each([
    ['container', { container: { command: 'x' } }],
    ['interface', { interface: { outputs: { y: { type: { simple: 'NEW' } } } } }],
    ['inputs', { inputs: [] }],
    ['inputLiterals', { inputLiterals: { x: { scalar: {} } } }],
    ['activeDeadline', { activeDeadline: 'soon' }],
  ])('returns a run that it does not understand, because of its %s', async (_part, change) => {
    await start();
    server.changes.set(a, change);
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => server.said.length === 1, 'it was returned');
    expect([server.said, runtime.begun]).toEqual([[`returned ${a} attempted`], []]);
  });

  it('does not give back a run whose processes cannot be stopped, and gives up when its time is over', async () => {
    stopClocks('setTimeout', 'clearTimeout');
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await server.poll(2);
    let hasStopped = false;
    const stopping = stop().then(() => {
      hasStopped = true;
    });
    runtime.stuck.add(a);
    runtime.end(a);
    vi.advanceTimersByTime(999);
    await waitUntil(() => server.signOffs.length === 1, 'it began to stop');
    expect(hasStopped).toBe(false);
    vi.advanceTimersByTime(1);
    await stopping;
    expect(server.said).toEqual([`RUNNING ${a}`]);
  });

  it('logs it when the server refuses the report of an end for good', async () => {
    const errors = vi.spyOn(log, 'error');
    onTestFinished(() => errors.mockRestore());
    await start();
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await untilBegun();
    const refusal = new ApiError('PERMISSION_DENIED', 'no');
    server.insist = () => Promise.reject(refusal);
    runtime.end(a);
    await waitUntil(() => errors.mock.calls.length > 0, 'it was logged');
    expect(errors.mock.calls).toEqual([[{ err: refusal }, 'the server refused the request']]);
  });

  it('fails a run with kind USER when the server refuses its report as too large', async () => {
    await start();
    const reports: unknown[] = [];
    const { ask } = server;
    server.ask = async (document: unknown, variables: unknown, options: never) => {
      if (document !== reportJobEventsDocument) return ask.call(server, document, variables, options);
      const [event] = (variables as { input: { events: { kind: string }[] } }).input.events;
      reports.push(event);
      const tooLarge = {
        __typename: 'ResourceExhaustedError',
        code: 'RESOURCE_EXHAUSTED',
        message: 'too large',
      };
      const fine = { __typename: 'ReportJobEventsPayload', outcomes: ['APPLIED'] };
      return { reportJobEvents: event?.kind === 'SUCCEEDED' ? tooLarge : fine } as never;
    };
    (await server.poll(0)).answer([a]);
    (await server.poll(1)).answer([]);
    await waitUntil(() => runtime.begun.length === 1, 'the run began');
    runtime.end(a);
    await waitUntil(() => reports.length === 3, 'the failure was reported');
    expect(reports[2]).toMatchObject({
      kind: 'FAILED',
      error: { code: 'OutputsTooLarge', message: 'too large', kind: 'USER' },
    });
  });
});

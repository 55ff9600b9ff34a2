/** How long an executor waits for its runs and for the server. The waits end when the test says so. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reportJobEventsDocument, reportRunLogDocument } from '../../src/executor/host/documents.ts';
import { RunRecords } from '../../src/executor/host/run-records.ts';
import { startWorkLoop } from '../../src/executor/host/work-loop.ts';
import { newId } from '../../src/platform/ids.ts';
import { log } from '../../src/platform/log.ts';
import { stopClocks } from '../support/clock.ts';
import { waitUntil } from './fixture.ts';
import { PlayedRuntime, PlayedServer } from './played.ts';

/** What ends the waits of 2, 5 and 30 seconds, by their length in milliseconds. */
const waits = vi.hoisted(
  (): Record<number, (() => void)[]> => ({
    2000: [],
    5000: [],
    30000: [],
  }),
);
vi.mock('node:timers/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:timers/promises')>();
  const { setTimeout: wait } = original;
  const sleep = (milliseconds: number, value: undefined, options: object) => {
    const ends = waits[milliseconds];
    return ends ? new Promise<void>((resolve) => ends.push(resolve)) : wait(milliseconds, value, options);
  };
  return { ...original, setTimeout: sleep };
});

let server: PlayedServer;
let runtime: PlayedRuntime;
let run: string;
let stop: () => Promise<void>;

/** Starts an executor with one run, whose command has begun. */
beforeEach(async () => {
  for (const ends of Object.values(waits)) ends.length = 0;
  [server, runtime, run] = [new PlayedServer(), new PlayedRuntime(), newId()];
  const { start: begin } = runtime;
  runtime.start = async (work, signal) => {
    writeFileSync(work.directory.logs.STDOUT.beginning, 'printed');
    return await begin(work, signal);
  };
  const { insist } = server;
  // Nothing that was printed is ever stored.
  server.insist = (document, variables, options) =>
    String(document) === String(reportRunLogDocument)
      ? new Promise((_, reject) => {
          options.signal.addEventListener('abort', () => reject(options.signal.reason));
        })
      : insist(document, variables, options);
  const loop = await startWorkLoop({
    ...{ client: server, runtime, log, name: 'played', instance: newId(), pool: 'default', path: '' },
    records: new RunRecords(join(runtime.folder, 'records'), log),
    ...{ slots: 1, drainSeconds: 60, onLostContact: 'continue' },
  });
  let stopping: Promise<void> | undefined;
  stop = () => {
    server.isSigningOff = true;
    stopping ??= loop.stop();
    return stopping;
  };
  (await server.poll(0)).answer([run]);
  (await server.poll(1)).answer([]);
  await server.poll(2);
  await waitUntil(() => server.said.length === 1, 'the run began');
});
/** Ends the waits for the log, before and after the report. */
async function endLogWaits(): Promise<void> {
  await waitUntil(() => waits[5000]?.length === 1, 'it waits for the log');
  waits[5000]?.[0]?.();
  await waitUntil(() => waits[5000]?.length === 2, 'it waits for the log again');
  waits[5000]?.[1]?.();
}
afterEach(() => stop());

describe('an executor', () => {
  it('reports the end of a run five seconds later, if its log cannot be stored', async () => {
    runtime.end(run);
    await waitUntil(() => waits[5000]?.length === 1, 'it waits for the log');
    expect(server.said).toEqual([`RUNNING ${run}`]);
    await endLogWaits();
    expect(await server.poll(3)).toMatchObject({ knownRuns: [], maxJobs: 1 });
    expect(server.said).toEqual([`RUNNING ${run}`, `SUCCEEDED ${run}`]);
  });

  it('tries every 30 seconds to end a run whose processes survive, and reports its result when they are gone', async () => {
    runtime.stuck.add(run);
    runtime.end(run);
    await waitUntil(() => waits[30000]?.length === 1, 'it waits');
    waits[30000]?.[0]?.();
    await waitUntil(() => waits[30000]?.length === 2, 'it waits again');
    expect([runtime.cancels.length, server.said]).toEqual([2, [`RUNNING ${run}`]]);
    runtime.stuck.clear();
    waits[30000]?.[1]?.();
    await endLogWaits();
    expect(await server.poll(3)).toMatchObject({ knownRuns: [], maxJobs: 1 });
    expect([runtime.cancels.length, server.said]).toEqual([3, [`RUNNING ${run}`, `SUCCEEDED ${run}`]]);
  });

  it('stops a run two seconds after it was told to stop itself', async () => {
    const stopping = stop();
    await waitUntil(() => waits[2000]?.length === 1, 'it waits for the run');
    expect(runtime.stopped).toEqual([]);
    waits[2000]?.[0]?.();
    await waitUntil(() => runtime.stopped.length === 1, 'the run was stopped');
    runtime.end(run);
    await endLogWaits();
    await stopping;
    expect(server.said).toEqual([`RUNNING ${run}`, `returned ${run} attempted`]);
  });

  it('stops within five seconds after its last process, if the server does not answer', async () => {
    stopClocks('setTimeout', 'clearTimeout');
    const { insist } = server;
    server.insist = (document, variables, options) =>
      String(document) === String(reportJobEventsDocument)
        ? new Promise((_, reject) => {
            options.signal.addEventListener('abort', () => reject(options.signal.reason));
          })
        : insist(document, variables, options);
    let hasStopped = false;
    const stopping = stop().then(() => {
      hasStopped = true;
    });
    await waitUntil(() => waits[2000]?.length === 1, 'it waits for the run');
    runtime.end(run);
    await waitUntil(() => waits[5000]?.length === 1, 'it waits for the log');
    waits[2000]?.[0]?.();
    waits[5000]?.[0]?.();
    await new Promise(setImmediate);
    vi.advanceTimersByTime(4999);
    await new Promise(setImmediate);
    expect(hasStopped).toBe(false);
    vi.advanceTimersByTime(1);
    await stopping;
    expect(server.said).toEqual([`RUNNING ${run}`]);
  });
});

/** A run that has processes which survive SIGKILL. The pauses between two tries end when the test says so. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startWorkLoop } from '../../src/executor/host/work-loop.ts';
import { newId } from '../../src/platform/ids.ts';
import { log } from '../../src/platform/log.ts';
import { waitUntil } from './fixture.ts';
import { PlayedRuntime, PlayedServer } from './played.ts';

const pauses = vi.hoisted(() => [] as (() => void)[]);
vi.mock('node:timers/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:timers/promises')>();
  const sleep = (milliseconds: number, value: undefined, options: object) =>
    milliseconds === 30_000
      ? new Promise<void>((resolve) => pauses.push(resolve))
      : original.setTimeout(milliseconds, value, options);
  return { ...original, setTimeout: sleep };
});

let stop = async () => {};
afterEach(() => stop());

describe('a run whose processes survive', () => {
  it('keeps its lease and its slot, tries to end them every 30 seconds, and is given back when they are gone', async () => {
    const [server, runtime, run] = [new PlayedServer(), new PlayedRuntime(), newId()];
    const loop = await startWorkLoop({
      ...{ client: server, runtime, log, name: 'played', instance: newId(), pool: 'default' },
      ...{ slots: 1, drainSeconds: 1, onLostContact: 'continue' },
    });
    stop = async () => {
      server.isSigningOff = true;
      await loop.stop();
    };
    (await server.poll(0)).answer([run]);
    (await server.poll(1)).answer([]);
    await server.poll(2);
    let tries = 0;
    runtime.reapLeftovers = async () => {
      tries += 1;
      if (tries === 1) throw new Error('one process survived SIGKILL');
      return [run];
    };
    runtime.end(run, { kind: 'STUCK', message: 'one process survived SIGKILL' });
    await waitUntil(() => pauses.length === 1, 'it paused');
    pauses[0]?.();
    await waitUntil(() => pauses.length === 2, 'it paused again');
    expect([tries, server.said]).toEqual([1, [`RUNNING ${run}`]]);
    pauses[1]?.();
    await waitUntil(() => server.said.length === 2, 'the lease was given back');
    expect([tries, server.said]).toEqual([2, [`RUNNING ${run}`, `returned ${run} attempted`]]);
    expect(await server.poll(3)).toMatchObject({ knownRuns: [], maxJobs: 1 });
  });
});

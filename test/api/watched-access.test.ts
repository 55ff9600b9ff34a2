import { expect, it, vi } from 'vitest';
import { newContext } from '../../src/api/context.ts';
import { WatchedAccess } from '../../src/api/watched-access.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { PermissionDeniedError } from '../../src/platform/errors.ts';
import { newId } from '../../src/platform/ids.ts';
import { stopClocks } from '../support/clock.ts';

const { waits } = vi.hoisted(() => ({ waits: [] as number[] }));
vi.mock('node:timers/promises', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  setTimeout: async (milliseconds: number) => void waits.push(milliseconds),
}));
vi.mock('../../src/sign-in/reauthenticate.ts', () => ({ reauthenticated: async (caller: object) => caller }));

it('checks the right to watch again every second while the database does not answer', async () => {
  const denied = new PermissionDeniedError('not any more');
  const answers = [new Error('no connection'), new Error('no connection'), denied];
  const rule = {
    decide: async () => answers.shift() ?? true,
    asks: () => Promise.reject(new Error('nothing was refused')),
  } as const;
  const signal = new AbortController().signal;
  const context = newContext({
    caller: systemCaller(newId(), newId()),
    signal,
    publicUrl: 'http://localhost',
  });
  expect(await new WatchedAccess(rule, {}, context).refusal()).toBe(denied);
  expect(waits).toEqual([1000, 1000]);
});

it('asks again when the sign-in ends, or after 24 days, because a timer cannot wait longer', async () => {
  stopClocks('Date');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  const rule = {
    decide: async () => true as const,
    asks: () => Promise.reject(new Error('nothing was refused')),
  } as const;
  const longest = 2_147_483_647;
  for (const [lasts, wait] of [
    [-5, 1],
    [60_000, 60_001],
    [longest - 1, longest],
    [longest, longest],
    [10 * longest, longest],
  ] as const) {
    timers.mockClear();
    const caller = { ...systemCaller(newId(), newId()), expiresAt: new Date(Date.now() + lasts) };
    const { signal } = new AbortController();
    const access = new WatchedAccess(rule, {}, newContext({ caller, signal, publicUrl: 'http://localhost' }));
    expect(timers.mock.calls.map(([, milliseconds]) => milliseconds)).toEqual([wait]);
    access.end();
  }
  timers.mockRestore();
});

import { expect, it, vi } from 'vitest';
import { newContext } from '../../src/api/context.ts';
import { WatchedAccess } from '../../src/api/watched-access.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { PermissionDeniedError } from '../../src/platform/errors.ts';
import { newId } from '../../src/platform/ids.ts';

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

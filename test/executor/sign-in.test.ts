import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/executor/host/api-error.ts';
import { SignIn } from '../../src/executor/host/sign-in.ts';
import { stopStopwatch } from '../support/clock.ts';
import { createRoot } from './fixture.ts';

const MINUTE = 60_000;
const KEY = `Basic ${Buffer.from('KEY:secret').toString('base64')}`;

/** A sign-in with a credential, the headers with which it has asked for tokens, and what the server says next. */
async function start() {
  const file = join(await createRoot(), 'credential.json');
  await writeFile(file, JSON.stringify({ accessKey: 'KEY', secretKey: 'secret' }));
  const asked: string[] = [];
  const refusals: Error[] = [];
  const signIn = new SignIn(file, async (authorization, life) => {
    expect(life).toBe('PT1H');
    asked.push(authorization);
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    return `token-${asked.length}`;
  });
  return { signIn, asked, refusals };
}

describe('the sign-in of an executor', () => {
  it('renews its token after half of its life, with the token itself', async () => {
    const moveOn = stopStopwatch();
    const { signIn, asked } = await start();
    expect(await signIn.authorization()).toBe('Bearer token-1');
    moveOn(30 * MINUTE - 1);
    expect(await signIn.authorization()).toBe('Bearer token-1');
    moveOn(1);
    expect(await signIn.authorization()).toBe('Bearer token-2');
    expect(asked).toEqual([KEY, 'Bearer token-1']);
  });

  it('uses its access key again when the server does not renew the token', async () => {
    const moveOn = stopStopwatch();
    const { signIn, asked, refusals } = await start();
    await signIn.authorization();
    moveOn(31 * MINUTE);
    refusals.push(new ApiError('UNAUTHENTICATED', 'too old'));
    expect(await signIn.authorization()).toBe('Bearer token-3');
    expect(asked).toEqual([KEY, 'Bearer token-1', KEY]);
  });

  it.each([new ApiError('UNAVAILABLE', 'away'), new Error('a fault of ours')])(
    'keeps its token when renewing it fails for another reason: %s',
    async (failure) => {
      const moveOn = stopStopwatch();
      const { signIn, asked, refusals } = await start();
      await signIn.authorization();
      moveOn(31 * MINUTE);
      refusals.push(failure);
      await expect(signIn.authorization()).rejects.toBe(failure);
      await signIn.authorization();
      expect(asked).toEqual([KEY, 'Bearer token-1', 'Bearer token-1']);
    },
  );

  it('fails when the server refuses the access key', async () => {
    const { signIn, asked, refusals } = await start();
    refusals.push(new ApiError('UNAUTHENTICATED', 'unknown key'));
    await expect(signIn.authorization()).rejects.toThrow('unknown key');
    expect(asked).toEqual([KEY]);
  });

  it('forgets a token that was refused, but not the one that replaced it', async () => {
    const { signIn, asked } = await start();
    const first = await signIn.authorization();
    signIn.refused(first);
    expect(await signIn.authorization()).toBe('Bearer token-2');
    signIn.refused(first);
    expect(await signIn.authorization()).toBe('Bearer token-2');
    expect(asked).toEqual([KEY, KEY]);
  });
});

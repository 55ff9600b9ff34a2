import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Loaders } from '../graphql/context.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { newLoaders } from './context.ts';

/** Asks the rule again about the caller as it is now: true, or the answer to give instead. */
type Ask = (caller: Caller, loaders: Loaders) => Promise<true | Error>;

/** A refusal; null for none; or UNKNOWN if the database does not answer, which is not a refusal. */
export type Verdict = Error | null | 'UNKNOWN';

interface Waiting {
  readonly ask: Ask;
  readonly tell: (verdict: Verdict) => void;
}

const refusals: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND']);

/**
 * Checks the rights of subscriptions again. One change can concern thousands of them. Subscriptions of the same sign-in
 * are checked together with the same loaders, so they take as many statements as one. Only a few sign-ins are checked
 * at the same time, so that requests are not delayed.
 */
const inTurn = pLimit(4);
const waiting = new Map<string, Waiting[]>();

export function judgeAgain(caller: Caller, ask: Ask): Promise<Verdict> {
  return new Promise((tell) => {
    const signIn = nameOf(caller);
    const others = waiting.get(signIn);
    if (others) return void others.push({ ask, tell });
    const all = [{ ask, tell }];
    waiting.set(signIn, all);
    void inTurn(async () => {
      // The feed tells one subscription after the other. Wait until all of them have joined.
      await setImmediate();
      waiting.delete(signIn);
      await judgeAll(caller, all);
    });
  });
}

/** Everything that makes two sign-ins different. */
function nameOf({ address: _address, ...signIn }: Caller): string {
  return JSON.stringify(signIn);
}

async function judgeAll(caller: Caller, all: readonly Waiting[]): Promise<void> {
  try {
    const current = await reauthenticated(caller);
    const loaders = newLoaders(current);
    await Promise.all(all.map(async ({ ask, tell }) => tell(verdictOf(await ask(current, loaders)))));
  } catch (error) {
    // A subscription that was already told keeps its verdict.
    for (const { tell } of all) tell(error instanceof UnauthenticatedError ? error : 'UNKNOWN');
  }
}

function verdictOf(answer: true | Error): Verdict {
  if (answer === true) return null;
  return refusals.has(shownError(answer).extensions['code']) ? answer : 'UNKNOWN';
}

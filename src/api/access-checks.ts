import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Loaders } from '../graphql/context.ts';
import { shownError } from '../graphql/errors.ts';
import type { Caller } from '../platform/caller.ts';
import { UnauthenticatedError } from '../platform/errors.ts';
import { reauthenticated } from '../sign-in/reauthenticate.ts';
import { newLoaders } from './context.ts';

/** Asks the rule once more, as the caller is now; true, or what it answers instead. */
type Ask = (caller: Caller, loaders: Loaders) => Promise<true | Error>;

/** A refusal, null for none, or that it cannot be said now: a dead database is no refusal. */
export type Verdict = Error | null | 'UNKNOWN';

interface Waiting {
  readonly ask: Ask;
  readonly tell: (verdict: Verdict) => void;
}

const refusals: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND']);

/**
 * Looks at the rights of subscriptions again. One change may concern thousands: those of one sign-in are looked at
 * together, with the same loaders, in as many statements as one of them; and of different sign-ins a few at a time, so
 * that requests still get through.
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
      // The feed tells one subscription after the other: all of them are to join.
      await setImmediate();
      waiting.delete(signIn);
      await judgeAll(caller, all);
    });
  });
}

/** All that tells one sign-in from another. */
function nameOf({ log: _log, address: _address, ...signIn }: Caller): string {
  return JSON.stringify(signIn);
}

async function judgeAll(caller: Caller, all: readonly Waiting[]): Promise<void> {
  try {
    const current = await reauthenticated(caller);
    const loaders = newLoaders(current);
    await Promise.all(all.map(async ({ ask, tell }) => tell(verdictOf(await ask(current, loaders)))));
  } catch (error) {
    // Whoever was told already stays told.
    for (const { tell } of all) tell(error instanceof UnauthenticatedError ? error : 'UNKNOWN');
  }
}

function verdictOf(answer: true | Error): Verdict {
  if (answer === true) return null;
  return refusals.has(shownError(answer).extensions['code']) ? answer : 'UNKNOWN';
}

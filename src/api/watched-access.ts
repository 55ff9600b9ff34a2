import { setTimeout as sleep } from 'node:timers/promises';
import { type AccessEvent, accessFeed } from '../authorization/feed.ts';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments, Rule } from '../graphql/rules.ts';
import type { Caller } from '../platform/caller.ts';
import { judgeAgain, type Verdict } from './access-checks.ts';

/** Where the database does not answer: nothing is decided, and nothing shown, until it does. */
const RETRY_MS = 1000;
/** The longest that a timer of Node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The right to go on watching. Looked at again whenever a change may have touched it, and when the sign-in's time is
 * over: the sign-in, without proving it anew, and the rule that let the subscription open.
 */
export class WatchedAccess {
  readonly #context: Context;
  readonly #rule: Rule;
  readonly #args: FieldArguments;
  readonly #ending = new AbortController();
  readonly #unlisten: () => void;
  /** Fires when the subscription is over, or the right to it. */
  readonly signal: AbortSignal;
  #refusal: Error | null = null;
  #checking: Promise<void> | null = null;
  #isStale = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(rule: Rule, args: FieldArguments, context: Context) {
    this.#rule = rule;
    this.#args = args;
    this.#context = context;
    this.signal = AbortSignal.any([context.signal, this.#ending.signal]);
    this.#unlisten = accessFeed.on((event) => {
      if (context.caller && concerns(event, context.caller)) this.#lookAgain();
    });
    this.signal.addEventListener('abort', () => this.#close(), { once: true });
    if (this.signal.aborted) this.#close();
    this.#setTimer();
    // The sign-in is older than this: what was heard of in between is looked for once.
    if (context.caller) this.#lookAgain();
  }

  /** The refusal, once all that was heard of is looked at; null to go on. */
  async refusal(): Promise<Error | null> {
    while (this.#checking) await this.#checking;
    return this.#refusal;
  }

  /** Ends the watching of the right itself. */
  end(): void {
    this.#ending.abort();
  }

  #close(): void {
    this.#unlisten();
    clearTimeout(this.#timer);
  }

  #lookAgain(): void {
    this.#isStale = true;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null;
    });
  }

  async #check(): Promise<void> {
    while (this.#isStale && !this.signal.aborted) {
      // Before it is looked at: what changes from here on makes it stale again.
      this.#isStale = false;
      const verdict = await this.#judge();
      if (verdict === 'UNKNOWN') {
        this.#isStale = true;
        await sleep(RETRY_MS, undefined, { signal: this.signal }).catch(() => {});
      } else if (verdict !== null) {
        this.#refusal = verdict;
        this.end();
      }
    }
    if (!this.signal.aborted) this.#setTimer();
  }

  async #judge(): Promise<Verdict> {
    const { caller } = this.#context;
    if (!caller) return null;
    return await judgeAgain(caller, async (current, loaders) => {
      const answer = await this.#rule.decide(this.#args, { ...this.#context, caller: current, loaders });
      if (answer === true) this.#context.caller = current;
      return answer;
    });
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const endsAt = this.#context.caller?.expiresAt?.getTime();
    if (endsAt === undefined || this.signal.aborted) return;
    const leftMs = Math.max(endsAt - Date.now() + 1, 1);
    this.#timer = setTimeout(() => this.#lookAgain(), Math.min(leftMs, MAX_TIMER_MS)).unref();
  }
}

function concerns(event: AccessEvent, { tenantId, userId, real }: Caller): boolean {
  if (event === 'ANYTHING') return true;
  if (event.userId === null) return event.tenantId === tenantId || real !== null;
  return event.userId === userId || event.userId === real?.userId;
}

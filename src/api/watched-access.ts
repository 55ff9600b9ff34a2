import { setTimeout as sleep } from 'node:timers/promises';
import { type AccessEvent, accessFeed } from '../authorization/feed.ts';
import type { Context } from '../graphql/context.ts';
import type { FieldArguments, Rule } from '../graphql/rules.ts';
import type { Caller } from '../platform/caller.ts';
import { judgeAgain, type Verdict } from './access-checks.ts';

/** If the database does not answer, nothing is decided and nothing is shown until it does. */
const RETRY_MS = 1000;
/** The longest time that a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The right to continue watching. It is checked again when a change may concern it, and when the sign-in expires. The
 * check covers the sign-in, without asking for the credentials again, and the rule that allowed the subscription.
 */
export class WatchedAccess {
  readonly #context: Context;
  readonly #rule: Rule;
  readonly #args: FieldArguments;
  readonly #ending = new AbortController();
  readonly #unlisten: () => void;
  /** Fires when the subscription ends, or the right to it. */
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
    // The sign-in was checked earlier, so check once for changes since then.
    if (context.caller) this.#lookAgain();
  }

  /** The refusal, after all known changes were checked; null to continue. */
  async refusal(): Promise<Error | null> {
    while (this.#checking) await this.#checking;
    return this.#refusal;
  }

  /** Stops watching the right. */
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
      // Set before the check, because a change during the check makes it stale again.
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

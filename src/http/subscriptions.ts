import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/context.ts';
import { ResourceExhaustedError, UnavailableError } from '../platform/errors.ts';
import { limitRefusals, openSubscriptions } from '../platform/metrics.ts';
import { ServerStopping } from './requests.ts';

/**
 * What all subscriptions share, over Server-Sent Events and WebSocket. One process has at most `limit` of them, and one
 * user at most a quarter of these; the last quarter is for users who have few, so that a few users cannot take all
 * places. If a subscription ends early, its last result says why, and its client can continue
 * after the last event id.
 */
export function boundedSubscriptions(limit: number): Plugin {
  let count = 0;
  const countOf = new Map<string, number>();
  const limitOfUser = Math.max(Math.ceil(limit / 4), Math.min(limit, 10));
  const few = Math.max(Math.ceil(limit / 40), Math.min(limit, 10));
  return {
    onSubscribe({ subscribeFn, setSubscribeFn }) {
      setSubscribeFn(async (args) => {
        const userId = (args.contextValue as Context).caller?.userId ?? '';
        const countOfUser = countOf.get(userId) ?? 0;
        const most = count < (limit * 3) / 4 ? limitOfUser : few;
        if (count >= limit || countOfUser >= most) {
          limitRefusals.inc({ limit: 'subscriptions' });
          return {
            errors: [failure(new ResourceExhaustedError('too many subscriptions are open on this server'))],
          };
        }
        count += 1;
        countOf.set(userId, countOfUser + 1);
        openSubscriptions.inc();
        const subscription = new Ending(args.contextValue, () => {
          count -= 1;
          const left = (countOf.get(userId) ?? 1) - 1;
          if (left > 0) countOf.set(userId, left);
          else countOf.delete(userId);
          openSubscriptions.dec();
        });
        try {
          const results = await subscribeFn({ ...args, contextValue: subscription.context });
          if (isAsyncIterable<ExecutionResult>(results)) return subscription.follow(results);
          subscription.end();
          return results;
        } catch (error) {
          subscription.end();
          throw error;
        }
      });
    },
  };
}

/** One subscription, from its opening to its end, whoever ends it. */
class Ending {
  readonly #gone = new AbortController();
  readonly #onEnd: () => void;
  /** The context of the caller, with a signal that also fires when only this subscription is stopped. */
  readonly context: Context;

  constructor(context: Context, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.context = { ...context, signal: AbortSignal.any([context.signal, this.#gone.signal]) };
  }

  end(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#onEnd();
  }

  follow(results: AsyncIterable<ExecutionResult>): AsyncGenerator<ExecutionResult> {
    const generator = this.#withReason(results);
    const giveUp = generator.return.bind(generator);
    // A generator that waits does not notice `return`, but its source sees the signal.
    generator.return = (value) => {
      this.end();
      return giveUp(value);
    };
    return generator;
  }

  async *#withReason(results: AsyncIterable<ExecutionResult>): AsyncGenerator<ExecutionResult> {
    try {
      yield* results;
      if (this.context.signal.reason instanceof ServerStopping)
        yield {
          errors: [
            failure(
              new UnavailableError(
                'the server is stopping; connect again and continue after the last event id',
              ),
            ),
          ],
        };
    } catch (error) {
      yield { errors: [failure(error)] };
    } finally {
      this.end();
    }
  }
}

/**
 * Puts an error into the form of GraphQL's results. What the caller may see of it is decided where errors are masked.
 */
function failure(error: unknown): GraphQLError {
  return new GraphQLError('failed', { originalError: error as Error });
}

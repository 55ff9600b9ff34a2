import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/context.ts';
import { ResourceExhaustedError, UnavailableError } from '../platform/errors.ts';
import { limitRefusals, openSubscriptions } from '../platform/metrics.ts';
import { ServerStopping } from './requests.ts';

/**
 * What all subscriptions share, over Server-Sent Events and WebSocket: there are at most `limit` in this process, a
 * quarter of them of one user, so that nobody takes them all; and
 * the last result tells why one ended that had not come to its end. Whoever watches goes on from the last id.
 */
export function boundedSubscriptions(limit: number): Plugin {
  let count = 0;
  const countOf = new Map<string, number>();
  const limitOfUser = Math.max(Math.ceil(limit / 4), Math.min(limit, 10));
  return {
    onSubscribe({ subscribeFn, setSubscribeFn }) {
      setSubscribeFn(async (args) => {
        const userId = (args.contextValue as Context).caller?.userId ?? '';
        const countOfUser = countOf.get(userId) ?? 0;
        if (count >= limit || countOfUser >= limitOfUser) {
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

/** One subscription, from opening to its end, whoever ends it. */
class Ending {
  readonly #gone = new AbortController();
  readonly #onEnd: () => void;
  /** The caller's context, whose signal fires also when the subscription alone is given up. */
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
    // A generator that waits does not hear that it is given up; its source hears the signal.
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

/** In the form of GraphQL's results; what may be shown of it is decided where errors are masked. */
function failure(error: unknown): GraphQLError {
  return new GraphQLError('failed', { originalError: error as Error });
}

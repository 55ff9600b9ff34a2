import { setTimeout } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import type { Ask } from '../client.ts';
import { cancelOnQueueDocument, createQueueDocument, deleteQueueDocument } from './documents.ts';
import { refusal } from './sign-in.ts';

/** Creates the queues of a load, one for each weight. @returns the names, as far as they were created. */
export async function createQueues(
  ask: Ask,
  prefix: string,
  weights: readonly number[],
  onCreated: (name: string) => void,
): Promise<void> {
  const heaviest = Math.max(...weights);
  for (const [at, weight] of weights.entries()) {
    const name = `${prefix}-${at + 1}`;
    const input = { name, priorityFactor: heaviest / weight };
    const { createQueue } = await ask(createQueueDocument, { input });
    if (createQueue?.__typename !== 'CreateQueuePayload')
      throw refusal(`creating queue ${name}`, createQueue);
    onCreated(name);
  }
}

/** Cancels all jobs of a queue that have not ended. */
export async function cancelQueue(ask: Ask, queue: string): Promise<void> {
  for (;;) {
    const { cancelOnQueue } = await ask(cancelOnQueueDocument, { input: { queue, reason: 'slipway load' } });
    if (cancelOnQueue?.__typename !== 'CancelOnQueuePayload')
      throw refusal(`cancelling the jobs of ${queue}`, cancelOnQueue);
    if (!cancelOnQueue.hasMore) return;
  }
}

/** How often a queue is tried again whose last jobs have not ended. */
const MAX_TRIES = 60;
const TRY_MS = 500;

export async function deleteQueue(ask: Ask, name: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { deleteQueue: answer } = await ask(deleteQueueDocument, { input: { by: { name } } });
    if (answer?.__typename === 'DeleteQueuePayload') return;
    if (answer?.__typename !== 'FailedPreconditionError' || tries === MAX_TRIES)
      throw refusal(`deleting queue ${name}`, answer);
    await setTimeout(TRY_MS);
  }
}

/** Deletes what a load has made. One failure does not keep the rest. @returns what could not be deleted. */
export async function deleteQueues(ask: Ask, names: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const name of names)
    try {
      await cancelQueue(ask, name);
    } catch (error) {
      problems.push(messageOf(error));
    }
  for (const name of names)
    try {
      await deleteQueue(ask, name);
    } catch (error) {
      problems.push(messageOf(error));
    }
  return problems;
}

function messageOf(error: unknown): string {
  if (error instanceof CliError) return error.message;
  throw error;
}

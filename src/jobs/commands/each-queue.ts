import { noteDenial } from '../../authorization/audit.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { DomainError } from '../../platform/errors.ts';

/** How many queues one call creates or changes. */
export const MAX_QUEUES = 100;

/** What became of one queue of a call about many. */
export interface QueueOutcome {
  readonly name: string;
  /** Null if nothing was created or changed. */
  readonly queue: Queue | null;
  readonly error: DomainError | null;
}

/**
 * Works on queues one after the other. One that fails does not keep the others from it. A refusal stands in the audit
 * log, as if the queue had been alone.
 *
 * @returns one outcome for each queue, in the given order. Errors that no caller can act on are thrown.
 * Source: Armada's CreateQueues and UpdateQueues.
 */
export async function eachQueue<Request extends { readonly name: string }>(
  caller: Caller,
  requests: readonly Request[],
  action: 'queue:create' | 'queue:update',
  work: (request: Request, path: readonly string[]) => Promise<Queue>,
): Promise<QueueOutcome[]> {
  const outcomes: QueueOutcome[] = [];
  for (const [at, request] of requests.entries()) {
    const { name } = request;
    try {
      outcomes.push({ name, queue: await work(request, ['input', 'queues', String(at)]), error: null });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      note(caller, name, action, error);
      outcomes.push({ name, queue: null, error });
    }
  }
  return outcomes;
}

function note(caller: Caller, name: string, action: string, error: DomainError): void {
  if (!error.refusal) return;
  noteDenial(caller, {
    code: error.code,
    action: error.refusal.action ?? action,
    target: error.refusal.target ?? { type: 'queue', id: null, name },
  });
}

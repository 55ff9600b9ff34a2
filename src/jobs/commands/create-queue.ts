import { grantCreator } from '../../authorization/grant-creator.ts';
import { nameConflict } from '../../authorization/name-conflict.ts';
import type { Queue } from '../../generated/prisma/client.ts';
import type { Caller } from '../../platform/caller.ts';
import { isUniqueViolation } from '../../platform/database/failures.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { InvalidArgumentError, type Problem } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { labelProblems } from '../../platform/labels.ts';
import { queueTarget } from '../domain/targets.ts';
import { readQueues } from '../store/queues.ts';

const MAX_NAME = 255;

export interface NewQueue {
  readonly name: string;
  /** A larger factor means a smaller share. */
  readonly priorityFactor: number;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Creates a queue. The caller gets MANAGE on it.
 *
 * @throws InvalidArgumentError with all problems; AlreadyExistsError if a queue that the caller may read has the name;
 * InvalidArgumentError `NameUnavailable` if a hidden queue has it. An existing queue does not change.
 * Source: Armada's CreateQueue.
 */
export async function createQueue(caller: Caller, queue: NewQueue): Promise<Queue> {
  const problems = queueProblems(queue);
  if (problems.length > 0) throw new InvalidArgumentError(problems);
  try {
    return await inTransaction(async (tx) => {
      const made = await tx.queue.create({ data: { id: newId(), tenantId: caller.tenantId, ...queue } });
      await grantCreator(tx, caller, { type: 'QUEUE', id: made.id, name: made.name });
      return made;
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const { name } = queue;
    const [holder] = await readQueues(caller.tenantId, [{ name }]);
    const path = ['input', 'name'];
    throw await nameConflict(caller, holder ? queueTarget(holder) : null, { kind: 'queue', name, path });
  }
}

function queueProblems(queue: NewQueue): Problem[] {
  const problems: Problem[] = [];
  const fault = (path: readonly string[], message: string) =>
    problems.push({ path: ['input', ...path], code: 'InvalidValue', message });
  if (queue.name.trim() === '') fault(['name'], 'the name must not be empty');
  if (queue.name.includes('/'))
    fault(['name'], 'the name must not contain a slash, which only queues of projects have');
  if (queue.name.length > MAX_NAME) fault(['name'], `must have at most ${MAX_NAME} characters`);
  if (!(queue.priorityFactor >= 1 && Number.isFinite(queue.priorityFactor)))
    fault(['priorityFactor'], 'the priority factor must be at least 1');
  return [...problems, ...labelProblems(queue.labels, ['input', 'labels'])];
}

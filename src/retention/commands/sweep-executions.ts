import { isLockTimeout } from '../../platform/database/failures.ts';
import { inTransaction, type Tx } from '../../platform/database/transaction.ts';
import { log } from '../../platform/log.ts';
import { shortestKeep } from '../domain/retention-rules.ts';
import {
  advanceSweep,
  type LockedPolicy,
  lockPolicy,
  PAGE,
  postponeSweep,
  readPage,
  type SweptExecution,
} from '../store/sweeps.ts';
import { deleteEnded, MAX_EVENTS } from './delete-ended.ts';

/**
 * Takes one turn of the sweep of a policy: looks at the next executions that have ended, and deletes those whose time is
 * over. The deletion and the position of the sweep are one transaction, and only one scheduler at a time has a policy. So
 * if a scheduler is killed, its turn has happened completely or not at all.
 *
 * What something still needs, or what another transaction uses at the moment, waits for the next sweep. If a turn fails,
 * its executions are deleted one after the other. One that cannot be deleted waits for the next sweep, too, so that it
 * does not keep all others for ever.
 *
 * @param now  decides whose time is over.
 * @throws what kept the policy itself from going on. Then it waits as long as after a sweep.
 */
export async function sweepExecutions(policyId: string, now = new Date()): Promise<void> {
  try {
    await takeTurn(policyId, now, { limit: PAGE, waits: false });
  } catch (error) {
    log[isLockTimeout(error) ? 'info' : 'warn'](
      { err: error, policyId },
      'a turn of a retention policy failed: its executions go one by one',
    );
    try {
      await sweepOneByOne(policyId, now);
    } catch (again) {
      await inTransaction((tx) => postponeSweep(tx, policyId));
      throw again;
    }
  }
}

interface Turn {
  /** How many executions it looks at, at most. */
  readonly limit: number;
  /** Whether it waits for the policy. A turn that has failed may have it until its last statement ends. */
  readonly waits: boolean;
  /** Is told which executions it looks at, before it deletes any. */
  readonly onRead?: (page: readonly SweptExecution[]) => void;
}

/** @returns whether there is more to do. */
async function takeTurn(policyId: string, now: Date, { limit, waits, onRead }: Turn): Promise<boolean> {
  const swept = await inTransaction(async (tx) => {
    const policy = await lockPolicy(tx, policyId, waits);
    if (!policy) return null;
    const page = await readNext(tx, policy, now, limit);
    onRead?.(page);
    const turn = firstOf(page);
    const ids = turn.filter(({ isDue }) => isDue).map(({ id }) => id);
    const { deleted } = await deleteEnded(tx, ids, { deletedById: policy.setById, skipsLocked: true });
    const isOver = page.length < limit && turn.length === page.length;
    await advanceSweep(tx, policyId, isOver ? null : (turn.at(-1) ?? null), deleted.length);
    return { projectId: policy.projectId, domain: policy.domain, deleted, isOver };
  });
  if (swept && swept.deleted.length > 0)
    log.info(
      { projectId: swept.projectId, domain: swept.domain, executionIds: swept.deleted },
      'executions were deleted as the retention policy says',
    );
  return swept !== null && !swept.isOver;
}

/** Does the work of a turn that has failed, up to the first execution that cannot be deleted. */
async function sweepOneByOne(policyId: string, now: Date): Promise<void> {
  for (let done = 0; done < PAGE; done += 1) {
    let next: SweptExecution | undefined;
    const onRead = ([first]: readonly SweptExecution[]) => {
      next = first;
    };
    try {
      if (!(await takeTurn(policyId, now, { limit: 1, waits: true, onRead }))) return;
    } catch (error) {
      if (!next) throw error;
      const { projectId, domain } = await pass(policyId, now, next.id);
      log[isLockTimeout(error) ? 'info' : 'error'](
        { err: error, projectId, domain, executionId: next.id },
        'an execution could not be deleted as the retention policy says: the next sweep tries it again',
      );
      return;
    }
  }
}

/**
 * Moves a sweep past an execution, and leaves that as it is. If another scheduler has already moved the sweep past it,
 * this does nothing: the execution that comes next has not been tried yet.
 */
async function pass(policyId: string, now: Date, executionId: string): Promise<Partial<LockedPolicy>> {
  return await inTransaction(async (tx) => {
    const policy = await lockPolicy(tx, policyId, true);
    if (!policy) return {};
    const [next] = await readNext(tx, policy, now, 1);
    if (next?.id === executionId) await advanceSweep(tx, policyId, next, 0);
    return policy;
  });
}

async function readNext(tx: Tx, policy: LockedPolicy, now: Date, limit: number): Promise<SweptExecution[]> {
  const shortest = shortestKeep(policy.rules);
  return shortest === null ? [] : await readPage(tx, policy, shortest, now, limit);
}

/** The first executions of a page, up to the one with which too many events would be deleted. At least one. */
function firstOf(page: readonly SweptExecution[]): readonly SweptExecution[] {
  let events = 0;
  const end = page.findIndex((execution, at) => {
    if (execution.isDue) events += Number(execution.events);
    return at > 0 && events > MAX_EVENTS;
  });
  return end < 0 ? page : page.slice(0, end);
}

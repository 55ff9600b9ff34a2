/** Which executions below another one are kept, because a recovery of that one recovers them, too. */
import { describe, expect, it } from 'vitest';
import { findRecoverableChildren } from '../../src/executions/store/recovered.ts';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { inTransaction } from '../../src/platform/database/transaction.ts';
import { newId } from '../../src/platform/ids.ts';
import { judgeDeletions } from '../../src/retention/store/obstacles.ts';
import { endExecution } from '../support/ended.ts';
import { make, mutate } from '../support/mutate.ts';
import { launch } from '../support/seed.ts';
import { ago, app, ended, exists, plan, project, read, setStage, sweep, update } from './fixture.ts';

setStage();

/** Makes an execution the child of a node of another one. The node has ended. */
async function putBelow(parent: string, child: string): Promise<void> {
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: parent } });
  const node = await db.nodeExecution.create({
    data: {
      ...{ id: newId(), tenantId, executionId: parent, nodeId: 'go', specNodeId: 'go' },
      ...{ kind: 'LAUNCH_PLAN', phase: 'FAILED', endedAt: ago(50) },
    },
  });
  await db.execution.update({ where: { id: child }, data: { parentNodeId: node.id, sourceId: parent } });
}

/** An open execution, with an execution below it, and one below that, which have ended. */
async function makeLine(child: ExecutionPhase, grandchild: ExecutionPhase) {
  const top = await launch(app, project, 'one', plan());
  const ids = {
    top,
    child: await ended(50, { phase: child }),
    grandchild: await ended(51, { phase: grandchild }),
  };
  await putBelow(ids.top, ids.child);
  await putBelow(ids.child, ids.grandchild);
  return ids;
}

const obstacleOf = async (id: string) => (await judgeDeletions([id]))[0]?.obstacle;

describe('an execution that did not succeed', () => {
  it.each(['FAILED', 'ABORTED', 'TIMED_OUT'] as const)(
    'and is %s is kept while one above it is open or is recovered, and then deleted',
    async (phase) => {
      const { top, child, grandchild } = await makeLine(phase, phase);
      await update([{ keepFor: 'P1D' }]);
      const areThere = () => Promise.all([child, grandchild].map(exists));
      await sweep();
      expect(await areThere()).toEqual([true, true]);
      expect(await Promise.all([child, grandchild].map(obstacleOf))).toEqual(['ABOVE', 'ABOVE']);

      await endExecution(top);
      const recovery = await make(app, 'recoverExecution', { by: { id: top } }, 'execution');
      expect(await Promise.all([child, grandchild].map(obstacleOf))).toEqual(['RECOVERY', 'RECOVERY']);
      expect((await read()).due.executions).toBe(0);
      await sweep();
      expect(await areThere()).toEqual([true, true]);
      const found = await inTransaction((tx) => findRecoverableChildren(tx, top, ['go']));
      expect(found.get('go')).toBe(child);

      await endExecution(recovery);
      await sweep();
      expect(await areThere()).toEqual([false, false]);
    },
  );

  it('is not kept if the one above it succeeded, because nothing recovers that one', async () => {
    const { child, grandchild } = await makeLine('SUCCEEDED', 'FAILED');
    expect(await obstacleOf(grandchild)).toBeNull();
    expect(await obstacleOf(child)).toBeNull();
  });

  it('is not deleted by hand either, and the answer says why', async () => {
    const { top, child } = await makeLine('FAILED', 'FAILED');
    const remove = async () => {
      const input = { executions: [{ id: child }] };
      return (await mutate(app, 'deleteExecutions', input, 'results { error { message } }')).results[0].error;
    };
    expect((await remove()).message).toContain('an execution above it has not ended');
    await endExecution(top);
    const recovery = await make(app, 'recoverExecution', { by: { id: top } }, 'execution');
    expect((await remove()).message).toContain('an execution that recovers it, or one above it');
    await endExecution(recovery);
    expect(await remove()).toBeNull();
  });

  it('is not kept because of a relaunch of the one above it', async () => {
    const { top, child } = await makeLine('FAILED', 'FAILED');
    await endExecution(top);
    await make(app, 'relaunchExecution', { by: { id: top } }, 'execution');
    expect(await obstacleOf(child)).toBeNull();
  });
});

/** The look for lost places reaches each group that waits, however many there are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listGroupsThatWait } from '../../src/executions/store/budget-shares.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { groupsInTurn } from '../../src/scheduler/groups-in-turn.ts';
import { type LocalApp, startApp } from '../support/app.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'turns';
let app: LocalApp;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

/** An execution of a group that wants places. */
async function share(ownerId: string, wanted: number): Promise<void> {
  const executionId = await launch(app, project, 'flow', { engine: 'EXTERNAL' });
  const { tenantId } = await db.execution.findUniqueOrThrow({ where: { id: executionId } });
  const waitingSince = wanted > 0 ? new Date() : null;
  const row = { executionId, tenantId, ownerId, budgetIds: [ownerId], held: 0, wanted, waitingSince };
  await db.budgetShare.create({ data: row });
}

describe('groupsInTurn', () => {
  it('reaches all groups that wait, some at a time, and begins again', async () => {
    const owners = Array.from({ length: 5 }, newId).sort();
    for (const owner of [...owners].reverse()) {
      await share(owner, 1);
      await share(owner, 2);
    }
    await share(newId(), 0);
    const look = groupsInTurn(listGroupsThatWait, 2);
    const looks = [await look(), await look(), await look(), await look()];
    expect(looks).toEqual([owners.slice(0, 2), owners.slice(2, 4), owners.slice(4), owners.slice(0, 2)]);
  });

  it('begins again after a last look that was full, and after one that found nothing', async () => {
    let ids = ['a', 'b'];
    const look = groupsInTurn(
      async (after, limit) => ids.filter((id) => id > (after ?? '')).slice(0, limit),
      2,
    );
    expect([await look(), await look(), await look()]).toEqual([['a', 'b'], [], ['a', 'b']]);
    ids = ['c'];
    expect([await look(), await look()]).toEqual([['c'], ['c']]);
  });
});

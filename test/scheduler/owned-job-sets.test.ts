import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { OwnedJobSets } from '../../src/scheduler/owned-job-sets.ts';
import { newJob, Stage } from '../jobs/stage.ts';
import { type App, startApp } from '../support/app.ts';
import { statementsOf } from '../support/statements.ts';

let app: App;
let stage: Stage;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  stage = await Stage.open(app);
});
afterAll(() => app.stop());

describe('the news of a job set', () => {
  it('is passed on if an execution owns it, and asks the database once', async () => {
    const { ownerId } = await stage.submit(newJob());
    await stage.submitTo('free', newJob());
    const { id: free } = await db.jobSet.findFirstOrThrow({ where: { name: 'free' } });
    const heard: string[] = [];
    const sets = new OwnedJobSets((id) => heard.push(id));
    for (const id of [ownerId, free]) await sets.hear(id);
    expect(heard).toEqual([ownerId]);
    const { statements } = await statementsOf(async () => {
      for (const id of [free, ownerId, free]) await sets.hear(id);
    });
    expect(statements).toEqual([]);
    expect(heard).toEqual([ownerId, ownerId]);
  });
});

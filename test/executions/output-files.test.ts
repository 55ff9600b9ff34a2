import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  launch,
  registerProject,
  registerTask,
  untilEnded,
  workflowInput,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { announce } from '../support/upload.ts';

const project = 'filing';
const blob = { blob: { format: '', dimensionality: 'SINGLE' } };
let app: App;
let hands: Hands;
beforeAll(async () => {
  app = await startApp();
  for (const identifier of [project, 'other']) await registerProject(app, identifier);
  await registerTask(app, project, 'filer', { outputs: { y: blob } });
  await registerTask(app, project, 'retried', { outputs: { y: blob }, retries: 1 });
  for (const task of ['filer', 'retried']) {
    const { key, template } = workflowInput(project, task, { a: [], b: [] }, { task });
    const bare = { ...template, interface: { ...template.interface, outputs: [] }, outputs: [] };
    expect(await createWorkflow(app, { key, template: bare })).toMatchObject({
      __typename: 'CreateWorkflowPayload',
    });
    await createLaunchPlan(app, { key, workflow: { key }, defaultInputs: { x: 1 } });
  }
});
afterAll(() => app.stop());
let name = 0;
beforeEach(() => {
  hands = new Hands(app, `hands-${++name}`);
});
afterEach(() => hands.lease({ wait: 'PT0S', maxJobs: 0 }));

async function uploaded(owner: string, text: string): Promise<string> {
  const content = new TextEncoder().encode(text);
  const { uri, uploadUrl } = await announce(app, owner, content);
  if (uploadUrl) expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  return uri;
}

describe('an attempt whose outputs name a file', () => {
  it.each([
    ['that was never announced', async () => `slipway://blobs/${newId()}`],
    ['that is no file at all', async () => 'slipway://blobs/nothing'],
    [
      'that was announced and not sent',
      async () => (await announce(app, project, new TextEncoder().encode('to come'))).uri,
    ],
    ['of another project', () => uploaded('other', 'theirs')],
  ])('fails for a file %s', async (_name, file) => {
    const uri = await file();
    const id = await launch(app, project, 'filer');
    await hands.succeed(await hands.leaseNode('a'), { y: uri });
    const execution = await untilEnded(app, id);
    expect(execution).toMatchObject({
      phase: 'FAILED',
      error: { code: 'OutputsInvalid', kind: 'USER', message: `these files are not uploaded: ${uri}` },
      errorNodeId: 'a',
    });
    expect(execution.nodes.a.data.outputs).toEqual({});
  });

  it('succeeds when the file is in its own project or in another store', async () => {
    const id = await launch(app, project, 'filer');
    await hands.succeed(await hands.leaseNode('a'), { y: await uploaded(project, 'ours') });
    await hands.succeed(await hands.leaseNode('b'), { y: 's3://bucket/file.csv' });
    expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
  });

  it('is retried while its task has retries', async () => {
    const id = await launch(app, project, 'retried');
    await hands.succeed(await hands.leaseNode('a'), { y: 'slipway://blobs/nothing' });
    const again = await hands.leaseNode('a');
    expect(again.environment['SLIPWAY_ATTEMPT']).toBe('1');
    await hands.succeed(again, { y: await uploaded(project, 'ours') });
    await hands.succeed(await hands.leaseNode('b'), { y: await uploaded(project, 'ours') });
    expect((await untilEnded(app, id)).phase).toBe('SUCCEEDED');
  });

  it('takes one statement for all attempts of a turn', async () => {
    const uri = await uploaded(project, 'ours');
    const id = await launch(app, project, 'filer');
    const runs = [await hands.leaseNode('a'), await hands.leaseNode('b')];
    const { statements } = await countStatements(async () => {
      await hands.report(
        ...runs.map((run) => ({ run: run.id, kind: 'SUCCEEDED', exitCode: 0, outputs: { y: uri } })),
      );
      return await untilEnded(app, id);
    });
    const asked = statements.filter((text) => text.includes('from blobs where id = any('));
    expect(asked).toHaveLength(1);
  });
});

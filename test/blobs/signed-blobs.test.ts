/** There are links only for files that are stored and belong to the project, whoever writes their names into values. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db, pool } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { Hands } from '../support/hands.ts';
import {
  createLaunchPlan,
  createWorkflow,
  keyOf,
  launch,
  registerProject,
  registerTask,
  untilEnded,
  workflowInput,
} from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { announce } from '../support/upload.ts';

let app: App;
let hands: Hands;
const file = { blob: { format: '', dimensionality: 'SINGLE' } };
beforeAll(async () => {
  app = await startApp();
  hands = new Hands(app);
  for (const project of ['mine', 'other']) await registerProject(app, project);
  await registerTask(app, 'mine', 'filer', { outputs: { y: { collectionType: file } } });
  const input = workflowInput('mine', 'files', { a: [] }, { task: 'filer' });
  input.template.interface.outputs = [];
  input.template.outputs = [];
  expect(await createWorkflow(app, input)).toMatchObject({ __typename: 'CreateWorkflowPayload' });
  const id = keyOf('mine', 'files');
  await createLaunchPlan(app, { key: id, workflow: { key: id }, defaultInputs: { x: 1 } });
});
afterAll(() => app.stop());

async function upload(project: string): Promise<string> {
  const content = randomBytes(20);
  const { uri, uploadUrl } = await announce(app, project, content);
  expect((await fetch(uploadUrl, { method: 'PUT', body: content })).status).toBe(201);
  return uri;
}

/** A file of a tenant that nobody here can see. */
async function foreignFile(): Promise<string> {
  const [tenantId, projectId, id] = [newId(), newId(), newId()];
  await db.tenant.create({ data: { id: tenantId, name: tenantId, nameKey: tenantId } });
  await db.project.create({ data: { id: projectId, tenantId, identifier: 'secret', name: 's' } });
  const content = { sha256: new Uint8Array(32), sizeBytes: 3n, uploadedAt: new Date() };
  await db.blob.create({ data: { id, tenantId, projectId, ...content } });
  return `slipway://blobs/${id}`;
}

const filesOf = `files { uri downloadUrl sizeBytes }`;
const ask = async (id: string): Promise<Answer> => {
  const { data, errors } = await app.ask(
    `query ($id: ID!) { execution(by: {id: $id}) { data { ${filesOf} } nodeExecutions { edges { node {
       data { ${filesOf} } taskExecutions { edges { node { data { ${filesOf} } } } } } } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data.execution.nodeExecutions.edges[0].node;
};

describe('the files of an execution', () => {
  it('are only uploaded files of its own project', async () => {
    const mine = await upload('mine');
    const { uri: unsent } = await announce(app, 'mine', randomBytes(30));
    const names = [mine, mine, await upload('other'), await foreignFile(), unsent, 's3://theirs/x'];
    const id = await launch(app, 'mine', 'files');
    await hands.succeed(await hands.leaseNode('a'), { y: [mine] });
    await untilEnded(app, id);
    // Like an execution that named the files before anybody checked them.
    const literals = names.map((uri) => ({ scalar: { blob: { uri, metadata: { type: file.blob } } } }));
    const outputs = JSON.stringify({ y: { collection: { literals } } });
    await pool.query('update node_executions set outputs = $2 where execution_id = $1', [id, outputs]);
    await pool.query('update task_executions set outputs = $2 where execution_id = $1', [id, outputs]);
    const node = await ask(id);
    const expected = [{ uri: mine, downloadUrl: expect.stringContaining('/blobs/'), sizeBytes: '20' }];
    expect(node.data.files).toEqual(expected);
    expect(node.taskExecutions.edges[0].node.data.files).toEqual(expected);
    expect((await fetch(node.data.files[0].downloadUrl)).status).toBe(200);
  });

  it('are read with one statement for a whole answer', async () => {
    const ids: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const id = await launch(app, 'mine', 'files');
      await hands.succeed(await hands.leaseNode('a'), { y: [await upload('mine')] });
      await untilEnded(app, id);
      ids.push(id);
    }
    const query = ids.map(
      (id, at) => `e${at}: execution(by: {id: "${id}"}) {
      nodeExecutions { edges { node { data { files { uri } } } } } }`,
    );
    const { result, statements } = await countStatements(() => app.ask(`{ ${query.join('\n')} }`));
    expect(
      Object.values(result.data).map((one: Answer) => one.nodeExecutions.edges[0].node.data.files),
    ).toEqual(ids.map(() => [expect.anything()]));
    expect(statements.filter((text) => /from blobs\b/.test(text))).toHaveLength(1);
  });
});

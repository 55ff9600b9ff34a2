import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'listed';
let app: App;
/** The ids of the executions by name. */
let ids: Record<string, string>;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  ids = {};
  for (const name of ['queued', 'running', 'failed', 'archived'])
    ids[name] = await launch(app, project, 'one', { name });
  const change = (name: string, data: object) => db.execution.update({ where: { id: ids[name] }, data });
  await change('running', { phase: 'RUNNING' });
  const { id: executionId, tenantId } = await change('failed', { phase: 'FAILED', ...failure });
  await change('archived', { state: 'ARCHIVED' });
  await db.nodeExecution.create({
    data: { tenantId, executionId, nodeId: 'a', phase: 'FAILED', ...failure },
  });
});
afterAll(() => app.stop());

/** 99 bytes, and then a character of two bytes. */
const message = `${'m'.repeat(99)}é and the rest of it`;
const failure = {
  errorCode: 'NonZeroExit',
  errorKind: 'USER',
  errorMessage: message,
  endedAt: new Date(),
} as const;

async function list(filter: object = {}): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($filter: ExecutionFilterInput!) {
       executions(filter: $filter) { totalCount edges { node { name phase error { message } } } }
     }`,
    { filter: { project, domain, ...filter } },
  );
  expect(errors).toBeUndefined();
  return data.executions;
}
const namesIn = ({ edges }: Answer) => edges.map((edge: Answer) => edge.node.name);

describe('executions', () => {
  it('are listed newest first, without the archived ones', async () => {
    const answer = await list();
    expect(namesIn(answer)).toEqual(['failed', 'running', 'queued']);
    expect(answer.totalCount).toBe(3);
  });

  it('include the archived ones when the filter asks for them', async () => {
    const answer = await list({ withArchived: true });
    expect(namesIn(answer)).toEqual(['archived', 'failed', 'running', 'queued']);
    expect(answer.totalCount).toBe(4);
  });

  it.each([
    [['RUNNING'], ['running']],
    [
      ['FAILED', 'QUEUED'],
      ['failed', 'queued'],
    ],
    [['ABORTED'], []],
    [[], []],
  ])('are filtered by the phases %j', async (phases, names) => {
    const answer = await list({ phases });
    expect(namesIn(answer)).toEqual(names);
    expect(answer.totalCount).toBe(names.length);
  });

  it('have error messages cut to 100 bytes, between characters', async () => {
    const { edges } = await list({ phases: ['FAILED'] });
    expect(edges[0].node.error.message).toBe('m'.repeat(99));
    const { data } = await app.ask(
      `query ($by: ExecutionByInput!) {
         execution(by: $by) {
           error { message }
           nodeExecutions { edges { node { id error { message } } } }
         }
         nodeExecutions(by: $by) { edges { node { error { message } } } }
       }`,
      { by: { id: ids['failed'] } },
    );
    expect(data.execution.error.message).toBe(message);
    for (const { edges: nodes } of [data.execution.nodeExecutions, data.nodeExecutions])
      expect(nodes[0].node.error.message).toBe('m'.repeat(99));
    const one = await app.ask(
      'query ($by: NodeExecutionByInput!) { nodeExecution(by: $by) { error { message } } }',
      {
        by: { id: data.execution.nodeExecutions.edges[0].node.id },
      },
    );
    expect(one.data.nodeExecution.error.message).toBe(message);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type App, startApp } from '../support/app.ts';
import { make } from '../support/mutate.ts';
import { launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'signal-filters';
let app: App;
let execution: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one', { name: 'waits' });
  const other = await launch(app, project, 'one', { name: 'other' });
  const signal = (id: string, signalId: string) =>
    make(app, 'createSignal', { execution: { id }, signalId, type: { simple: 'BOOLEAN' } }, 'signal');
  for (const signalId of ['approve-a', 'approve-b', 'stop']) await signal(execution, signalId);
  await signal(other, 'approve-a');
});
afterAll(() => app.stop());

const ask = (filters: string | null, more = ''): Promise<Answer> =>
  app.ask(
    `query ($id: ID!, $filters: String) {
       signals(by: { id: $id }, filters: $filters ${more}) { totalCount nodes { signalId } pageInfo { endCursor } } }`,
    { id: execution, filters },
  );

describe("Flyte's filters of signals", () => {
  it.each([
    [null, ['stop', 'approve-b', 'approve-a']],
    ['', ['stop', 'approve-b', 'approve-a']],
    ['eq(signal_id,stop)', ['stop']],
    ['eq(signal.signal_id,stop)', ['stop']],
    ['contains(signal_id,approve)', ['approve-b', 'approve-a']],
    ['value_in(signal_id,stop;approve-a)', ['stop', 'approve-a']],
    [
      `eq(execution_project,${project})+eq(execution_domain,development)+ne(signal_id,stop)`,
      ['approve-b', 'approve-a'],
    ],
    // Conditions cannot widen the list to another execution.
    ['eq(execution_name,other)', []],
    ['eq(execution_name,waits)+eq(signal_id,approve-a)', ['approve-a']],
  ])('show for %s', async (filters, expected) => {
    const { data, errors } = await ask(filters);
    expect(errors).toBeUndefined();
    expect(data.signals.nodes.map(({ signalId }: Answer) => signalId)).toEqual(expected);
    expect(data.signals.totalCount).toBe(expected.length);
  });

  it('have pages', async () => {
    const { data } = await ask('contains(signal_id,approve)', ', first: 1');
    expect(data.signals).toMatchObject({ totalCount: 2, nodes: [{ signalId: 'approve-b' }] });
    const { data: next } = await ask(
      'contains(signal_id,approve)',
      `, first: 1, after: "${data.signals.pageInfo.endCursor}"`,
    );
    expect(next.signals.nodes).toEqual([{ signalId: 'approve-a' }]);
  });

  it.each(['eq(name,a)', 'eq(task.name,a)', 'eq(signal_id)', 'like(signal_id,a)'])(
    'are refused if they are wrong: %s',
    async (filters) => {
      const { errors } = await ask(filters);
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_ARGUMENT' } }]);
    },
  );
});

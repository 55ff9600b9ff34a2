/** Who may register a workflow whose node starts a launch plan. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { keyOf, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newCaller } from '../support/users.ts';

let app: App;
let home: string;
let entityId: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  home = await registerProject(app, 'home');
  await registerProject(app, 'away');
  await registerTask(app, 'away', 'double');
  await registerWorkflow(app, 'away', 'lent', { a: [] });
  ({ id: entityId } = await db.namedEntity.findFirstOrThrow({ where: { name: 'lent', type: 'WORKFLOW' } }));
});
afterAll(() => app.stop());

const register = (name: string, authorization: string) =>
  mutate(
    app,
    'createWorkflow',
    {
      key: keyOf('home', name),
      template: {
        interface: {},
        nodes: [
          {
            id: 'run',
            inputs: [{ var: 'x', binding: { value: 1 } }],
            workflowNode: { launchplanRef: keyOf('away', 'lent') },
          },
        ],
      },
    },
    'workflow { id }',
    authorization,
  );

const author = (level?: 'READ' | 'USE') =>
  newCaller({
    role: 'USER',
    grants: [
      { type: 'PROJECT', id: home, level: 'EDIT' },
      ...(level ? [{ type: 'WORKFLOW' as const, id: entityId, level }] : []),
    ],
  });

describe('a workflow with a node of a launch plan of another project', () => {
  it('requires USE on it', async () => {
    expect(await register('usable', await author('USE'))).toMatchObject({
      workflow: { id: expect.any(String) },
    });
    expect(await register('readable', await author('READ'))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it('does not find it if it is hidden', async () => {
    expect(await register('hidden', await author())).toMatchObject({
      problems: [{ code: 'WorkflowReferenceNotFound' }],
    });
  });
});

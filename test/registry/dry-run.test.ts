/** Registrations that only say what they would do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { askAlike } from '../support/alike.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import {
  keyOf,
  registerProject,
  registerTask,
  registerWorkflow,
  taskInput,
  workflowInput,
} from '../support/seed.ts';
import { grant, newCaller } from '../support/users.ts';

const project = 'dry';
let app: LocalApp;
let projectId: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  projectId = await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'flow', { a: [] });
});
afterAll(() => app.stop());

/** Of each kind: a version that exists, the same with another content, and one that does not exist. */
const kinds = {
  Task: {
    known: taskInput(project, 'double'),
    different: taskInput(project, 'double', { retries: 1 }),
    unknown: taskInput(project, 'new'),
    wrong: taskInput(project, 'wrong', { retries: 11 }),
  },
  Workflow: {
    known: workflowInput(project, 'flow', { a: [] }),
    different: workflowInput(project, 'flow', { a: [], b: [] }),
    unknown: workflowInput(project, 'new', { a: [] }),
    wrong: workflowInput(project, 'wrong', { a: ['b'] }),
  },
  LaunchPlan: {
    known: {
      key: keyOf(project, 'flow'),
      workflow: { key: keyOf(project, 'flow') },
      defaultInputs: { x: 1 },
    },
    different: { key: keyOf(project, 'flow'), workflow: { key: keyOf(project, 'flow') } },
    unknown: { key: keyOf(project, 'new'), workflow: { key: keyOf(project, 'flow') } },
    wrong: {
      key: keyOf(project, 'wrong'),
      workflow: { key: keyOf(project, 'flow') },
      fixedInputs: { no: 1 },
    },
  },
} as const;
const rows = Object.entries(kinds).map(([kind, inputs]) => ({ kind, ...inputs }));

const nounOf = (kind: string) => `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`;
const create = (kind: string, input: object, caller?: string): Promise<Answer> =>
  mutate(app, `create${kind}`, input, `outcome digest ${nounOf(kind)} { id digest }`, caller);
const dry = (kind: string, input: object, caller?: string) =>
  create(kind, { ...input, dryRun: true }, caller);

/** All that a registration could write. */
async function stored(): Promise<unknown> {
  const tables = ['tasks', 'workflows', 'launch_plans', 'named_entities', 'description_entities', 'grants'];
  return await Promise.all(
    tables.map(async (table) => (await pool.query(`select id from ${table}`)).rowCount),
  );
}

describe.each(rows)('a dry run of create$kind', ({ kind, known, different, unknown, wrong }) => {
  it('says NEW, and stores nothing', async () => {
    const before = await stored();
    const answer = await dry(kind, unknown);
    expect(answer).toEqual({
      __typename: `Create${kind}Payload`,
      outcome: 'NEW',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      [nounOf(kind)]: null,
    });
    expect(await stored()).toEqual(before);
    const made = await create(kind, unknown);
    expect(made).toMatchObject({ outcome: 'NEW', digest: answer.digest });
    expect(made[nounOf(kind)].digest).toBe(answer.digest);
    expect(await stored()).not.toEqual(before);
  });

  it('says IDENTICAL, with the version that exists', async () => {
    const { existingId } = await create(kind, known);
    const answer = await dry(kind, known);
    expect(answer).toMatchObject({ outcome: 'IDENTICAL', [nounOf(kind)]: { id: existingId } });
    expect(answer[nounOf(kind)].digest).toBe(answer.digest);
  });

  it('answers a version with another content, and faults, with the errors of a registration', async () => {
    for (const input of [different, wrong]) {
      const answer = await dry(kind, input);
      expect(answer.code).toBe('INVALID_ARGUMENT');
      expect(answer).toEqual(await create(kind, input));
    }
  });

  it('requires the same rights as a registration', async () => {
    const reader = await newCaller({
      role: 'USER',
      grants: [{ type: 'PROJECT', id: projectId, level: 'READ' }],
    });
    expect(await dry(kind, known, reader)).toMatchObject({ refused: 'PERMISSION_DENIED' });
  });
});

describe('a dry run', () => {
  it('does not reveal a hidden version', async () => {
    const { rows: names } = await pool.query(
      "select id from named_entities where name = 'flow' and type = 'WORKFLOW'",
    );
    const editor = await newCaller({
      role: 'USER',
      grants: [{ type: 'PROJECT', id: projectId, level: 'EDIT' }],
    });
    await grant(editor, 'WORKFLOW', names[0].id, 'NO_PERMISSIONS');
    const answer = await askAlike(
      (name) => dry('Workflow', workflowInput(project, name, { a: [] }), editor),
      ['flow', '.flytegen.flow'],
    );
    expect(answer.problems).toMatchObject([{ code: 'NameUnavailable' }]);
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProjectState } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { answerOf } from '../support/mutate.ts';
import { registerProject } from '../support/seed.ts';

const states: Readonly<Record<string, ProjectState>> = {
  active: 'ACTIVE',
  archived: 'ARCHIVED',
  'by-platform': 'SYSTEM_GENERATED',
  'put-away': 'SYSTEM_ARCHIVED',
};
let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const [identifier, state] of Object.entries(states)) {
    const id = await registerProject(app, identifier);
    await db.project.update({ where: { id }, data: { state } });
  }
});
afterAll(() => app.stop());

it.each([
  ['left out', '', ['active', 'by-platform', 'put-away']],
  ['null', '(withArchived: null)', ['active', 'by-platform', 'put-away']],
  ['false', '(withArchived: false)', ['active', 'by-platform', 'put-away']],
  ['true', '(withArchived: true)', ['active', 'archived', 'by-platform', 'put-away']],
])(
  'archived projects are listed and counted only if withArchived is true: %s',
  async (_what, args, shown) => {
    const { data } = await app.ask(`{ projects${args} { totalCount nodes { identifier } } }`);
    expect(data.projects.nodes.map(({ identifier }: Answer) => identifier)).toEqual(shown);
    expect(data.projects.totalCount).toBe(shown.length);
  },
);

it('a project is found by its id and by its identifier, archived or not', async () => {
  const { id } = await db.project.findFirstOrThrow({ where: { identifier: 'archived' } });
  for (const by of [{ id }, { identifier: 'archived' }])
    expect(
      answerOf(await app.ask('query ($by: ProjectByInput!) { project(by: $by) { id state } }', { by })),
    ).toEqual({ id, state: 'ARCHIVED' });
});

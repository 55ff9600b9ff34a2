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

it.each([
  [null, ['active', 'archived', 'by-platform', 'put-away']],
  ['IDENTIFIER', ['active', 'archived', 'by-platform', 'put-away']],
  ['IDENTIFIER_DESCENDING', ['put-away', 'by-platform', 'archived', 'active']],
  ['NAME', ['by-platform', 'active', 'put-away', 'archived']],
  ['NAME_DESCENDING', ['archived', 'put-away', 'active', 'by-platform']],
  ['NEWEST', ['put-away', 'by-platform', 'archived', 'active']],
  ['OLDEST', ['active', 'archived', 'by-platform', 'put-away']],
])('projects are sorted by %s, on one page and on pages of one', async (orderBy, expected) => {
  // Two projects have the same name, and `B` comes before `a`.
  const names = { active: 'a', archived: 'z', 'by-platform': 'B', 'put-away': 'a' };
  for (const [identifier, name] of Object.entries(names))
    await db.project.updateMany({ where: { identifier }, data: { name } });
  const page = async (more: object): Promise<Answer> => {
    const { data, errors } = await app.ask(
      `query ($orderBy: ProjectOrder, $first: Int, $after: String) {
         projects(withArchived: true, orderBy: $orderBy, first: $first, after: $after) {
           nodes { identifier } pageInfo { hasNextPage endCursor } } }`,
      { orderBy, ...more },
    );
    expect(errors).toBeUndefined();
    return data.projects;
  };
  const identifiersOf = ({ nodes }: Answer) => nodes.map(({ identifier }: Answer) => identifier);
  expect(identifiersOf(await page({}))).toEqual(expected);
  const walked: string[] = [];
  for (let after: string | null = null; walked.length < expected.length; ) {
    const { pageInfo, ...rest }: Answer = await page({ first: 1, after });
    walked.push(...identifiersOf(rest));
    expect(pageInfo.hasNextPage).toBe(walked.length < expected.length);
    after = pageInfo.endCursor;
  }
  expect(walked).toEqual(expected);
});

it('a project is found by its id and by its identifier, archived or not', async () => {
  const { id } = await db.project.findFirstOrThrow({ where: { identifier: 'archived' } });
  for (const by of [{ id }, { identifier: 'archived' }])
    expect(
      answerOf(await app.ask('query ($by: ProjectByInput!) { project(by: $by) { id state } }', { by })),
    ).toEqual({ id, state: 'ARCHIVED' });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProjectState } from '../../src/generated/prisma/enums.ts';
import { type NewProject, projectProblems } from '../../src/projects/domain/project-checks.ts';
import { requireOpenProject } from '../../src/projects/open-project.ts';
import { type App, startApp } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
});
afterAll(() => app.stop());

const register = (input: object) =>
  mutate(
    app,
    'registerProject',
    input,
    'project { identifier name description state labels { key value } domains { id name } }',
  );

describe('registerProject', () => {
  it('stores the given fields; the project is active and has all domains', async () => {
    const labels = [{ key: 'team', value: 'vision' }];
    const input = { identifier: 'flights', name: 'Flights', description: 'Where they go', labels };
    const { project } = await register(input);
    const { domains, ...rest } = project;
    expect(rest).toEqual({ ...input, state: 'ACTIVE' });
    expect(domains.map(({ name }: { name: string }) => name)).toEqual([
      'development',
      'staging',
      'production',
    ]);
    const { data } = await app.ask('{ domains { id name } }');
    expect(data.domains).toEqual(domains);
  });

  it.each([
    ['left out', {}],
    ['null', { description: null, labels: null }],
  ])('has an empty description and no labels when they are %s', async (what, more) => {
    const identifier = what.replace(' ', '-');
    const { project } = await register({ identifier, name: 'Plain', ...more });
    expect(project).toMatchObject({ description: '', labels: [] });
  });

  it('reports all problems together', async () => {
    const labels = [{ key: '-', value: 'x' }];
    const description = 'x'.repeat(301);
    expect(await register({ identifier: 'A', name: ' ', description, labels })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      problems: ['identifier', 'name', 'description', 'labels'].map((field) => ({
        path: expect.arrayContaining(['input', field]),
      })),
    });
  });
});

describe('a new project', () => {
  const valid: NewProject = { identifier: 'p', name: 'P', description: '', labels: {} };
  const problems = (given: Partial<NewProject>) =>
    projectProblems({ ...valid, ...given }).map(({ path }) => path.join('.'));

  it.each<[string, Partial<NewProject>]>([
    ['an identifier of 63 characters', { identifier: 'a'.repeat(63) }],
    ['an identifier of one digit', { identifier: '7' }],
    ['a hyphen in the identifier', { identifier: 'a-b' }],
    ['a name of 64 characters', { name: 'x'.repeat(64) }],
    ['a description of 300 characters', { description: 'x'.repeat(300) }],
  ])('may have %s', (_what, given) => {
    expect(problems(given)).toEqual([]);
  });

  it.each<[string, Partial<NewProject>]>([
    ['an identifier of 64 characters', { identifier: 'a'.repeat(64) }],
    ['no identifier', { identifier: '' }],
    ['a hyphen at the end of the identifier', { identifier: 'a-' }],
    ['a capital in the identifier', { identifier: 'Flights' }],
    ['a name of spaces', { name: '  ' }],
    ['a name of 65 characters', { name: 'x'.repeat(65) }],
    ['a description of 301 characters', { description: 'x'.repeat(301) }],
  ])('may not have %s', (_what, given) => {
    expect(problems(given)).toEqual([`input.${Object.keys(given)[0]}`]);
  });
});

describe('a new object in a project', () => {
  const inside = (state: ProjectState, domain: string) => () =>
    requireOpenProject({ identifier: 'p', state }, domain, ['input']);

  it('needs a project that is active', () => {
    expect(inside('ACTIVE', 'staging')).not.toThrow();
    for (const state of ['ARCHIVED', 'SYSTEM_GENERATED', 'SYSTEM_ARCHIVED'] as const)
      expect(inside(state, 'staging')).toThrow('project p is not active');
  });

  it('needs a domain that exists, of which the refusal tells 100 characters', () => {
    expect(inside('ACTIVE', 'x'.repeat(200))).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            message: `domain ${'x'.repeat(100)} does not exist`,
            path: ['input', 'domain'],
          }),
        ],
      }),
    );
  });
});

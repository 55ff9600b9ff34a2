import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';

const project = 'sorted';
let app: App;

/** Each execution: the seconds when it was created, started, ended and last changed. */
const times: Readonly<Record<string, readonly [number, number | null, number | null, number]>> = {
  // Names are compared byte by byte, so a hyphen comes before letters.
  'b-late': [0, 30, 40, 90],
  'b-1': [10, 20, 80, 80],
  ba: [20, null, null, 20],
  'a-open': [30, 40, null, 40],
};

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);
  for (const [name, [created, started, ended, updated]] of Object.entries(times))
    await db.execution.update({
      where: { id: await launch(app, project, 'one', { name }) },
      data: {
        ...{
          createdAt: at(created),
          updatedAt: at(updated),
          phase: ended === null ? 'RUNNING' : 'SUCCEEDED',
        },
        ...{ startedAt: started === null ? null : at(started), endedAt: ended === null ? null : at(ended) },
      },
    });
});
afterAll(() => app.stop());

async function page(orderBy: string, more: object = {}): Promise<Answer> {
  const { data, errors } = await app.ask(
    `query ($filter: ExecutionFilterInput, $orderBy: ExecutionOrder, $first: Int, $after: String) {
       executions(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
         nodes { name } pageInfo { hasNextPage endCursor } } }`,
    { filter: { project, domain }, orderBy, ...more },
  );
  expect(errors).toBeUndefined();
  return data.executions;
}
const namesOf = ({ nodes }: Answer): string[] => nodes.map(({ name }: Answer) => name);

describe('executions', () => {
  it.each([
    ['NEWEST', ['a-open', 'ba', 'b-1', 'b-late']],
    ['OLDEST', ['b-late', 'b-1', 'ba', 'a-open']],
    ['NAME', ['a-open', 'b-1', 'b-late', 'ba']],
    ['NAME_DESCENDING', ['ba', 'b-late', 'b-1', 'a-open']],
    ['STARTED', ['b-1', 'b-late', 'a-open', 'ba']],
    ['STARTED_DESCENDING', ['ba', 'a-open', 'b-late', 'b-1']],
    ['UPDATED', ['ba', 'a-open', 'b-1', 'b-late']],
    ['UPDATED_DESCENDING', ['b-late', 'b-1', 'a-open', 'ba']],
    ['DURATION', ['b-late', 'b-1', 'ba', 'a-open']],
    ['DURATION_DESCENDING', ['a-open', 'ba', 'b-1', 'b-late']],
  ])('are sorted by %s, on one page and on pages of one', async (orderBy, expected) => {
    expect(namesOf(await page(orderBy))).toEqual(expected);
    const walked: string[] = [];
    for (let after: string | null = null; walked.length < expected.length; ) {
      const { pageInfo, ...rest }: Answer = await page(orderBy, { first: 1, after });
      walked.push(...namesOf(rest));
      expect(pageInfo.hasNextPage).toBe(walked.length < expected.length);
      after = pageInfo.endCursor;
    }
    expect(walked).toEqual(expected);
  });

  it('that begin at the same time are each listed once', async () => {
    for (const name of ['twin-a', 'twin-b', 'twin-c'])
      await db.execution.update({
        where: { id: await launch(app, project, 'one', { name, domain: 'staging' }) },
        data: { startedAt: new Date(Date.UTC(2026, 0, 1)) },
      });
    const filter = { project, domain: 'staging' };
    const whole = namesOf(await page('STARTED', { filter }));
    expect(whole.toSorted()).toEqual(['twin-a', 'twin-b', 'twin-c']);
    const first = await page('STARTED', { filter, first: 2 });
    const rest = await page('STARTED', { filter, after: first.pageInfo.endCursor });
    expect([...namesOf(first), ...namesOf(rest)]).toEqual(whole);
  });
});

describe('an order without an index', () => {
  const others = [
    'NAME',
    'NAME_DESCENDING',
    'STARTED',
    'STARTED_DESCENDING',
    'UPDATED',
    'UPDATED_DESCENDING',
    'DURATION',
    'DURATION_DESCENDING',
  ];
  const version = `by: { key: { project: "${project}", domain: "${domain}", name: "one", version: "v1" } }`;
  const inside = [
    ['project', `by: { identifier: "${project}" }`],
    ['workflow', version],
    ['launchPlan', version],
  ] as const;

  async function refusal(field: string): Promise<Answer> {
    const { errors } = await app.ask(`{ ${field} }`);
    expect(errors, field).toHaveLength(1);
    return { message: errors?.[0]?.message, ...errors?.[0]?.extensions };
  }
  const refused = (message: string) => ({ message, code: 'INVALID_ARGUMENT', path: ['orderBy'] });

  it.each(others)('needs a project and a domain: %s', async (orderBy) => {
    const conditions = ['{}', `{ project: "${project}" }`, `{ domain: "${domain}" }`];
    for (const filter of [...conditions, `{ workflow: { ${version.slice('by: { '.length)} }`])
      expect(await refusal(`executions(orderBy: ${orderBy}, filter: ${filter}) { nodes { id } }`)).toEqual(
        refused(`${orderBy} needs a project and a domain in the filter`),
      );
  });

  it('is not given by the conditions of `filters`', async () => {
    const filters = `eq(project, ${project})+eq(domain, ${domain})`;
    expect(await refusal(`executions(orderBy: NAME, filters: "${filters}") { nodes { id } }`)).toEqual(
      refused('NAME needs a project and a domain in the filter'),
    );
  });

  it.each(inside)('needs the same in the list inside of a %s', async (field, by) => {
    const listed = (filter: string) =>
      `${field}(${by}) { executions(orderBy: NAME, filter: ${filter}) { nodes { name } } }`;
    const needed = field === 'project' ? 'a domain' : 'a project and a domain';
    for (const filter of ['{}', `{ project: "${project}" }`])
      expect(await refusal(listed(filter))).toEqual(refused(`NAME needs ${needed} in the filter`));
    const enough =
      field === 'project' ? `{ domain: "${domain}" }` : `{ project: "${project}", domain: "${domain}" }`;
    const { data } = await app.ask(`{ ${listed(enough)} }`);
    expect(namesOf(data[field].executions)).toEqual(['a-open', 'b-1', 'b-late', 'ba']);
  });

  it.each(['NEWEST', 'OLDEST'])('is not %s, which needs neither', async (orderBy) => {
    expect(namesOf(await page(orderBy, { filter: {} }))).toContain('ba');
  });
});

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

  it('of the same name in several domains are each listed once', async () => {
    await launch(app, project, 'one', { name: 'twin' });
    await launch(app, project, 'one', { name: 'twin', domain: 'staging' });
    const filter = { project };
    const whole = namesOf(await page('NAME', { filter }));
    expect(whole.filter((name) => name === 'twin')).toHaveLength(2);
    const first = await page('NAME', { filter, first: 5 });
    const rest = await page('NAME', { filter, after: first.pageInfo.endCursor });
    expect([...namesOf(first), ...namesOf(rest)]).toEqual(whole);
  });
});

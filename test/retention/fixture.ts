import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { ExecutionPhase } from '../../src/generated/prisma/enums.ts';
import { db } from '../../src/platform/database/client.ts';
import { sweepExecutions } from '../../src/retention/commands/sweep-executions.ts';
import { listDuePolicies } from '../../src/retention/store/sweeps.ts';
import { type Answer, type LocalApp, startApp } from '../support/app.ts';
import { endExecution } from '../support/ended.ts';
import { mutate } from '../support/mutate.ts';
import { domain, keyOf, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { newUser, type User } from '../support/users.ts';

const home = 'keeping';
const HOUR = 3_600_000;
/** The stage of the test that runs. */
export let app: LocalApp;
export let manager: User;
export let project: string;
export let projectId: string;

/** Starts a server for the tests of a file. Each test has a project of its own, whose executions are those of the workflow at home. */
export function setStage(): void {
  beforeAll(async () => {
    app = await startApp({ scheduler: false });
    await registerProject(app, home);
    await registerTask(app, home, 'double');
    await registerWorkflow(app, home, 'one', { a: [] });
    manager = await newUser({ role: 'USER', level: 'MANAGE' });
  });
  afterAll(() => app.stop());

  let number = 0;
  beforeEach(async () => {
    number += 1;
    project = `kept-${number}`;
    projectId = await registerProject(app, project);
  });
}

const dueFields = 'due { executions events oldestEndedAt isComplete }';
const policyFields = `domain setBy { id } setAt deletedCount lastSweptAt lastDeletedAt
  rules { keepFor phases labels { key value } archivedOnly }`;
export const update = (rules: readonly object[], more: object = {}, user: User = manager): Promise<Answer> =>
  mutate(
    app,
    'updateRetention',
    { project, domain, rules, ...more },
    `retention { ${policyFields} } ${dueFields}`,
    user.authorization,
  );
export const read = async (user: User = manager, of: string = domain): Promise<Answer> => {
  const answer = await app.ask(
    `query ($project: String!, $domain: String!) {
       retention(project: $project, domain: $domain) { ${policyFields} ${dueFields} } }`,
    { project, domain: of },
    user.authorization,
  );
  return answer.errors?.[0]?.extensions?.code ?? answer.data.retention;
};
export const policyId = async () => (await db.retentionPolicy.findFirstOrThrow({ where: { projectId } })).id;
export const plan = () => ({ launchPlan: { key: keyOf(home, 'one') } });
const start = new Date();
export const ago = (hours: number) => new Date(start.getTime() - hours * HOUR);
export const exists = async (id: string) => (await db.execution.count({ where: { id } })) === 1;

interface Ended {
  readonly phase?: ExecutionPhase;
  readonly labels?: Readonly<Record<string, string>>;
  readonly archived?: boolean;
}

/** An execution in the project of the test that ended so many hours ago. */
export async function ended(
  hours: number,
  { phase = 'FAILED', labels = {}, archived = false }: Ended = {},
): Promise<string> {
  const entries = Object.entries(labels).map(([key, value]) => ({ key, value }));
  const id = await launch(app, project, 'one', { ...plan(), labels: entries });
  await endExecution(id, { phase, at: ago(hours) });
  if (archived) await db.execution.update({ where: { id }, data: { state: 'ARCHIVED' } });
  return id;
}

/** Takes turns until the sweep has come to its end. @returns how many turns it took. */
export async function sweep(): Promise<number> {
  const id = await policyId();
  await db.retentionPolicy.update({ where: { id }, data: { sweepAt: ago(1) } });
  let turns = 0;
  do {
    await sweepExecutions(id);
    turns += 1;
  } while ((await listDuePolicies(100)).includes(id));
  return turns;
}

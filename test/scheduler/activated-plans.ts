/** What the tests of schedules and of triggers have in common: versions that are activated, who does it, and a scheduler that dies. */
import { expect } from 'vitest';
import { pool } from '../../src/platform/database/client.ts';
import { type Answer, type App, basic } from '../support/app.ts';
import { mutate } from '../support/mutate.ts';
import { createUser, password } from '../support/people.ts';
import { holdAnswers } from '../support/statements.ts';
import { eventually } from '../support/waiting.ts';

export const setState = (app: App, id: string, state: string, authorization?: string): Promise<Answer> =>
  mutate(app, 'updateLaunchPlan', { by: { id }, state }, 'launchPlan { id state }', authorization);

/** Sets the state, which must succeed. */
export async function moveTo(app: App, id: string, state: string, authorization?: string): Promise<void> {
  const answer = await setState(app, id, state, authorization);
  expect(answer, JSON.stringify(answer)).toHaveProperty('launchPlan');
}

export const activate = (app: App, id: string, authorization?: string): Promise<void> =>
  moveTo(app, id, 'ACTIVE', authorization);

/** The executions of a version, oldest first. */
export async function executionsOf(launchPlanId: string): Promise<Answer[]> {
  const { rows } = await pool.query(
    `select id, name, mode::text as mode, scheduled_at, source_id as source, principal_id as principal, inputs,
            user_inputs, domain
       from executions where launch_plan_id = $1 order by scheduled_at, created_at, id`,
    [launchPlanId],
  );
  return rows;
}

/** @param field  `grantPermission` or `updatePermission`. */
export const setLevel = (app: App, project: string, field: string, userId: string, level: string) =>
  mutate(app, field, {
    resource: { project: { identifier: project } },
    subject: { user: { id: userId } },
    level,
  });

/** A user with a level on a project, who activates versions. */
export async function activator(
  app: App,
  project: string,
  name: string,
  level: string,
): Promise<{ id: string; authorization: string }> {
  const { user } = await createUser(app, { username: name, password, role: 'USER' });
  const granted = await setLevel(app, project, 'grantPermission', user.id, level);
  expect(granted, JSON.stringify(granted)).toMatchObject({ __typename: 'GrantPermissionPayload' });
  return { id: user.id, authorization: basic(name, password) };
}

/** Runs work that stores an execution, and ends its connection before the transaction is committed. */
export async function dieBeforeCommit(work: () => Promise<unknown>): Promise<void> {
  const held = holdAnswers(/^with execution as \( insert into executions/);
  const dying = work().then(
    () => 'done',
    () => 'died',
  );
  await eventually(
    () => held.held,
    (count) => count === 1,
  );
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction' and query like '%into executions%'`,
  );
  held.release();
  expect(await dying).toBe('died');
  // The pool may still hand the broken connection out.
  await eventually(
    () => pool.query('select 1').catch(() => null),
    (answer) => answer !== null,
  );
}

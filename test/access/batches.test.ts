import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readableSql } from '../../src/authorization/store/readable.ts';
import type { ResourceType } from '../../src/generated/prisma/enums.ts';
import { systemCaller } from '../../src/platform/caller.ts';
import { db, pool } from '../../src/platform/database/client.ts';
import { sql } from '../../src/platform/database/sql.ts';
import { query } from '../../src/platform/database/statement.ts';
import { newId } from '../../src/platform/ids.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { domain, registerProject } from '../support/seed.ts';
import { countStatements } from '../support/statements.ts';
import { homeTenant, newUser, type User } from '../support/users.ts';

/**
 * A user with thousands of grants: the cost of a page must grow neither with their number nor with the length of the
 * page.
 */
const GRANTS = 3400;
const EXECUTIONS = 100;

let app: App;
let tenantId: string;
let rich: User;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  tenantId = await homeTenant();
  rich = await newUser();
  const projectId = await registerProject(app, 'busy');
  await makeExecutions(projectId);
  const projects = Array.from({ length: GRANTS }, (_, index) => ({
    id: newId(),
    tenantId,
    identifier: `p-${String(index).padStart(4, '0')}`,
    name: 'x',
  }));
  await db.project.createMany({ data: projects });
  await grantAll(
    'PROJECT',
    projects.map(({ id }) => id),
  );
  await pool.query('analyze');
});
afterAll(() => app.stop());

/** Every fifth grant has the level NO_PERMISSIONS. */
async function grantAll(resourceType: ResourceType, ids: readonly string[]): Promise<void> {
  await db.grant.createMany({
    data: ids.map((resourceId, index) => ({
      ...{ id: newId(), tenantId, userId: rich.id, resourceType, resourceId },
      level: index % 5 === 4 ? ('NO_PERMISSIONS' as const) : ('READ' as const),
    })),
  });
}

/**
 * Each execution has its own workflow. Half of the workflows are visible to the caller, only by grants on the
 * workflows.
 */
async function makeExecutions(projectId: string): Promise<void> {
  const common = Array.from({ length: EXECUTIONS }, (_, index) => {
    const id = newId();
    return { id, tenantId, projectId, domain, name: `flow-${index}` };
  });
  const version = { version: 'v1', digest: '' };
  await db.namedEntity.createMany({ data: common.map((row) => ({ ...row, type: 'WORKFLOW' as const })) });
  const workflow = { interface: {}, closure: {}, taskIds: {} };
  await db.workflow.createMany({
    data: common.map((row) => ({ ...row, ...version, ...workflow, entityId: row.id })),
  });
  const plan = { spec: {}, expectedInputs: {}, fixedInputs: {}, expectedOutputs: {} };
  await db.launchPlan.createMany({
    data: common.map((row) => ({
      ...{ ...row, ...version, ...plan },
      // Only the grants on the workflow count, so its name serves as that of the launch plan.
      entityId: row.id,
      workflowId: row.id,
      workflowEntityId: row.id,
    })),
  });
  await db.execution.createMany({
    data: common.map((row) => ({
      ...{ ...row, id: newId(), launchPlanId: row.id, workflowId: row.id, workflowEntityId: row.id },
      ...{ principalId: rich.id, queue: 'x', userInputs: {}, inputs: {} },
    })),
  });
  await grantAll(
    'WORKFLOW',
    common.map(({ id }) => id),
  );
}

/** The statements that are sent only for decisions. The filter of a list is part of the list. */
const decisions = (statements: readonly string[]) =>
  statements.filter((text) => /from spoken where resource_id is null/.test(text));

describe('a page of executions with their nested objects', () => {
  const document = `query ($first: Int) {
    executions(filter: { project: "busy", domain: "${domain}" }, first: $first) {
      edges { node { name workflow { id } launchPlan { id } project { id } } }
    }
  }`;
  const ask = (first: number) => app.ask(document, { first }, rich.authorization);

  it('leaves out executions of closed workflows, and answers null for a closed project', async () => {
    const { data, errors } = await ask(1000);
    expect(errors).toBeUndefined();
    expect(data.executions.edges).toHaveLength((EXECUTIONS * 4) / 5);
    for (const { node } of data.executions.edges)
      expect(node).toMatchObject({
        workflow: { id: expect.any(String) },
        launchPlan: { id: expect.any(String) },
        project: null,
      });
  });

  it('takes at most two statements for decisions, and as many statements for 1 row as for 100', async () => {
    await ask(2);
    const one = await countStatements(() => ask(1));
    const many = await countStatements(() => ask(EXECUTIONS));
    expect(many.result.data.executions.edges).toHaveLength((EXECUTIONS * 4) / 5);
    expect(decisions(many.statements).length).toBeLessThanOrEqual(2);
    expect(decisions(one.statements)).toHaveLength(decisions(many.statements).length);
    expect(many.statements).toHaveLength(one.statements.length);
  });
});

describe('a page of projects', () => {
  const ask = (first: number, after: string | null = null) =>
    app.ask(
      `query ($first: Int, $after: String) { projects(first: $first, after: $after) {
         edges { node { identifier } } pageInfo { hasNextPage endCursor } } }`,
      { first, after },
      rich.authorization,
    );

  it(`of ${GRANTS} permissions shows every project that one of them opens`, async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data }: Answer = await ask(1000, after);
      seen.push(...data.projects.edges.map((edge: Answer) => edge.node.identifier));
      after = data.projects.pageInfo.hasNextPage ? data.projects.pageInfo.endCursor : null;
    } while (after);
    const wanted = Array.from({ length: GRANTS }, (_, index) => index)
      .filter((index) => index % 5 !== 4)
      .map((index) => `p-${String(index).padStart(4, '0')}`);
    expect(seen).toEqual(wanted);
  });

  it('takes the same number of statements for 1 row and for 100', async () => {
    await ask(2);
    const one = await countStatements(() => ask(1));
    const many = await countStatements(() => ask(100));
    expect(many.result.data.projects.edges).toHaveLength(100);
    expect(many.statements).toHaveLength(one.statements.length);
    expect(decisions(many.statements)).toEqual([]);
  });

  it('is planned without comparing every project with every permission', async () => {
    const reader = { ...systemCaller(tenantId, rich.id), role: 'USER' as const };
    const readable = readableSql(reader, [{ type: 'PROJECT', column: 'project.id' }]);
    const rows = await query<{ 'QUERY PLAN': string }>(sql`
      explain (analyze, costs off, timing off) ${readable.with}
      select project.id from projects as project ${readable.joins}
       where project.tenant_id = ${tenantId}::uuid and ${readable.condition}
       order by project.identifier collate "C" limit 101`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    // A scan of the grants inside a loop would be repeated for each project.
    const scans = [...plan.matchAll(/CTE Scan on granted granted_0 .*loops=(\d+)/g)];
    expect(scans.map(([, loops]) => loops)).toEqual(['1']);
  });
});

/** The rule of an execution reads it together with the caller's grants, and reveals as little as two statements would. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, startApp } from '../support/app.ts';
import { domain, launch, registerProject, registerTask, registerWorkflow } from '../support/seed.ts';
import { statementsOf } from '../support/statements.ts';
import { newCaller } from '../support/users.ts';

const projects = ['open', 'closed'] as const;
let app: App;
const ids: Record<string, string> = {};
/** May read one project, and not the other one. */
let caller: string;
/** The same by grants to a group. */
let member: string;
/** May read all projects except one. */
let everywhere: string;

beforeAll(async () => {
  app = await startApp({ scheduler: false });
  for (const project of projects) {
    await registerProject(app, project);
    await registerTask(app, project, 'double');
    await registerWorkflow(app, project, 'flow', { a: [] });
    for (const name of ['one', 'two'])
      ids[`${project}-${name}`] = await launch(app, project, 'flow', { name });
    ids[project] = (await db.project.findFirstOrThrow({ where: { identifier: project } })).id;
    ids[`${project}-flow`] = (
      await db.execution.findFirstOrThrow({ where: { projectId: ids[project] } })
    ).workflowEntityId;
  }
  const grant = (type: 'PROJECT' | 'WORKFLOW', level: 'READ' | 'NO_PERMISSIONS', id?: string) => ({
    ...{ type, level },
    ...(id ? { id } : {}),
  });
  caller = await newCaller({ grants: [grant('PROJECT', 'READ', ids['open'])] });
  everywhere = await newCaller({
    grants: [grant('PROJECT', 'READ'), grant('WORKFLOW', 'NO_PERMISSIONS', ids['closed-flow'])],
  });
  member = await memberWithGrant(String(ids['open']));
});
afterAll(() => app.stop());

async function memberWithGrant(resourceId: string): Promise<string> {
  const authorization = await newCaller();
  const user = await db.user.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
  const { tenantId } = user;
  const group = await db.group.create({ data: { tenantId, name: 'readers', nameKey: 'readers' } });
  await db.groupMember.create({ data: { tenantId, groupId: group.id, userId: user.id } });
  await db.grant.create({
    data: { tenantId, groupId: group.id, resourceType: 'PROJECT', resourceId, level: 'READ' },
  });
  return authorization;
}

const callers = { caller: () => caller, member: () => member, everywhere: () => everywhere };
const key = (project: string, name = 'one') => ({ key: { project, domain, name } });
const document = 'query ($by: ExecutionByInput!) { execution(by: $by) { name } }';

describe('the lookup of an execution', () => {
  it.each(Object.keys(callers))('takes one statement for somebody who may read it: %s', async (name) => {
    const authorization = callers[name as keyof typeof callers]();
    for (const by of [{ id: ids['open-one'] }, key('open')]) {
      await app.ask(document, { by }, authorization);
      const { result, statements } = await statementsOf(() => app.ask(document, { by }, authorization));
      expect(result.data).toEqual({ execution: { name: 'one' } });
      expect(statements).toHaveLength(1);
    }
  });

  it('takes one statement for two executions, and one for the grants on both', async () => {
    const both = `query ($a: ID!, $b: ID!) { a: execution(by: { id: $a }) { name } b: execution(by: { id: $b }) { name } }`;
    const variables = { a: ids['open-one'], b: ids['open-two'] };
    await app.ask(both, variables, caller);
    const { result, statements } = await statementsOf(() => app.ask(both, variables, caller));
    expect(result.data).toEqual({ a: { name: 'one' }, b: { name: 'two' } });
    expect(statements).toHaveLength(2);
  });
});

const lookups = {
  execution: document,
  nodeExecutions: 'query ($by: ExecutionByInput!) { nodeExecutions(by: $by) { nodes { id } } }',
  signals: 'query ($by: ExecutionByInput!) { signals(by: $by) { nodes { signalId } } }',
  'execution beside one that may be read': `query ($by: ExecutionByInput!) {
    execution(by: $by) { name } open: execution(by: { key: { project: "open", domain: "${domain}", name: "one" } }) { name } }`,
};

describe.each(Object.entries(lookups))('%s', (_name, query) => {
  it.each(Object.keys(callers))(
    'answers as if a hidden execution did not exist, after the same statements: %s',
    async (name) => {
      const authorization = callers[name as keyof typeof callers]();
      const ask = async (by: object, named: string) => {
        await app.ask(query, { by }, authorization);
        const { result, statements } = await statementsOf(() => app.ask(query, { by }, authorization));
        const { data, errors } = JSON.parse(JSON.stringify(result).replaceAll(named, 'it'));
        return { data, errors, statements };
      };
      const absent = newId();
      const hidden = await ask({ id: ids['closed-one'] }, String(ids['closed-one']));
      expect(hidden.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      expect(await ask({ id: absent }, absent)).toEqual(hidden);
      const byKey = await ask(key('closed'), 'closed');
      expect(byKey.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      expect(await ask(key('open', 'absent'), 'open')).toMatchObject({ statements: byKey.statements });
      expect(await ask(key('absent'), 'absent')).toEqual(byKey);
    },
  );
});

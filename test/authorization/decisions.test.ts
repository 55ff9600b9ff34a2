import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Level, Role } from '../../src/generated/prisma/enums.ts';
import { hashSecret, newAccessKey, newSecretKey } from '../../src/identity/domain/secrets.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { type App, basic, startApp } from '../support/app.ts';
import {
  createExecution,
  domain,
  keyOf,
  launch,
  registerProject,
  registerTask,
  registerWorkflow,
} from '../support/seed.ts';
import { changeUser } from '../support/users.ts';

const project = 'closed';
let app: App;
let execution: string;
let home: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  await registerProject(app, project);
  await registerTask(app, project, 'double');
  await registerWorkflow(app, project, 'one', { a: [] });
  execution = await launch(app, project, 'one', { name: 'there' });
  home = (await db.tenant.findFirstOrThrow()).id;
});
afterAll(() => app.stop());

let users = 0;
/** A user with an access key. @returns its Authorization header. */
async function user(
  role: Role,
  defaultLevel: Level | null,
  { tenantId = home, scopes = [] as string[] } = {},
) {
  const [id, accessKey, secret] = [newId(), newAccessKey(), newSecretKey()];
  const username = `user-${++users}`;
  await db.user.create({
    data: { id, tenantId, username, usernameKey: username, name: username, role, defaultLevel },
  });
  const secretHash = new Uint8Array(hashSecret(secret));
  await db.credential.create({
    data: {
      id: newId(),
      tenantId,
      userId: id,
      accessKey,
      secretHash,
      ...(scopes.length > 0 ? { scopes } : {}),
    },
  });
  return basic(accessKey, secret);
}

const codeOf = async (document: string, variables: object, authorization: string) => {
  const { errors, data } = await app.ask(document, variables, authorization);
  if (errors) return errors[0]?.extensions.code;
  const [answer] = Object.values(data as object);
  return (answer as { code?: string } | null)?.code ?? 'OK';
};

const reads: [string, string, () => object][] = [
  [
    'execution',
    'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
    () => ({ by: { id: execution } }),
  ],
  [
    'execution by key',
    'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
    () => ({ by: { key: { project, domain, name: 'there' } } }),
  ],
  [
    'project',
    'query ($by: ProjectByInput!) { project(by: $by) { id } }',
    () => ({ by: { identifier: project } }),
  ],
  [
    'task',
    'query ($by: TaskByInput!) { task(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'double') } }),
  ],
  [
    'workflow',
    'query ($by: WorkflowByInput!) { workflow(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'one') } }),
  ],
  [
    'launchPlan',
    'query ($by: LaunchPlanByInput!) { launchPlan(by: $by) { id } }',
    () => ({ by: { key: keyOf(project, 'one') } }),
  ],
  [
    'executions',
    `query { executions(filter: { project: "${project}", domain: "${domain}" }) { edges { cursor } } }`,
    () => ({}),
  ],
  [
    'nodeExecutions',
    'query ($by: ExecutionByInput!) { nodeExecutions(by: $by) { edges { cursor } } }',
    () => ({ by: { id: execution } }),
  ],
];

describe('reading', () => {
  it.each(reads)(
    '%s is for those with READ; to all others it looks absent',
    async (_name, document, variables) => {
      const outsider = await db.tenant.create({
        data: { id: newId(), name: `tenant-${++users}`, nameKey: `tenant-${users}` },
      });
      expect(await codeOf(document, variables(), await user('USER', 'READ'))).toBe('OK');
      expect(await codeOf(document, variables(), await user('GUEST', 'MANAGE'))).toBe('OK');
      for (const authorization of [
        await user('USER', null),
        await user('USER', 'NO_PERMISSIONS'),
        await user('ADMIN', 'MANAGE', { tenantId: outsider.id }),
        await user('SYSTEM', 'MANAGE', { tenantId: outsider.id }),
      ])
        expect(await codeOf(document, variables(), authorization)).toBe('NOT_FOUND');
    },
  );

  it('answers hidden and absent alike, word for word', async () => {
    const authorization = await user('USER', null);
    const ask = (name: string) =>
      app.ask(
        'query ($by: ExecutionByInput!) { execution(by: $by) { id } }',
        { by: { key: { project, domain, name } } },
        authorization,
      );
    const [hidden, absent] = [await ask('there'), await ask('ghost')];
    const plain = (answer: typeof hidden) => JSON.stringify(answer).replaceAll(/there|ghost/g, 'x');
    expect(plain(hidden)).toBe(plain(absent));
  });

  it('leaves what is hidden out of lists', async () => {
    const list = 'query { projects { edges { node { identifier } } } queues { edges { node { name } } } }';
    const hidden = await app.ask(list, {}, await user('USER', null));
    expect(hidden.data).toEqual({ projects: { edges: [] }, queues: { edges: [] } });
    const shown = await app.ask(list, {}, await user('USER', 'READ'));
    expect(shown.data.projects.edges).toEqual([{ node: { identifier: project } }]);
  });
});

describe('changing', () => {
  it.each<[Role, Level, string]>([
    ['USER', 'READ', 'PERMISSION_DENIED'],
    ['USER', 'USE', 'OK'],
    ['GUEST', 'MANAGE', 'PERMISSION_DENIED'],
    ['ANNOTATOR', 'MANAGE', 'OK'],
    ['USER', 'NO_PERMISSIONS', 'NOT_FOUND'],
  ])('createExecution by %s with %s is %s', async (role, level, expected) => {
    const authorization = await user(role, level);
    const answer = await createExecution(
      app,
      { project, domain, launchPlan: { key: keyOf(project, 'one') } },
      authorization,
    );
    expect(answer.errors?.[0].extensions.code ?? 'OK').toBe(expected);
  });

  it.each<[Role, string]>([
    ['USER', 'PERMISSION_DENIED'],
    ['SUPERUSER', 'OK'],
  ])('registerProject by %s is %s', async (role, expected) => {
    const input = { identifier: `by-${role.toLowerCase()}`, name: 'x' };
    const document =
      'mutation ($input: RegisterProjectInput!) { registerProject(input: $input) { __typename } }';
    expect(await codeOf(document, { input }, await user(role, 'MANAGE'))).toBe(expected);
  });
});

describe('a credential with scopes', () => {
  it('may do what they name and nothing else, and still ask who it is', async () => {
    const authorization = await user('USER', 'MANAGE', { scopes: ['execution:read'] });
    const [, document, variables] = reads[0] ?? ['', '', () => ({})];
    expect(await codeOf(document, variables(), authorization)).toBe('OK');
    expect(await codeOf(reads[2]?.[1] ?? '', { by: { identifier: project } }, authorization)).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf('{ viewer { id } }', {}, authorization)).toBe('OK');
  });

  it('makes no executor of somebody who is none', async () => {
    const lease =
      'mutation { leaseJobs(input: { executor: "x", knownRuns: [], maxJobs: 0 }) { __typename } }';
    expect(await codeOf(lease, {}, await user('USER', 'MANAGE', { scopes: ['executor'] }))).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf(lease, {}, await user('SYSTEM', null))).toBe('PERMISSION_DENIED');
    expect(await codeOf(lease, {}, app.executor)).toBe('OK');
  });
});

describe('a token', () => {
  it('is dead once its user is disabled, changed, or its credential is revoked', async () => {
    const viewer = '{ viewer { id } }';
    const tokenOf = async (authorization: string) => {
      const { data } = await app.ask(
        'mutation { login { ... on LoginPayload { token } } }',
        {},
        authorization,
      );
      return `Bearer ${data.login.token}`;
    };
    const last = () => `user-${users}`;
    const disabled = await tokenOf(await user('USER', null));
    expect(await codeOf(viewer, {}, disabled)).toBe('OK');
    await changeUser(last(), { disabledAt: new Date() });
    expect(await codeOf(viewer, {}, disabled)).toBe('UNAUTHENTICATED');
    const changed = await tokenOf(await user('USER', null));
    await changeUser(last(), { version: { increment: 1 } });
    expect(await codeOf(viewer, {}, changed)).toBe('UNAUTHENTICATED');
    const revoked = await tokenOf(await user('USER', null));
    await changeUser(last(), { credentials: { updateMany: { where: {}, data: { revokedAt: new Date() } } } });
    expect(await codeOf(viewer, {}, revoked)).toBe('UNAUTHENTICATED');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionOn, isAllowed } from '../../src/authorization/can.ts';
import { type ResourceColumn, readableSql } from '../../src/authorization/store/readable.ts';
import { listExecutions } from '../../src/executions/store/lists.ts';
import type { Level, Role } from '../../src/generated/prisma/enums.ts';
import { listQueues } from '../../src/jobs/store/queues.ts';
import { type Caller, systemCaller } from '../../src/platform/caller.ts';
import { raw, sql } from '../../src/platform/database/sql.ts';
import { query } from '../../src/platform/database/statement.ts';
import { listProjects } from '../../src/projects/store.ts';
import { listLaunchPlans, listWorkflows } from '../../src/registry/store/version-lists.ts';
import { findPrincipal, plainSignIn } from '../../src/sign-in/principals.ts';
import {
  arbitraryWorld,
  describedAs,
  domain,
  type Kind,
  type Name,
  names,
  resourceOf,
  type Stored,
  store,
  targetOf,
  type World,
} from './world.ts';

/**
 * Three answers to the question 'what may this user do with that object', for every pair in random worlds: the SQL
 * filter of the lists, the batched check of single objects, and the simple model below, which is written from ACCESS.md
 * and shares no code with the other two. They must never differ.
 */

const rank: Record<Level, number> = { NO_PERMISSIONS: 0, READ: 1, USE: 2, EDIT: 3, MANAGE: 4 };
const ceiling: Partial<Record<Role, Level>> = { ANNOTATOR: 'USE', GUEST: 'READ' };
const isLower = (one: Level, other: Level) => rank[one] < rank[other];

function modelLevel(world: World, user: number, object: Name): Level {
  const level = beforeLimits(world, user, object);
  const most = ceiling[world.users[user]?.role ?? 'GUEST'];
  const capped = most && isLower(most, level) ? most : level;
  const confinedTo = world.signIns[user]?.confinedTo;
  return !confinedTo || chainOf(object).some((one) => confinedTo.includes(one)) ? capped : 'NO_PERMISSIONS';
}

/** The resources whose grants decide about an object, nearest first. An execution has no grants of its own. */
function chainOf(object: Name): Name[] {
  const chain: Name[] = [];
  for (let at: Name | null = object; at; at = describedAs[at].in) chain.push(at);
  return chain.filter((one) => describedAs[one].kind !== 'execution');
}

function beforeLimits(world: World, user: number, object: Name): Level {
  const { role, defaultLevel } = world.users[user] as World['users'][number];
  if (world.public.includes(object)) return 'READ';
  if (!describedAs[object].home && role !== 'ROOT') return 'NO_PERMISSIONS';
  if (['ROOT', 'SYSTEM', 'ADMIN'].includes(role)) return 'MANAGE';
  const chain = chainOf(object);
  for (const place of [...chain, ...chain.map((one) => wildcard[describedAs[one].kind]), 'TENANT']) {
    const here = world.grants.filter((grant) => grant.on === place && !grant.stray);
    const own = here.find(({ subject }) => 'user' in subject && subject.user === user);
    if (own) return own.level;
    const ofGroups = here.filter(({ subject }) => 'group' in subject && isIn(world, user, subject.group));
    if (ofGroups.length > 0)
      return ofGroups.map((grant) => grant.level).reduce((one, other) => (isLower(one, other) ? other : one));
  }
  return defaultLevel ?? world.tenantDefault ?? 'NO_PERMISSIONS';
}

const wildcard: Record<Kind, string> = {
  project: 'PROJECT',
  experiment: 'EXPERIMENT',
  model: 'REGISTERED_MODEL',
  workflow: 'WORKFLOW',
  queue: 'QUEUE',
  execution: 'nothing',
};

function isIn(world: World, user: number, group: number): boolean {
  // Group 3 belongs to another tenant. A token may name it, but it has no effect.
  if (group === 3) return false;
  if (group === 0) return true;
  const isMember = world.members.some(([member, of]) => member === user && of === group);
  return isMember || (world.signIns[user]?.tokenGroups.includes(group) ?? false);
}

async function callerOf(world: World, stored: Stored, user: number): Promise<Caller> {
  const principal = await findPrincipal(plainSignIn(stored.users[user] ?? ''));
  const signIn = world.signIns[user];
  if (!principal || !signIn) throw new Error('no such user');
  return {
    ...systemCaller(stored.home, principal.userId),
    ...principal,
    groupIds: signIn.tokenGroups.map((group) => stored.groups[group] ?? ''),
    confinedTo: signIn.confinedTo?.map((name) => resourceOf(name, stored)) ?? null,
  };
}

const page = { limit: 1000, backward: false, from: null };

/** What the lists show to the caller: the lists of the API if they exist, otherwise the filter on the table itself. */
async function listed(caller: Caller, { home, ids }: Stored): Promise<string[]> {
  const filter = {
    ...{ domain, phases: null, withArchived: true, orderBy: 'NEWEST' as const },
    ...{ workflowId: null, launchPlanId: null, principalId: null, createdAfter: null, createdBefore: null },
  };
  const inProject = (type: ResourceColumn['type']): ResourceColumn[] => [
    { type, column: 'object.id' },
    { type: 'PROJECT', column: 'object.project_id' },
  ];
  const answers = await Promise.all([
    listProjects(caller, { withArchived: true, filters: [] }, page),
    listQueues(caller, page),
    listExecutions(caller, { ...filter, projectId: ids.alpha }, page),
    listExecutions(caller, { ...filter, projectId: ids.beta }, page),
    filtered(caller, 'experiments', inProject('EXPERIMENT'), 'object.public_at is not null'),
    filtered(caller, 'registered_models', inProject('REGISTERED_MODEL'), 'object.public_at is not null'),
    ...['alpha', 'beta'].map((project) => listedWorkflows(caller, project)),
  ]);
  expect(caller.tenantId).toBe(home);
  return answers.flat().map(({ id }) => id);
}

/** By the names of the listed objects. The launch plans of a workflow are visible if the workflow is. */
async function listedWorkflows(caller: Caller, project: string) {
  const workflows = await listWorkflows(caller, { project, domain }, page);
  const plans = await listLaunchPlans(caller, { project, domain }, page);
  expect(plans.map((plan) => plan.workflowEntityId)).toEqual(workflows.map(({ entityId }) => entityId));
  return workflows.map(({ entityId }) => ({ id: entityId }));
}

async function filtered(caller: Caller, table: string, columns: ResourceColumn[], isPublic?: string) {
  const readable = readableSql(caller, columns, isPublic);
  return await query<{ id: string }>(sql`
    ${readable.with} select object.id from ${raw(table)} as object ${readable.joins}
     where object.tenant_id = ${caller.tenantId}::uuid and ${readable.condition}`);
}

/** All differences, as text for people. */
async function differences(world: World, seen: Set<string>): Promise<string[]> {
  const stored = await store(world);
  const found: string[] = [];
  for (const user of world.users.keys()) {
    const caller = await callerOf(world, stored, user);
    const shown = new Set(await listed(caller, stored));
    const checks = names.map(async (name) => {
      const target = targetOf(name, world, stored);
      const wanted = modelLevel(world, user, name);
      const { level, decidedBy } = await decisionOn(caller, target);
      const find = { target: async () => target };
      const isReadable = await isAllowed(caller, 'experiment:read', find);
      seen.add(decidedBy).add(level);
      if (level !== wanted) found.push(`user ${user} on ${name}: checked ${level}, model ${wanted}`);
      if (isReadable !== (wanted !== 'NO_PERMISSIONS'))
        found.push(`user ${user} reads ${name}: ${isReadable}`);
      if (describedAs[name].home && shown.has(stored.ids[name]) !== (wanted !== 'NO_PERMISSIONS'))
        found.push(`user ${user} on ${name}: listed ${shown.has(stored.ids[name])}, model ${wanted}`);
      if (!describedAs[name].home && shown.has(stored.ids[name])) found.push(`user ${user} lists ${name}`);
    });
    await Promise.all(checks);
  }
  return found;
}

const isSoak = Boolean(process.env['SOAK']);

describe('the filter of lists, the batched check and the plain model', () => {
  it(
    'agree for every caller and every object',
    async () => {
      const seen = new Set<string>();
      await fc.assert(
        fc.asyncProperty(arbitraryWorld, async (world) => {
          expect(await differences(world, seen)).toEqual([]);
        }),
        isSoak ? { numRuns: 300 } : { numRuns: 30, seed: 20_261_122 },
      );
      // If nothing was decided in these worlds, the three would agree too.
      expect([...seen].sort()).toEqual(
        [
          ...['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'],
          ...['GROUP_GRANT', 'OTHER_TENANT', 'PUBLIC', 'ROLE', 'SERVER_DEFAULT', 'TENANT_DEFAULT'],
          ...['USER_DEFAULT', 'USER_GRANT'],
        ].sort(),
      );
    }, // Leaves time for shrinking if the test fails.
    isSoak ? 900_000 : 180_000,
  );
});

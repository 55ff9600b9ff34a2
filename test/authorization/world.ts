import fc from 'fast-check';
import type { Target } from '../../src/authorization/domain/resources.ts';
import { executionTarget } from '../../src/executions/domain/targets.ts';
import type { Level, ResourceType, Role } from '../../src/generated/prisma/enums.ts';
import { queueTarget } from '../../src/jobs/domain/targets.ts';
import { db } from '../../src/platform/database/client.ts';
import { newId } from '../../src/platform/ids.ts';
import { projectTarget } from '../../src/projects/domain/targets.ts';
import { workflowTarget } from '../../src/registry/domain/targets.ts';
import { experimentTarget } from '../../src/tracking/domain/experiment-targets.ts';
import { registeredModelTarget } from '../../src/tracking/domain/model-targets.ts';

/** A random small world of two tenants, written directly into the tables, to compare the three answers. */

export const domain = 'development';
const levels: readonly Level[] = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];
const roles: readonly Role[] = ['ROOT', 'SYSTEM', 'ADMIN', 'SUPERUSER', 'USER', 'ANNOTATOR', 'GUEST'];
/** Roles that do not manage the tenant are more frequent, because for the others grants do not matter. */
const role = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Role>('USER', 'SUPERUSER', 'ANNOTATOR', 'GUEST') },
  { weight: 1, arbitrary: fc.constantFrom(...roles) },
);
const level = fc.constantFrom(...levels);

export type Kind = 'project' | 'experiment' | 'model' | 'workflow' | 'execution' | 'queue';

/** All objects: their tenant, and the object that contains them. */
const objects = {
  alpha: { kind: 'project', home: true, in: null },
  beta: { kind: 'project', home: true, in: null },
  gamma: { kind: 'project', home: false, in: null },
  experimentA: { kind: 'experiment', home: true, in: 'alpha' },
  experimentB: { kind: 'experiment', home: true, in: 'alpha' },
  experimentC: { kind: 'experiment', home: true, in: 'beta' },
  experimentAway: { kind: 'experiment', home: false, in: 'gamma' },
  modelA: { kind: 'model', home: true, in: 'alpha' },
  modelB: { kind: 'model', home: true, in: 'beta' },
  modelAway: { kind: 'model', home: false, in: 'gamma' },
  workflowA: { kind: 'workflow', home: true, in: 'alpha' },
  workflowB: { kind: 'workflow', home: true, in: 'beta' },
  workflowAway: { kind: 'workflow', home: false, in: 'gamma' },
  executionA: { kind: 'execution', home: true, in: 'workflowA' },
  executionB: { kind: 'execution', home: true, in: 'workflowB' },
  executionAway: { kind: 'execution', home: false, in: 'workflowAway' },
  queueA: { kind: 'queue', home: true, in: 'alpha' },
  queueFree: { kind: 'queue', home: true, in: null },
  queueAway: { kind: 'queue', home: false, in: null },
} as const satisfies Record<string, { kind: Kind; home: boolean; in: string | null }>;

export type Name = keyof typeof objects;
export const names = Object.keys(objects) as Name[];
export const describedAs: Readonly<Record<Name, { kind: Kind; home: boolean; in: Name | null }>> = objects;

/** The types of resource with grants. */
const typeOf: Readonly<Record<Exclude<Kind, 'execution'>, ResourceType>> = {
  project: 'PROJECT',
  experiment: 'EXPERIMENT',
  model: 'REGISTERED_MODEL',
  workflow: 'WORKFLOW',
  queue: 'QUEUE',
};
const grantable = names.filter((name) => objects[name].kind !== 'execution');
const wildcards = Object.values(typeOf);
const canBePublic = names.filter((name) => ['experiment', 'model'].includes(objects[name].kind));

const USERS = 4;
/** 0: all users of the first tenant; 1 and 2: groups of the first tenant; 3: a group of the other tenant. */
const GROUPS = 4;

export const arbitraryWorld = fc.record({
  tenantDefault: fc.option(level),
  users: fc.array(fc.record({ role, defaultLevel: fc.option(level) }), {
    minLength: USERS,
    maxLength: USERS,
  }),
  /** Pairs of user and group. */
  members: fc.uniqueArray(fc.tuple(fc.nat(USERS - 1), fc.integer({ min: 1, max: 2 })), {
    selector: (pair) => pair.join(),
    maxLength: 6,
  }),
  grants: fc.uniqueArray(
    fc.record({
      subject: fc.oneof(fc.record({ user: fc.nat(USERS - 1) }), fc.record({ group: fc.nat(GROUPS - 1) })),
      on: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...grantable) },
        { weight: 1, arbitrary: fc.constantFrom<ResourceType>(...wildcards, 'TENANT') },
      ),
      level,
      /** A row with the wrong tenant: it must have no effect here. */
      stray: fc.nat(7).map((value) => value === 0),
    }),
    {
      selector: ({ subject, on, stray }) => JSON.stringify([subject, on, stray]),
      minLength: 4,
      maxLength: 30,
    },
  ),
  /** How each user signs in. */
  signIns: fc.array(
    fc.record({
      tokenGroups: fc.uniqueArray(fc.integer({ min: 1, max: GROUPS - 1 })),
      confinedTo: fc.option(fc.uniqueArray(fc.constantFrom(...grantable), { maxLength: 4 }), { freq: 2 }),
    }),
    { minLength: USERS, maxLength: USERS },
  ),
  public: fc.subarray(canBePublic),
});

export type World = typeof arbitraryWorld extends fc.Arbitrary<infer T> ? T : never;

/** The ids of a world in the database. */
export interface Stored {
  readonly home: string;
  readonly away: string;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly ids: Readonly<Record<Name, string>>;
}

export const resourceOf = (name: Name, { ids }: Stored) => {
  const { kind } = describedAs[name];
  if (kind === 'execution') throw new Error('no row is about an execution');
  return { type: typeOf[kind], id: ids[name] };
};

export async function store(world: World): Promise<Stored> {
  const [home, away] = [newId(), newId()];
  const ids = Object.fromEntries(names.map((name) => [name, newId()])) as Record<Name, string>;
  const users = world.users.map(() => newId());
  const groups = Array.from({ length: GROUPS }, () => newId());
  const stored = { home, away, users, groups, ids };
  await db.tenant.createMany({
    data: [
      { id: home, name: home, nameKey: home, defaultLevel: world.tenantDefault },
      { id: away, name: away, nameKey: away, defaultLevel: 'MANAGE' },
    ],
  });
  await db.user.createMany({
    data: world.users.map((user, at) => {
      const id = users[at] ?? '';
      return { id, tenantId: home, username: id, usernameKey: id, name: id, ...user };
    }),
  });
  await db.group.createMany({
    data: groups.map((id, at) => ({
      id,
      tenantId: at === 3 ? away : home,
      name: id,
      nameKey: id,
      isEveryone: at === 0,
    })),
  });
  await db.groupMember.createMany({
    data: world.members.map(([user, group]) => ({
      tenantId: home,
      userId: users[user] ?? '',
      groupId: groups[group] ?? '',
    })),
  });
  await storeObjects(world, stored);
  await db.grant.createMany({
    data: world.grants.map(({ subject, on, level: granted, stray }) => ({
      id: newId(),
      tenantId: stray ? away : home,
      userId: 'user' in subject ? (users[subject.user] ?? '') : null,
      groupId: 'group' in subject ? (groups[subject.group] ?? '') : null,
      ...(on in objects
        ? { resourceType: resourceOf(on as Name, stored).type, resourceId: ids[on as Name] }
        : { resourceType: on as ResourceType, resourceId: null }),
      level: granted,
    })),
  });
  return stored;
}

async function storeObjects(world: World, { home, away, users, ids }: Stored): Promise<void> {
  const rows = (kind: Kind) =>
    names
      .filter((name) => objects[name].kind === kind)
      .map((name) => {
        const parent = describedAs[name].in;
        const parentId = parent && ids[parent];
        const publicAt = world.public.includes(name) ? new Date() : null;
        return {
          name,
          id: ids[name],
          tenantId: objects[name].home ? home : away,
          parent,
          parentId,
          publicAt,
        };
      });
  await db.project.createMany({
    data: rows('project').map(({ id, tenantId, name }) => ({ id, tenantId, identifier: name, name })),
  });
  const inProject = ({ id, tenantId, name, parentId, publicAt }: ReturnType<typeof rows>[number]) => ({
    ...{ id, tenantId, name, publicAt },
    projectId: parentId ?? '',
    createdById: newId(),
  });
  await db.experiment.createMany({ data: rows('experiment').map(inProject) });
  await db.registeredModel.createMany({ data: rows('model').map(inProject) });
  await db.namedEntity.createMany({
    data: rows('workflow').map(({ id, tenantId, name, parentId }) => ({
      ...{ id, tenantId, domain, name, type: 'WORKFLOW' as const },
      projectId: parentId ?? '',
    })),
  });
  await db.queue.createMany({
    data: rows('queue').map(({ id, tenantId, name, parentId }) => ({
      id,
      tenantId,
      name,
      projectId: parentId,
    })),
  });
  await storeExecutions(rows('workflow'), rows('execution'), ids, users[0] ?? '');
}

interface Row {
  readonly name: Name;
  readonly id: string;
  readonly tenantId: string;
  readonly parent: Name | null;
  readonly parentId: string | null;
}

/** One version of each workflow, with a launch plan of the same id, and their executions. */
async function storeExecutions(
  workflows: readonly Row[],
  executions: readonly Row[],
  ids: Stored['ids'],
  principalId: string,
): Promise<void> {
  const versions = new Map(workflows.map(({ name }) => [name, newId()]));
  const common = ({ name, tenantId, parentId }: Row) => ({
    ...{ id: versions.get(name) ?? '', tenantId, domain, name, version: 'v1', digest: '' },
    projectId: parentId ?? '',
  });
  await db.workflow.createMany({
    data: workflows.map((row) => ({
      ...common(row),
      entityId: row.id,
      interface: {},
      closure: {},
      taskIds: {},
    })),
  });
  await db.launchPlan.createMany({
    data: workflows.map((row) => ({
      ...common(row),
      workflowId: versions.get(row.name) ?? '',
      entityId: row.id,
      workflowEntityId: row.id,
      spec: {},
      expectedInputs: {},
      fixedInputs: {},
      expectedOutputs: {},
    })),
  });
  await db.execution.createMany({
    data: executions.map(({ id, tenantId, name, parent, parentId }) => ({
      ...{ id, tenantId, domain, name: name.toLowerCase(), principalId },
      projectId: ids[describedAs[parent as Name].in as Name],
      workflowEntityId: parentId ?? '',
      workflowId: versions.get(parent as Name) ?? '',
      launchPlanId: versions.get(parent as Name) ?? '',
      queue: 'x',
      userInputs: {},
      inputs: {},
    })),
  });
}

/** The target of each object, from the target functions of the capabilities. */
export function targetOf(name: Name, world: World, { home, away, ids }: Stored): Target {
  const { kind, home: isHome, in: parent } = describedAs[name];
  const tenantId = isHome ? home : away;
  const id = ids[name];
  const projectId = parent === null ? '' : ids[parent];
  const publicAt = world.public.includes(name) ? new Date() : null;
  switch (kind) {
    case 'project':
      return projectTarget({ id, tenantId });
    case 'experiment':
      return experimentTarget({ id, tenantId, projectId, publicAt });
    case 'model':
      return registeredModelTarget({ id, tenantId, projectId, publicAt });
    case 'workflow':
      return workflowTarget({ tenantId, projectId, entityId: id });
    case 'execution':
      return executionTarget({
        tenantId,
        projectId: ids[describedAs[parent as Name].in as Name],
        workflowEntityId: projectId,
      });
    case 'queue':
      return queueTarget({ id, tenantId, projectId: parent && ids[parent] });
  }
}

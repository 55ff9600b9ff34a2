/** Every change of who may do what is in the audit log, with what it was before and after, and every server hears of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { db } from '../../src/platform/database/client.ts';
import { type Answer, type App, startApp } from '../support/app.ts';
import { make, mutate } from '../support/mutate.ts';
import { newCaller, newTenant, newUser, type User } from '../support/users.ts';

let app: App;
let root: string;
beforeAll(async () => {
  app = await startApp({ scheduler: false });
  root = await newCaller({ role: 'ROOT' });
});
afterAll(() => app.stop());

let made = 0;
const newName = () => `audited-${++made}`;
const person = (input: object = {}) => make(app, 'createUser', { username: newName(), ...input }, 'user');
const team = (input: object = {}) => make(app, 'createGroup', { name: newName(), ...input }, 'group');
const settings = { kind: 'PERSON', role: 'USER' } as const;

interface Change {
  readonly field: string;
  /** Prepares what is changed. @returns the input, and what the log says. */
  readonly given: () => Promise<{ input: object; before: object | null; after: object | null; id?: string }>;
  readonly action: string;
  readonly noun: 'user' | 'group' | 'tenant';
}

const changes: readonly Change[] = [
  {
    field: 'createUser',
    action: 'user:create',
    noun: 'user',
    given: async () => {
      const username = newName();
      const input = { username, email: `${username}@Example.com`, defaultLevel: 'READ', role: 'SUPERUSER' };
      return { input, before: null, after: { ...input, kind: 'PERSON', hasPassword: false } };
    },
  },
  {
    field: 'editUser',
    action: 'user:update',
    noun: 'user',
    given: async () => {
      const [before, after] = [newName(), newName()];
      const id = await person({ username: before, email: `${before}@example.com`, name: 'Same' });
      const input = { username: after, email: `${after}@example.com`, name: 'Same', defaultLevel: 'USE' };
      return {
        ...{ id, input: { by: { id }, ...input } },
        before: { username: before, email: `${before}@example.com`, defaultLevel: null },
        after: { username: after, email: `${after}@example.com`, defaultLevel: 'USE' },
      };
    },
  },
  {
    field: 'deleteUser',
    action: 'user:delete',
    noun: 'user',
    given: async () => {
      const username = newName();
      const email = `${username}@example.com`;
      const id = await person({ username, email });
      return { id, input: { by: { id } }, before: { username, email, ...settings }, after: null };
    },
  },
  {
    field: 'createTenant',
    action: 'tenant:create',
    noun: 'tenant',
    given: async () => {
      const input = { name: newName() };
      return { input, before: null, after: input };
    },
  },
  {
    field: 'updateTenant',
    action: 'tenant:update',
    noun: 'tenant',
    given: async () => {
      const [before, after] = [newName(), newName()];
      const id = await newTenant(before);
      return {
        ...{ id, input: { by: { id }, name: after, creationPolicy: 'OPEN', defaultLevel: 'READ' } },
        before: { name: before, defaultLevel: null },
        after: { name: after, defaultLevel: 'READ' },
      };
    },
  },
  {
    field: 'createGroup',
    action: 'group:create',
    noun: 'group',
    given: async () => {
      const [name, id] = [newName(), await person()];
      const input = { name, description: 'A team', members: [{ id }] };
      return { input, before: null, after: { name, description: 'A team', members: [id] } };
    },
  },
  {
    field: 'updateGroup',
    action: 'group:update',
    noun: 'group',
    given: async () => {
      const [name, after] = [newName(), newName()];
      const id = await team({ name });
      return {
        ...{ id, input: { by: { id }, name: after } },
        before: { name, description: '' },
        after: { name: after, description: '' },
      };
    },
  },
  {
    field: 'addGroupMembers',
    action: 'group:addMembers',
    noun: 'group',
    given: async () => {
      const [id, member] = [await team(), await person()];
      return {
        id,
        input: { by: { id }, members: [{ id: member }] },
        before: null,
        after: { users: [member] },
      };
    },
  },
  {
    field: 'removeGroupMembers',
    action: 'group:removeMembers',
    noun: 'group',
    given: async () => {
      const member = await person();
      const id = await team({ members: [{ id: member }] });
      return {
        id,
        input: { by: { id }, members: [{ id: member }] },
        before: null,
        after: { users: [member] },
      };
    },
  },
  {
    field: 'deleteGroup',
    action: 'group:delete',
    noun: 'group',
    given: async () => {
      const name = newName();
      const id = await team({ name, description: 'Old', members: [{ id: await person() }] });
      return { id, input: { by: { id } }, before: { name, description: 'Old', members: 1 }, after: null };
    },
  },
];

const version = async () => (await db.accessClock.findUniqueOrThrow({ where: { id: 1 } })).version;

describe('a change', () => {
  it.each(changes)(
    'is recorded with its values, and announced: $field',
    async ({ field, given, action, noun }) => {
      const { input, before, after, id } = await given();
      const since = await version();
      const answer = await mutate(app, field, input, `${noun} { id }`, root);
      expect(answer).toMatchObject({ [noun]: { id: id ?? expect.any(String) } });
      const targetId: string = answer[noun].id;
      const rows = await db.auditEvent.findMany({ where: { targetId, action } });
      expect(rows).toMatchObject([{ targetType: noun, outcome: 'DONE', before, after }]);
      expect(rows[0]?.before).toEqual(before);
      expect(rows[0]?.after).toEqual(after);
      expect(await db.accessChange.count({ where: { version: { gt: since } } })).toBe(1);
    },
  );
});

describe('a change to the same values', () => {
  let user: User;
  beforeAll(async () => {
    user = await newUser({ username: 'steady' });
  });

  it.each<[string, (id: { user: string; group: string; tenant: string }) => object]>([
    ['editUser', (id) => ({ by: { id: id.user }, username: 'steady', role: 'USER', disabled: false })],
    ['updateTenant', (id) => ({ by: { id: id.tenant }, name: 'steady', creationPolicy: 'OPEN' })],
    ['updateGroup', (id) => ({ by: { id: id.group }, name: 'steady', description: 'As before' })],
    ['updateGroup', (id) => ({ by: { id: id.group }, name: 'steady' })],
    ['updateGroup', () => ({ by: { name: 'everyone' }, name: 'everyone' })],
  ])('is neither recorded nor announced: %s', async (field, inputOf) => {
    const group =
      (await db.group.findFirst({ where: { name: 'steady' } }))?.id ??
      (await team({ name: 'steady', description: 'As before' }));
    const tenant =
      (await db.tenant.findFirst({ where: { name: 'steady' } }))?.id ?? (await newTenant('steady'));
    const [since, events] = [await version(), await db.auditEvent.count()];
    const answer: Answer = await mutate(app, field, inputOf({ user: user.id, group, tenant }), '', root);
    expect(answer.__typename).toMatch(/Payload$/);
    expect(await version()).toBe(since);
    expect(await db.auditEvent.count()).toBe(events);
  });
});

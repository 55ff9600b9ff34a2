import { isAllowed } from '../../authorization/can.ts';
import type { NamedGrant } from '../../authorization/replace-grants.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { groupBy } from '../../platform/group-by.ts';
import { verbsOf } from '../domain/queue-verbs.ts';
import { queueTarget } from '../domain/targets.ts';
import { QueueType } from './queue.ts';

const kindText = '`User` or `Group`, in exactly this spelling.';
const verbText =
  '`watch`, `submit`, `cancel`, `reprioritize` and `preempt`. They are levels of the permissions: `watch` is READ, `submit` is USE, and each of the others is EDIT.';

interface SubjectShape {
  readonly kind: string;
  readonly name: string;
}

const SubjectType = builder.objectRef<SubjectShape>('QueueSubject').implement({
  description: 'A user or a group that may do something on a queue.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: kindText }),
    name: t.exposeString('name', { description: 'The user name, or the name of the group.' }),
  }),
});

interface PermissionShape {
  readonly subjects: readonly SubjectShape[];
  readonly verbs: readonly string[];
}

const PermissionType = builder.objectRef<PermissionShape>('QueuePermission').implement({
  description: 'Users and groups that may do the same things on a queue.',
  fields: (t) => ({
    subjects: t.field({
      type: [SubjectType],
      extensions: { listSize: 10 },
      description: 'The users and groups, by name.',
      resolve: ({ subjects }) => [...subjects],
    }),
    verbs: t.exposeStringList('verbs', {
      description: `All that they may do: some of ${verbText} A level includes the lower ones, so more verbs can stand here than were given.`,
    }),
  }),
});

const who =
  'They come from the grants on the queue itself, at most 1000. Null if you may not see grants on it: this requires MANAGE.';

/** Null if the caller may not read the grants. */
async function rightsOf(
  queue: { id: string; tenantId: string; projectId: string | null },
  context: Context,
): Promise<readonly NamedGrant[] | null> {
  const target = async () => queueTarget(queue);
  const isShown = await isAllowed(callerOf(context), 'permission:read', { target });
  return isShown ? await context.loaders.rightsOfQueue.load(queue.id) : null;
}

const ownersOf = (grants: readonly NamedGrant[] | null, kind: 'User' | 'Group') =>
  grants?.flatMap((grant) =>
    grant.level === 'MANAGE' && kindOf(grant) === kind ? [grant.subject.name] : [],
  ) ?? null;

const kindOf = ({ subject }: NamedGrant) => ('userId' in subject ? 'User' : 'Group');

builder.objectFields(QueueType, (t) => ({
  userOwners: t.stringList({
    nullable: true,
    description: `The names of the users who own the queue: who have MANAGE on it. ${who}`,
    resolve: async (queue, _args, context) => ownersOf(await rightsOf(queue, context), 'User'),
  }),
  groupOwners: t.stringList({
    nullable: true,
    description: `The names of the groups that own the queue: which have MANAGE on it. ${who}`,
    resolve: async (queue, _args, context) => ownersOf(await rightsOf(queue, context), 'Group'),
  }),
  permissions: t.field({
    type: [PermissionType],
    nullable: true,
    extensions: { listSize: 4 },
    description: `Who may do what on the queue, the owners first. Each level has one entry. ${who}`,
    resolve: async (queue, _args, context) => {
      const grants = await rightsOf(queue, context);
      if (!grants) return null;
      const byLevel = groupBy(grants, ({ level }) => level);
      return [...byLevel].map(([level, ofLevel]) => ({
        subjects: ofLevel.map((grant) => ({ kind: kindOf(grant), name: grant.subject.name })),
        verbs: verbsOf(level),
      }));
    },
  }),
}));

const SubjectInput = builder.inputType('QueueSubjectInput', {
  description: 'A user or a group that may do something on a queue.',
  fields: (t) => ({
    kind: t.string({ required: true, description: kindText }),
    name: t.string({
      required: true,
      description: 'The user name, or the name of the group. It must exist in your tenant.',
    }),
  }),
});

export const PermissionInput = builder.inputType('QueuePermissionInput', {
  description: 'Users and groups that may do the same things on a queue. They get grants on it.',
  fields: (t) => ({
    subjects: t.field({
      type: [SubjectInput],
      required: true,
      description: 'The users and groups, at least one.',
    }),
    verbs: t.stringList({
      required: true,
      description: `What they may do, at least one of ${verbText} A level includes the lower ones: who may cancel may also submit.`,
    }),
  }),
});

import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { ObjectKindEnum } from '../../graphql/object-kind.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import type { Caller } from '../../platform/caller.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import { type AuditEventRow, type AuditFilter, auditOrder, listAuditEvents } from '../store/audit-list.ts';

const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  values: { DONE: { description: 'It was done.' }, DENIED: { description: 'It was refused.' } } as const,
});

const AuditActorType = builder.objectRef<{ id: string; username: string | null }>('AuditActor').implement({
  description: 'A user as it was called then; it may be gone by now.',
  fields: (t) => ({ id: t.exposeID('id'), username: t.exposeString('username', { nullable: true }) }),
});

const actor = (id: string | null, username: string | null) => (id === null ? null : { id, username });

const AuditTargetType = builder.objectRef<AuditEventRow>('AuditTarget').implement({
  description: 'What it was done to, as it was called then.',
  fields: (t) => ({
    type: t.field({ type: ObjectKindEnum, nullable: true, resolve: ({ targetType }) => targetType }),
    id: t.id({ nullable: true, resolve: ({ targetId }) => targetId }),
    name: t.string({ nullable: true, resolve: ({ targetName }) => targetName }),
  }),
});

const AuditEventType = builder.objectRef<AuditEventRow>('AuditEvent').implement({
  description: 'Something that was done about access, or refused. Events are only ever added.',
  fields: (t) => ({
    id: t.exposeID('id'),
    tenantId: t.exposeID('tenantId'),
    createdAt: t.field({ type: 'DateTime', resolve: (event) => event.createdAt }),
    actor: t.field({
      type: AuditActorType,
      nullable: true,
      description: 'As whom it was done; null for a stranger.',
      resolve: ({ actorId, actorName }) => actor(actorId, actorName),
    }),
    realActor: t.field({
      type: AuditActorType,
      nullable: true,
      description: 'Who acted as the actor; null where that was the actor.',
      resolve: ({ realActorId, realActorName }) => actor(realActorId, realActorName),
    }),
    credentialId: t.exposeID('credentialId', {
      nullable: true,
      description: 'The access key that signed in; null for a password.',
    }),
    address: t.exposeString('address', { nullable: true, description: "The caller's IP address." }),
    action: t.exposeString('action', {
      description: 'What was done or tried, `noun:verb`: `permission:grant`, `session:login` …',
    }),
    outcome: t.field({ type: AuditOutcomeEnum, resolve: (event) => event.outcome }),
    code: t.exposeString('code', { nullable: true, description: 'Why it was refused: an error code.' }),
    target: t.field({
      type: AuditTargetType,
      nullable: true,
      description: 'Null where it was about nothing in particular.',
      resolve: (event) => (event.targetType ? event : null),
    }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What it was; null for something new.',
      resolve: (event) => event.before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What it became; null for something gone.',
      resolve: (event) => event.after,
    }),
    count: t.exposeInt('count', {
      description: 'Refusals of one kind that came within a moment are one event.',
    }),
  }),
});

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  fields: (t) => ({
    actor: t.field({ type: UserByInput, description: 'As whom it was done; also who is gone by now.' }),
    action: t.string({ description: '`permission:grant`, or the noun alone: `permission`.' }),
    outcome: t.field({ type: AuditOutcomeEnum }),
    targetType: t.field({ type: ObjectKindEnum, description: 'Only events about objects of this kind.' }),
    targetId: t.id(),
    since: t.field({ type: 'DateTime', description: 'From then on.' }),
    until: t.field({ type: 'DateTime', description: 'Before then.' }),
    credentialId: t.id({ description: 'Done with that access key.' }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEventType,
      description: 'What was done about access and who was refused, the newest first. For administrators.',
      args: {
        filter: t.arg({ type: AuditEventFilterInput }),
        tenant: t.arg.id({ description: 'Of that tenant instead of yours; only root may name another.' }),
      },
      resolve: async (_root, { filter, tenant, ...args }, context) => {
        const tenantId = tenantOf(callerOf(context), tenant ?? null);
        const asked = await filterOf((filter ?? {}) as GivenFilter, tenantId, context);
        return await pagedList(args, auditOrder, (page) => listAuditEvents(tenantId, asked, page));
      },
    },
    { name: 'AuditEventConnection' },
    { name: 'AuditEventEdge' },
  ),
);

/** @throws NotFoundError for another's tenant, there or not. */
function tenantOf(caller: Caller, tenant: string | null): string {
  if (tenant === null || tenant === caller.tenantId) return caller.tenantId;
  if (caller.role !== 'ROOT' || !isId(tenant)) throw new NotFoundError('tenant', tenant, ['tenant']);
  return tenant;
}

interface GivenFilter extends Partial<Omit<AuditFilter, 'actorId' | 'actorName'>> {
  readonly actor?: Readonly<Record<string, string>> | null;
}

/** @throws InvalidArgumentError for what no id can be. */
async function filterOf(
  { actor: by, ...given }: GivenFilter,
  tenantId: string,
  context: Context,
): Promise<AuditFilter> {
  const isWrong = given.credentialId != null && !isId(given.credentialId);
  if (isWrong) throw InvalidArgumentError.of(['filter', 'credentialId'], 'this is no id');
  return {
    ...(await actorOf(by ?? null, tenantId, context)),
    action: given.action ?? null,
    outcome: given.outcome ?? null,
    targetType: given.targetType ?? null,
    targetId: given.targetId ?? null,
    since: given.since ?? null,
    until: given.until ?? null,
    credentialId: given.credentialId ?? null,
  };
}

/** Of somebody gone, the log has the id and the last name; of other tenants' users, so does it for root. */
async function actorOf(by: NonNullable<GivenFilter['actor']> | null, tenantId: string, context: Context) {
  if (!by) return { actorId: null, actorName: null };
  const isHome = tenantId === callerOf(context).tenantId;
  const user = isHome ? await context.loaders.userAt.load({ tenantId, by: by as never }) : null;
  if (user) return { actorId: user.id, actorName: null };
  const [text = ''] = Object.values(by);
  return 'id' in by && isId(text) ? { actorId: text, actorName: null } : { actorId: null, actorName: text };
}

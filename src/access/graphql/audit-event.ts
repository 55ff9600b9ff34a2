import type { AuditOutcome } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { ErrorCodeEnum } from '../../graphql/errors.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { ObjectKindEnum } from '../../graphql/object-kind.ts';
import { ActorInterface } from '../../identity/graphql/actor.ts';
import { TenantByInput } from '../../identity/graphql/tenant.ts';
import { UserByInput } from '../../identity/graphql/user.ts';
import { findTenant, type TenantBy, tenantKeyOf } from '../../identity/store/tenants.ts';
import type { Caller } from '../../platform/caller.ts';
import { type ErrorCode, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { isId } from '../../platform/ids.ts';
import {
  type AuditEventRow,
  type AuditFilter,
  auditOrder,
  countAuditEvents,
  listAuditEvents,
} from '../store/audit-list.ts';

const AuditOutcomeEnum = enumOf<AuditOutcome>('AuditOutcome', 'Whether an action was done or refused.', {
  DONE: 'The action was done.',
  DENIED: 'The action was refused.',
});

const AuditActorType = builder.objectRef<{ id: string; username: string | null }>('AuditActor').implement({
  description: 'A user, with the name at the time of the event. The user may have been deleted since.',
  interfaces: [ActorInterface],
  fields: (t) => ({
    username: t.exposeString('username', {
      nullable: true,
      description: 'The user name at that time; null if it was not known.',
    }),
  }),
});

const actor = (id: string | null, username: string | null) => (id === null ? null : { id, username });

const AuditTargetType = builder.objectRef<AuditEventRow>('AuditTarget').implement({
  description: 'The object of an event, with its name at the time of the event.',
  fields: (t) => ({
    type: t.expose('targetType', {
      type: ObjectKindEnum,
      nullable: true,
      description: 'What kind of object it was.',
    }),
    id: t.id({
      nullable: true,
      description: 'The id of the object; null if no object was found.',
      resolve: ({ targetId }) => targetId,
    }),
    name: t.string({
      nullable: true,
      description: 'The name of the object at that time, or the name that was asked for.',
      resolve: ({ targetName }) => targetName,
    }),
  }),
});

const AuditEventType = builder.objectRef<AuditEventRow>('AuditEvent').implement({
  description: 'A change of access, a sign-in or a refusal. Events are never changed or deleted.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUIDv7 that is unique across all types.' }),
    tenantId: t.exposeID('tenantId', { description: 'The id of the tenant in which it happened.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    actor: t.field({
      type: AuditActorType,
      nullable: true,
      description: 'The user who did it or tried to; null for a caller who was not signed in.',
      resolve: ({ actorId, actorName }) => actor(actorId, actorName),
    }),
    realActor: t.field({
      type: AuditActorType,
      nullable: true,
      description: 'The user who acted as `actor`; null if nobody did.',
      resolve: ({ realActorId, realActorName }) => actor(realActorId, realActorName),
    }),
    credentialId: t.exposeID('credentialId', {
      nullable: true,
      description: 'The id of the access key that was used to sign in; null if none was used.',
    }),
    clientId: t.exposeString('clientId', {
      nullable: true,
      description:
        'The client id of the OAuth 2 client whose token was used; null for any other way to sign in.',
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The IP address that the request came from; null for the server itself.',
    }),
    action: t.exposeString('action', {
      description: 'The action, as `noun:verb`: `permission:grant`, `session:login` …',
    }),
    outcome: t.expose('outcome', {
      type: AuditOutcomeEnum,
      description: 'Whether the action was done or refused.',
    }),
    code: t.field({
      type: ErrorCodeEnum,
      nullable: true,
      description: 'Why the action was refused; null if it was done.',
      resolve: ({ code }) => code as ErrorCode | null,
    }),
    target: t.field({
      type: AuditTargetType,
      nullable: true,
      description: 'The object that the action was about; null if it was about no object.',
      resolve: (event) => (event.targetType ? event : null),
    }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The changed fields before the change; null if the object is new.',
      resolve: (event) => event.before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The changed fields after the change; null if the object was deleted.',
      resolve: (event) => event.after,
    }),
    count: t.exposeInt('count', {
      description: 'How many times it happened. Equal refusals within a short time are stored as one event.',
    }),
  }),
});

const AuditEventFilterInput = builder.inputType('AuditEventFilterInput', {
  description: 'Which events a list shows: the events that meet all of these conditions.',
  fields: (t) => ({
    actor: t.field({
      type: UserByInput,
      description: 'Only actions of this user, who may have been deleted since.',
    }),
    action: t.string({
      description:
        'Only this action, such as `permission:grant`, or all actions of a noun, such as `permission`.',
    }),
    outcome: t.field({
      type: AuditOutcomeEnum,
      description: 'Only actions that were done, or only actions that were refused.',
    }),
    targetType: t.field({ type: ObjectKindEnum, description: 'Only events about objects of this kind.' }),
    targetId: t.id({ description: 'Only events about the object with this id.' }),
    since: t.field({ type: 'DateTime', description: 'Only events at this time or later.' }),
    until: t.field({ type: 'DateTime', description: 'Only events before this time.' }),
    credentialId: t.id({ description: 'Only events of sign-ins with the access key that has this id.' }),
  }),
});

const AuditEventConnection = connectionType(AuditEventType);

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEventType,
      description: 'The audit log of a tenant, newest first. Requires an administrator.',
      args: {
        filter: t.arg({
          type: AuditEventFilterInput,
          description: 'Which events to list. If left out: all.',
        }),
        tenant: t.arg({
          type: TenantByInput,
          description: 'Which tenant. If left out: your own. Another one requires the role ROOT.',
        }),
      },
      resolve: async (_root, { filter, tenant, ...args }, context) => {
        const tenantId = await tenantIdOf(callerOf(context), (tenant ?? null) as TenantBy | null);
        const asked = await filterOf((filter ?? {}) as GivenFilter, tenantId, context);
        return await pagedList(
          args,
          auditOrder,
          (page) => listAuditEvents(tenantId, asked, page),
          () => countAuditEvents(tenantId, asked),
        );
      },
    },
    AuditEventConnection,
  ),
);

/** @throws NotFoundError for another tenant, whether it exists or not. */
async function tenantIdOf(caller: Caller, by: TenantBy | null): Promise<string> {
  if (by === null) return caller.tenantId;
  const tenant = await findTenant(by);
  if (tenant && (tenant.id === caller.tenantId || caller.role === 'ROOT')) return tenant.id;
  throw new NotFoundError('tenant', tenantKeyOf(by), ['tenant']);
}

interface GivenFilter extends Partial<Omit<AuditFilter, 'actorId' | 'actorName'>> {
  readonly actor?: Readonly<Record<string, string>> | null;
}

/** @throws InvalidArgumentError for a text that cannot be an id. */
async function filterOf(
  { actor: by, ...given }: GivenFilter,
  tenantId: string,
  context: Context,
): Promise<AuditFilter> {
  const isWrong = given.credentialId != null && !isId(given.credentialId);
  if (isWrong) throw InvalidArgumentError.of(['filter', 'credentialId'], 'this is not an id');
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

/**
 * For a deleted user, and for users of other tenants that ROOT asks about, we use the id or the last name in the log.
 */
async function actorOf(by: NonNullable<GivenFilter['actor']> | null, tenantId: string, context: Context) {
  if (!by) return { actorId: null, actorName: null };
  const isHome = tenantId === callerOf(context).tenantId;
  const user = isHome ? await context.loaders.userAt.load({ tenantId, by: by as never }) : null;
  if (user) return { actorId: user.id, actorName: null };
  const [text = ''] = Object.values(by);
  return 'id' in by && isId(text) ? { actorId: text, actorName: null } : { actorId: null, actorName: text };
}

import type { CreationPolicy } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { payload } from '../../graphql/payload.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createTenant } from '../commands/create-tenant.ts';
import { updateTenant } from '../commands/update-tenant.ts';
import { reachedTenantId, requireAllTenants } from '../reach.ts';
import { countTenants, listTenants, type TenantBy, tenantOrder } from '../store/tenants.ts';

const CreationPolicyEnum = enumOf<CreationPolicy>(
  'CreationPolicy',
  'Who may create experiments and registered models in a project.',
  {
    OPEN: 'Every user with READ on the project and the role USER or a higher one.',
    RESTRICTED: 'Every user with EDIT on the project.',
  },
);

export const TenantType = builder.prismaObject('Tenant', {
  description: 'A company or team. Every other object belongs to exactly one tenant.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'A UUIDv7 that is unique across all types. `tenant` finds the tenant by it.',
    }),
    name: t.exposeString('name', { description: 'The name, unique on the server.' }),
    defaultLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description:
        "The level of its users on a resource if no grant decides; null means the server's default level.",
      resolve: (tenant) => tenant.defaultLevel,
    }),
    creationPolicy: t.expose('creationPolicy', {
      type: CreationPolicyEnum,
      description: 'Who may create experiments and registered models in its projects.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the tenant was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its settings last changed.' }),
  }),
});

export const TenantByInput = builder.inputType('TenantByInput', {
  description: 'The address of a tenant.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: "The tenant's id." }),
    name: t.string({ description: "The tenant's name." }),
  }),
});

const TenantConnection = connectionType(TenantType);

builder.queryFields((t) => ({
  tenant: t.field({
    type: TenantType,
    nullable: true,
    description:
      'Your tenant, or another tenant. Another tenant requires the role ROOT, or SYSTEM in the first tenant.',
    args: { by: t.arg({ type: TenantByInput, description: 'Which tenant. If left out: your own.' }) },
    resolve: async (_root, { by }, context) => {
      const address = (by ?? null) as TenantBy | null;
      const id = await reachedTenantId(callerOf(context), address, ['by']);
      return await context.loaders.tenant.load(id);
    },
  }),
  tenants: t.connection(
    {
      type: TenantType,
      description: 'All tenants by name, ascending. Requires the role ROOT, or SYSTEM in the first tenant.',
      resolve: async (_root, args, context) => {
        await requireAllTenants(callerOf(context));
        return await pagedList(args, tenantOrder, listTenants, countTenants);
      },
    },
    TenantConnection,
  ),
}));

const CreateTenantInput = builder.inputType('CreateTenantInput', {
  description: 'A tenant to create.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name, unique on the server: 3 to 255 characters without colons and slashes.',
    }),
  }),
});

const CreateTenantPayload = payload('CreateTenantPayload', 'tenant', TenantType);

builder.mutationField('createTenant', (t) =>
  t.field({
    type: CreateTenantPayload,
    nullable: true,
    description:
      'Creates a tenant without users, and its group `everyone`. Requires the role ROOT, or SYSTEM in the first tenant.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: inputOf(CreateTenantInput),
    resolve: async (_root, { input }, context) => ({
      tenant: await createTenant(callerOf(context), input.name),
    }),
  }),
);

const UpdateTenantInput = builder.inputType('UpdateTenantInput', {
  description: 'The changes of a tenant. Fields that are left out do not change.',
  fields: (t) => ({
    by: t.field({ type: TenantByInput, description: 'Which tenant. If left out: your own.' }),
    name: t.string({ description: 'The new name: 3 to 255 characters without colons and slashes.' }),
    defaultLevel: t.field({
      type: LevelEnum,
      description:
        "The level of its users on a resource if no grant decides; null means the server's default level.",
    }),
    creationPolicy: t.field({
      type: CreationPolicyEnum,
      description: 'Who may create experiments and registered models in its projects.',
    }),
  }),
});

const UpdateTenantPayload = payload('UpdateTenantPayload', 'tenant', TenantType);

builder.mutationField('updateTenant', (t) =>
  t.field({
    type: UpdateTenantPayload,
    nullable: true,
    description: 'Changes the settings of a tenant. Requires an administrator of the tenant.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: inputOf(UpdateTenantInput),
    resolve: async (_root, { input }, context) => ({
      tenant: await updateTenant(callerOf(context), (input.by ?? null) as TenantBy | null, {
        name: input.name ?? undefined,
        defaultLevel: input.defaultLevel,
        creationPolicy: input.creationPolicy ?? undefined,
      }),
    }),
  }),
);

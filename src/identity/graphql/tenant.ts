import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import { createTenant } from '../commands/create-tenant.ts';
import { updateTenant } from '../commands/update-tenant.ts';
import { reachedTenantId, requireAllTenants } from '../reach.ts';
import { listTenants, type TenantBy, tenantOrder } from '../store/tenants.ts';

const CreationPolicyEnum = builder.enumType('CreationPolicy', {
  description: 'Who may make experiments and registered models in a project.',
  values: {
    OPEN: { description: 'Every role from USER up, where it may read the project.' },
    RESTRICTED: { description: 'Whoever has EDIT on the project.' },
  } as const,
});

export const TenantType = builder.prismaObject('Tenant', {
  description: 'A company or team: everything belongs to exactly one.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name', { description: 'Unique on the server.' }),
    defaultLevel: t.field({
      type: LevelEnum,
      nullable: true,
      description: "What its users may do where no grant decides; null: the server's own default.",
      resolve: (tenant) => tenant.defaultLevel,
    }),
    creationPolicy: t.field({ type: CreationPolicyEnum, resolve: (tenant) => tenant.creationPolicy }),
    createdAt: t.field({ type: 'DateTime', resolve: (tenant) => tenant.createdAt }),
    updatedAt: t.field({ type: 'DateTime', resolve: (tenant) => tenant.updatedAt }),
  }),
});

export const TenantByInput = builder.inputType('TenantBy', {
  description: 'Which tenant.',
  isOneOf: true,
  fields: (t) => ({ id: t.id(), name: t.string() }),
});

builder.queryFields((t) => ({
  tenant: t.field({
    type: TenantType,
    nullable: true,
    description: "The caller's tenant; another one only for those who reach all, ROOT above all.",
    args: { by: t.arg({ type: TenantByInput }) },
    resolve: async (_root, { by }, context) => {
      const address = (by ?? null) as TenantBy | null;
      const id = await reachedTenantId(callerOf(context), address, ['by']);
      return await context.loaders.tenant.load(id);
    },
  }),
  tenants: t.connection(
    {
      type: TenantType,
      description: 'All tenants by name, ascending. For those who reach all.',
      resolve: async (_root, args, context) => {
        await requireAllTenants(callerOf(context));
        return await pagedList(args, tenantOrder, listTenants);
      },
    },
    { name: 'TenantConnection' },
    { name: 'TenantEdge' },
  ),
}));

const CreateTenantInput = builder.inputType('CreateTenantInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: '3 to 255 characters, no colon and no slash.' }),
  }),
});

const tenantPayload = (name: string) =>
  builder.objectRef<{ tenant: typeof TenantType.$inferType }>(name).implement({
    fields: (t) => ({ tenant: t.field({ type: TenantType, resolve: ({ tenant }) => tenant }) }),
  });

const CreateTenantPayload = tenantPayload('CreateTenantPayload');

builder.mutationField('createTenant', (t) =>
  t.field({
    type: CreateTenantPayload,
    nullable: true,
    description:
      'Makes a tenant, with a group of everybody and no users. Needs somebody who reaches all tenants.',
    errors: { types: [InvalidArgumentError, AlreadyExistsError] },
    args: { input: t.arg({ type: CreateTenantInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      tenant: await createTenant(callerOf(context), input.name),
    }),
  }),
);

const UpdateTenantInput = builder.inputType('UpdateTenantInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    by: t.field({ type: TenantByInput, description: "Left out: the caller's own." }),
    name: t.string(),
    defaultLevel: t.field({ type: LevelEnum, description: "null: the server's own default." }),
    creationPolicy: t.field({ type: CreationPolicyEnum }),
  }),
});

const UpdateTenantPayload = tenantPayload('UpdateTenantPayload');

builder.mutationField('updateTenant', (t) =>
  t.field({
    type: UpdateTenantPayload,
    nullable: true,
    description: "Changes a tenant's settings. Needs an administrator of it.",
    errors: { types: [InvalidArgumentError, AlreadyExistsError, NotFoundError] },
    args: { input: t.arg({ type: UpdateTenantInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      tenant: await updateTenant(callerOf(context), (input.by ?? null) as TenantBy | null, {
        name: input.name ?? undefined,
        defaultLevel: input.defaultLevel,
        creationPolicy: input.creationPolicy ?? undefined,
      }),
    }),
  }),
);

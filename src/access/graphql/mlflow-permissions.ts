import { isAllowed } from '../../authorization/can.ts';
import { managesTenant } from '../../authorization/domain/roles.ts';
import { findGrant, grantOrder } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { UserType } from '../../identity/graphql/user.ts';
import { AlreadyExistsError, NotFoundError } from '../../platform/errors.ts';
import type { ExperimentByInput } from '../../tracking/graphql/experiment.ts';
import type { RegisteredModelByInput } from '../../tracking/graphql/registered-model.ts';
import { grantPermission } from '../commands/grant-permission.ts';
import { described, keyOf, type PermissionAddress } from '../commands/permission-change.ts';
import { revokePermission } from '../commands/revoke-permission.ts';
import { updatePermission } from '../commands/update-permission.ts';
import { found } from './permission.ts';
import { resolveSubject } from './subject.ts';

interface Noun {
  readonly type: ResourceType;
  /** The field that names the resource: `experiment`. */
  readonly field: 'experiment' | 'registeredModel';
  /** What operations and types are called after: `Experiment`. */
  readonly name: 'Experiment' | 'RegisteredModel';
  readonly by: typeof ExperimentByInput | typeof RegisteredModelByInput;
  readonly permission: ReturnType<ReturnType<typeof builder.objectRef<Grant>>['implement']>;
}

/** What MLflow's operations name: the resource, by the noun's field, and a user. */
interface Named {
  readonly username: string;
  readonly [resource: string]: unknown;
}

/**
 * MLflow's four operations on the permissions of one kind of resource, and the list of them on `User`. They are about
 * users alone; `grantPermission` and its like are the general form, over the same rows.
 *
 * Source: MLflow's authentication REST API.
 */
export function offerPermissionsOf(noun: Noun): void {
  offerRead(noun);
  offerCreate(noun);
  offerUpdate(noun);
  offerDelete(noun);
  offerListOfUser(noun);
}

/** Where the row is. @throws NotFoundError for a user that is not there. */
async function addressOf(
  noun: Noun,
  named: Named,
  context: Context,
  path: readonly string[],
): Promise<PermissionAddress> {
  const resource = { [noun.field]: named[noun.field] };
  const { place, name } = await found(resource, context, path);
  try {
    const subject = await resolveSubject({ user: { username: named.username } }, context, path);
    return { subject, place: { ...place, name } };
  } catch (error) {
    if (error instanceof NotFoundError)
      throw new NotFoundError('user', named.username, [...path, 'username']);
    throw error;
  }
}

function offerRead(noun: Noun): void {
  builder.queryField(`${noun.field}Permission`, (t) =>
    t.field({
      type: noun.permission,
      nullable: true,
      description:
        'The stored permission of a user, never a default: without one NOT_FOUND. For those who manage the resource; whose permission it is has no other right to it.',
      args: {
        [noun.field]: t.arg({ type: noun.by, required: true }),
        username: t.arg.string({ required: true }),
      },
      resolve: async (_root, args, context) => {
        const address = await addressOf(noun, args as unknown as Named, context, []);
        const grant = await findGrant(keyOf(callerOf(context), address));
        if (!grant) throw new NotFoundError('grant', described(address));
        return grant;
      },
    }),
  );
}

const payload = ({ field, permission }: Noun, name: string, description?: string) =>
  builder.objectRef<{ grant: Grant }>(name).implement({
    fields: (t) => ({
      [`${field}Permission`]: t.field({
        type: permission,
        ...(description ? { description } : {}),
        resolve: ({ grant }: { grant: Grant }) => grant,
      }),
    }),
  });

const input = (noun: Noun, name: string, hasLevel: boolean) =>
  builder.inputType(name, {
    fields: (t) => ({
      [noun.field]: t.field({ type: noun.by, required: true }),
      username: t.string({ required: true }),
      ...(hasLevel ? { permission: t.field({ type: LevelEnum, required: true }) } : {}),
    }),
  });

type WithLevel = Named & { readonly permission: Level };

function offerCreate(noun: Noun): void {
  const name = `create${noun.name}Permission`;
  const type = input(noun, `Create${noun.name}PermissionInput`, true);
  builder.mutationField(name, (t) =>
    t.field({
      type: payload(noun, `Create${noun.name}PermissionPayload`),
      nullable: true,
      description:
        'Grants a user a level. A permission that is there, whatever its level, is ALREADY_EXISTS. For those who manage the resource.',
      errors: { types: [NotFoundError, AlreadyExistsError] },
      args: { input: t.arg({ type, required: true }) },
      resolve: async (_root, args, context) => {
        const named = args.input as unknown as WithLevel;
        const address = await addressOf(noun, named, context, ['input']);
        return { grant: await grantPermission(callerOf(context), address, named.permission) };
      },
    }),
  );
}

function offerUpdate(noun: Noun): void {
  const type = input(noun, `Update${noun.name}PermissionInput`, true);
  builder.mutationField(`update${noun.name}Permission`, (t) =>
    t.field({
      type: payload(noun, `Update${noun.name}PermissionPayload`),
      nullable: true,
      description:
        "Sets the level of a user's permission, one's own included. Without one it makes none. For those who manage the resource.",
      errors: { types: [NotFoundError] },
      args: { input: t.arg({ type, required: true }) },
      resolve: async (_root, args, context) => {
        const named = args.input as unknown as WithLevel;
        const address = await addressOf(noun, named, context, ['input']);
        return { grant: await updatePermission(callerOf(context), address, named.permission) };
      },
    }),
  );
}

function offerDelete(noun: Noun): void {
  const type = input(noun, `Delete${noun.name}PermissionInput`, false);
  builder.mutationField(`delete${noun.name}Permission`, (t) =>
    t.field({
      type: payload(noun, `Delete${noun.name}PermissionPayload`, 'As it was.'),
      nullable: true,
      description:
        "Takes a user's permission away, once: the user falls back to what else decides. For those who manage the resource.",
      errors: { types: [NotFoundError] },
      args: { input: t.arg({ type, required: true }) },
      resolve: async (_root, args, context) => {
        const address = await addressOf(noun, args.input as unknown as Named, context, ['input']);
        return { grant: await revokePermission(callerOf(context), address) };
      },
    }),
  );
}

function offerListOfUser(noun: Noun): void {
  builder.objectField(UserType, `${noun.field}Permissions`, (t) =>
    t.connection(
      {
        type: noun.permission,
        nullable: true,
        description:
          "The user's own permissions, the newest first; never defaults, nor those of groups. Null for all but the user and administrators.",
        resolve: async (user, args, context) => {
          const caller = callerOf(context);
          const isTheirs = user.id === caller.userId || managesTenant(caller.role);
          if (!isTheirs || !(await isAllowed(caller, 'permission:list'))) return null;
          const shown = {
            type: noun.type,
            withClosed: managesTenant(caller.role),
            within: caller.confinedTo?.map(({ id }) => id) ?? null,
          };
          return await pagedList(args, grantOrder, (page) =>
            context.loaders.grantsOfUser.load({ parentId: user.id, page: { ...page, ...shown } }),
          );
        },
      },
      { name: `${noun.name}PermissionConnection` },
      { name: `${noun.name}PermissionEdge` },
    ),
  );
}

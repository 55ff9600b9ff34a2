import { isAllowed } from '../../authorization/can.ts';
import { managesTenant } from '../../authorization/domain/roles.ts';
import { findGrant, grantOrder } from '../../authorization/store/grant-rows.ts';
import type { Grant } from '../../generated/prisma/client.ts';
import type { Level, ResourceType } from '../../generated/prisma/enums.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection.ts';
import { type Context, callerOf } from '../../graphql/context.ts';
import { inputOf } from '../../graphql/input.ts';
import { pagedList } from '../../graphql/keyset.ts';
import { LevelEnum } from '../../graphql/level.ts';
import { payload } from '../../graphql/payload.ts';
import { UserByInput, UserType } from '../../identity/graphql/user.ts';
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
  /** What people call it. */
  readonly words: string;
  /** What operations and types are called after: `Experiment`. */
  readonly name: 'Experiment' | 'RegisteredModel';
  readonly by: typeof ExperimentByInput | typeof RegisteredModelByInput;
  readonly permission: ReturnType<ReturnType<typeof builder.objectRef<Grant>>['implement']>;
}

/** What MLflow's operations name: the resource, by the noun's field, and a user. */
interface Named {
  readonly user: Readonly<Record<string, unknown>>;
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
  const subject = await resolveSubject({ user: named.user }, context, path);
  return { subject, place: { ...place, name } };
}

function offerRead(noun: Noun): void {
  builder.queryField(`${noun.field}Permission`, (t) =>
    t.field({
      type: noun.permission,
      nullable: true,
      description: `The grant stored for a user on a ${noun.words}. Requires MANAGE on it, even to read your own. NOT_FOUND if there is none: defaults do not count.`,
      args: {
        [noun.field]: t.arg({ type: noun.by, required: true, description: `Which ${noun.words}.` }),
        user: t.arg({ type: UserByInput, required: true, description: 'Which user.' }),
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

const keyOfPayload = ({ field }: Noun) => `${field}Permission`;

const payloadOf = (noun: Noun, verb: string, description?: string) =>
  payload(`${verb}${noun.name}PermissionPayload`, keyOfPayload(noun), noun.permission, description);

const input = (noun: Noun, name: string, hasLevel: boolean) =>
  builder.inputType(name, {
    description: `A user's grant on a ${noun.words}.`,
    fields: (t) => ({
      [noun.field]: t.field({ type: noun.by, required: true, description: `Which ${noun.words}.` }),
      user: t.field({ type: UserByInput, required: true, description: 'Which user.' }),
      ...(hasLevel
        ? {
            permission: t.field({
              type: LevelEnum,
              required: true,
              description: 'The level that the user will have.',
            }),
          }
        : {}),
    }),
  });

type WithLevel = Named & { readonly permission: Level };

function offerCreate(noun: Noun): void {
  const name = `create${noun.name}Permission`;
  const type = input(noun, `Create${noun.name}PermissionInput`, true);
  builder.mutationField(name, (t) =>
    t.field({
      type: payloadOf(noun, 'Create', 'The new grant.'),
      nullable: true,
      description: `Grants a user a level on a ${noun.words}. Requires MANAGE on it. A grant that is there already is ALREADY_EXISTS, whatever its level.`,
      errors: { types: [NotFoundError, AlreadyExistsError] },
      args: inputOf(type),
      resolve: async (_root, args, context) => {
        const named = args.input as unknown as WithLevel;
        const address = await addressOf(noun, named, context, ['input']);
        return { [keyOfPayload(noun)]: await grantPermission(callerOf(context), address, named.permission) };
      },
    }),
  );
}

function offerUpdate(noun: Noun): void {
  const type = input(noun, `Update${noun.name}PermissionInput`, true);
  builder.mutationField(`update${noun.name}Permission`, (t) =>
    t.field({
      type: payloadOf(noun, 'Update', 'The grant with its new level.'),
      nullable: true,
      description: `Changes the level of a user's grant on a ${noun.words}, your own included. Requires MANAGE on it. NOT_FOUND if there is no grant.`,
      errors: { types: [NotFoundError] },
      args: inputOf(type),
      resolve: async (_root, args, context) => {
        const named = args.input as unknown as WithLevel;
        const address = await addressOf(noun, named, context, ['input']);
        return { [keyOfPayload(noun)]: await updatePermission(callerOf(context), address, named.permission) };
      },
    }),
  );
}

function offerDelete(noun: Noun): void {
  const type = input(noun, `Delete${noun.name}PermissionInput`, false);
  builder.mutationField(`delete${noun.name}Permission`, (t) =>
    t.field({
      type: payloadOf(noun, 'Delete', 'The grant as it was before it was deleted.'),
      nullable: true,
      description: `Deletes a user's grant on a ${noun.words}. Requires MANAGE on it. The user then has what groups, the project and defaults give. NOT_FOUND if there is no grant.`,
      errors: { types: [NotFoundError] },
      args: inputOf(type),
      resolve: async (_root, args, context) => {
        const address = await addressOf(noun, args.input as unknown as Named, context, ['input']);
        return { [keyOfPayload(noun)]: await revokePermission(callerOf(context), address) };
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
        description: `The grants stored for the user on ${noun.words}s, newest first: no defaults, and no grants to groups. Null unless it is you, or you are an administrator.`,
        resolve: async (user, args, context) => {
          const caller = callerOf(context);
          const isTheirs = user.id === caller.userId || managesTenant(caller.role);
          if (!isTheirs || !(await isAllowed(caller, 'permission:list'))) return null;
          const shown = {
            type: noun.type,
            withClosed: managesTenant(caller.role),
            within: caller.confinedTo?.map(({ id }) => id) ?? null,
          };
          const { grantsOfUser, grantCountOfUser } = context.loaders;
          return await pagedList(
            args,
            grantOrder,
            (page) => grantsOfUser.load({ parentId: user.id, page: { ...page, ...shown } }),
            () => grantCountOfUser.load(user.id, shown),
          );
        },
      },
      connectionType(noun.permission),
    ),
  );
}

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
import type { Caller } from '../../platform/caller.ts';
import { AlreadyExistsError, NotFoundError } from '../../platform/errors.ts';
import { withArticle } from '../../platform/text.ts';
import type { ExperimentByInput } from '../../tracking/graphql/experiment.ts';
import type { RegisteredModelByInput } from '../../tracking/graphql/registered-model.ts';
import { type GrantAddress, grantText, keyOf } from '../commands/grant-change.ts';
import { grantPermission } from '../commands/grant-permission.ts';
import { revokePermission } from '../commands/revoke-permission.ts';
import { updatePermission } from '../commands/update-permission.ts';
import { getResource } from './grant.ts';
import { resolveSubject } from './subject.ts';

interface Noun {
  readonly type: ResourceType;
  /** The name of the field with the resource: `experiment`. */
  readonly field: 'experiment' | 'registeredModel';
  /** The name for people. */
  readonly words: string;
  /** The name of the type, which the names of operations contain: `Experiment`. */
  readonly name: 'Experiment' | 'RegisteredModel';
  readonly by: typeof ExperimentByInput | typeof RegisteredModelByInput;
  readonly permission: ReturnType<ReturnType<typeof builder.objectRef<Grant>>['implement']>;
}

/** The arguments of MLflow's operations: the resource, under its field, and a user. */
interface Named {
  readonly user: Readonly<Record<string, unknown>>;
  readonly [resource: string]: unknown;
}

/**
 * MLflow's four operations on the grants of one kind of resource, and the list of them on `User`. They are only for
 * users; `grantPermission` and similar operations are the general form and use the same rows.
 *
 * Source: MLflow's authentication REST API.
 */
export function offerPermissionsOf(noun: Noun): void {
  offerRead(noun);
  for (const write of writesOf(noun)) offerWrite(noun, write);
  offerListOfUser(noun);
}

/** The end of the description of each operation. */
const likeMLflow =
  'The name comes from MLflow. `grantPermission`, `updatePermission`, `revokePermission` and `permissions` are the general form, for groups and all resources.';

/** The subject and the resource of the grant. @throws NotFoundError if the user does not exist. */
async function addressOf(
  noun: Noun,
  named: Named,
  context: Context,
  path: readonly string[],
): Promise<GrantAddress> {
  const { resource, name } = await getResource({ [noun.field]: named[noun.field] }, context, path);
  const subject = await resolveSubject({ user: named.user }, context, path);
  return { subject, resource: { ...resource, name } };
}

function offerRead(noun: Noun): void {
  builder.queryField(`${noun.field}Permission`, (t) =>
    t.field({
      type: noun.permission,
      nullable: true,
      description: `The grant stored for a user on ${withArticle(noun.words)}. Requires MANAGE on it, even to read your own. NOT_FOUND if there is none; default levels do not count. ${likeMLflow}`,
      args: {
        [noun.field]: t.arg({ type: noun.by, required: true, description: `Which ${noun.words}.` }),
        user: t.arg({ type: UserByInput, required: true, description: 'Which user.' }),
      },
      resolve: async (_root, args, context) => {
        const address = await addressOf(noun, args as unknown as Named, context, []);
        const grant = await findGrant(keyOf(callerOf(context), address));
        if (!grant) throw new NotFoundError('grant', grantText(address));
        return grant;
      },
    }),
  );
}

interface Write {
  readonly verb: 'Create' | 'Update' | 'Delete';
  /** The description of the operation. */
  readonly description: string;
  /** The description of the grant in the payload. */
  readonly answer: string;
  readonly hasLevel: boolean;
  readonly errors: (typeof NotFoundError | typeof AlreadyExistsError)[];
  readonly command: (caller: Caller, address: GrantAddress, level: Level) => Promise<Grant>;
}

const writesOf = ({ words }: Noun): readonly Write[] => [
  {
    verb: 'Create',
    description: `Grants a user a level on ${withArticle(words)}. Requires MANAGE on it. If there is already a grant, the answer is ALREADY_EXISTS, even if it has another level.`,
    answer: 'The new grant.',
    hasLevel: true,
    errors: [NotFoundError, AlreadyExistsError],
    command: grantPermission,
  },
  {
    verb: 'Update',
    description: `Changes the level of a user's grant on ${withArticle(words)}. Requires MANAGE on it, even for your own grant. NOT_FOUND if there is no grant.`,
    answer: 'The grant with its new level.',
    hasLevel: true,
    errors: [NotFoundError],
    command: updatePermission,
  },
  {
    verb: 'Delete',
    description: `Deletes a user's grant on ${withArticle(words)}. Requires MANAGE on it. Other grants and the default level may still give the user a level. NOT_FOUND if there is no grant.`,
    answer: 'The grant as it was before it was deleted.',
    hasLevel: false,
    errors: [NotFoundError],
    command: revokePermission,
  },
];

function offerWrite(noun: Noun, { verb, description, answer, hasLevel, errors, command }: Write): void {
  const { field, words, by, permission } = noun;
  const name = `${verb}${noun.name}Permission`;
  const key: string = `${field}Permission`;
  const level = {
    type: LevelEnum,
    required: true,
    description: 'The level that the user will have.',
  } as const;
  const type = builder.inputType(`${name}Input`, {
    description: `A user's grant on ${withArticle(words)}.`,
    fields: (t) => ({
      [field]: t.field({ type: by, required: true, description: `Which ${words}.` }),
      user: t.field({ type: UserByInput, required: true, description: 'Which user.' }),
      ...(hasLevel ? { permission: t.field(level) } : {}),
    }),
  });
  builder.mutationField(`${verb.toLowerCase()}${noun.name}Permission`, (t) =>
    t.field({
      type: payload(`${name}Payload`, key, permission, answer),
      nullable: true,
      description: `${description} ${likeMLflow}`,
      errors: { types: errors },
      args: inputOf(type),
      resolve: async (_root, args, context) => {
        const named = args.input as unknown as Named & { readonly permission: Level };
        const address = await addressOf(noun, named, context, ['input']);
        return { [key]: await command(callerOf(context), address, named.permission) };
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
        description: `The grants stored for the user on ${noun.words}s, newest first. Default levels and grants to groups are not included. Null if you are neither this user nor an administrator.`,
        resolve: async (user, args, context) => {
          const caller = callerOf(context);
          const isTheirs = user.id === caller.userId || managesTenant(caller.role);
          if (!isTheirs || !(await isAllowed(caller, 'permission:list'))) return null;
          const grantFilter = {
            type: noun.type,
            withClosed: managesTenant(caller.role),
            within: caller.confinedTo?.map(({ id }) => id) ?? null,
          };
          const { grantsOfUser, grantCountOfUser } = context.loaders;
          return await pagedList(
            args,
            grantOrder,
            (page) => grantsOfUser.load({ parentId: user.id, page: { ...page, ...grantFilter } }),
            () => grantCountOfUser.load(user.id, grantFilter),
          );
        },
      },
      connectionType(noun.permission),
    ),
  );
}

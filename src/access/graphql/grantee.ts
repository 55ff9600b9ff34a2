import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { enumOf } from '../../graphql/enum.ts';
import { InvalidArgumentError } from '../../platform/errors.ts';
import { listGrantees, type NamedGrantee } from '../store/grantees.ts';
import { ResourceByInput } from './resource.ts';

const MIN_PREFIX = 2;
const MAX_GRANTEES = 50;

const GranteeKindEnum = enumOf<NamedGrantee['kind']>(
  'GranteeKind',
  'Whether a grantee is a user or a group.',
  {
    USER: 'A person or a program, named by its user name.',
    GROUP: 'A group, whether or not you are in it.',
  },
);

const GranteeType = builder.objectRef<NamedGrantee>('Grantee').implement({
  description: 'A user or a group that something can be shared with: its name, and nothing else about it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the user or the group, for `SubjectByInput`.' }),
    kind: t.expose('kind', { type: GranteeKindEnum, description: 'Which of the two it is.' }),
    name: t.exposeString('name', { description: 'The user name, or the name of the group.' }),
  }),
});

builder.queryField('grantees', (t) =>
  t.field({
    type: [GranteeType],
    nullable: true,
    description:
      'Searches users and groups of your tenant by how their names begin, to share a resource with them. Requires MANAGE on that resource, as granting does. Disabled users are left out. There are no further pages: a longer prefix finds the rest.',
    args: {
      resource: t.arg({
        type: ResourceByInput,
        required: true,
        description: 'What you want to share.',
      }),
      prefix: t.arg.string({
        required: true,
        description: `How the user name or the name of the group begins, in any case: at least ${MIN_PREFIX} characters.`,
      }),
      first: t.arg.int({
        required: true,
        defaultValue: 10,
        description: `How many to answer at most: 1 to ${MAX_GRANTEES}.`,
      }),
    },
    resolve: async (_root, { prefix, first }, context) => {
      if ([...prefix.trim()].length < MIN_PREFIX)
        throw InvalidArgumentError.of(['prefix'], `the prefix has at least ${MIN_PREFIX} characters`);
      if (first < 1 || first > MAX_GRANTEES)
        throw InvalidArgumentError.of(['first'], `first must be between 1 and ${MAX_GRANTEES}`);
      return await listGrantees(callerOf(context).tenantId, prefix, first);
    },
  }),
);

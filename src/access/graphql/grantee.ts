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
  description: 'A user or a group that can get a grant. Only its name is shown.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the user or the group, for `SubjectByInput`.' }),
    kind: t.expose('kind', { type: GranteeKindEnum, description: 'Whether it is a user or a group.' }),
    name: t.exposeString('name', { description: 'The user name, or the name of the group.' }),
  }),
});

builder.queryField('grantees', (t) =>
  t.field({
    type: [GranteeType],
    nullable: true,
    description:
      'Finds users and groups of your tenant by the beginning of their names, to share a resource with them. Requires MANAGE on the resource. Disabled users are left out. The list has only one page; if you do not find a name, use a longer prefix.',
    args: {
      resource: t.arg({
        type: ResourceByInput,
        required: true,
        description: 'The resource that you want to share.',
      }),
      prefix: t.arg.string({
        required: true,
        description: `The beginning of the user name or group name: at least ${MIN_PREFIX} characters. Upper and lower case are equal.`,
      }),
      first: t.arg.int({
        required: true,
        defaultValue: 10,
        description: `The largest number of users and groups in the answer: 1 to ${MAX_GRANTEES}.`,
      }),
    },
    resolve: async (_root, { prefix, first }, context) => {
      if ([...prefix.trim()].length < MIN_PREFIX)
        throw InvalidArgumentError.of(['prefix'], `the prefix must have at least ${MIN_PREFIX} characters`);
      if (first < 1 || first > MAX_GRANTEES)
        throw InvalidArgumentError.of(['first'], `first must be between 1 and ${MAX_GRANTEES}`);
      return await listGrantees(callerOf(context).tenantId, prefix, first);
    },
  }),
);

import { builder } from '../../graphql/builder.ts';
import { type FixedUsers, fixedUsers } from '../fixed-users.ts';
import { doesDatabaseAnswer } from '../store/fixed-users.ts';

const FixedUsersGuestType = builder.objectRef<Pick<FixedUsers, 'guest'>>('FixedUsersGuest').implement({
  description:
    'The guest that everybody may sign in as. Its user name and password are good for `login` only.',
  fields: (t) => ({
    enabled: t.boolean({ description: 'Whether there is a guest.', resolve: ({ guest }) => guest !== null }),
    name: t.string({
      nullable: true,
      description: 'The name that people read; null when there is no guest.',
      resolve: ({ guest }) => guest?.name,
    }),
    username: t.string({
      nullable: true,
      description: 'The user name to sign in with; null when there is no guest.',
      resolve: ({ guest }) => guest?.username,
    }),
    password: t.string({
      nullable: true,
      description: 'The password, which sign-in pages show to everybody; null when there is no guest.',
      resolve: ({ guest }) => guest?.password,
    }),
  }),
});

const FixedUsersModeType = builder.objectRef<FixedUsers>('FixedUsersMode').implement({
  description: "Whether users are declared in the server's configuration. Sign-in pages ask it first.",
  fields: (t) => ({
    enabled: t.exposeBoolean('isEnabled', {
      description: 'Whether users are declared in the configuration.',
    }),
    migrationWarning: t.boolean({
      description:
        'Always false, because migrations are applied before the server answers. Front ends of ClearML read it.',
      resolve: () => false,
    }),
    guest: t.field({
      type: FixedUsersGuestType,
      description: 'The guest that everybody may sign in as.',
      resolve: ({ guest }) => ({ guest }),
    }),
    serverErrors: t.stringList({
      description: 'What keeps people from signing in now, for the sign-in page. Usually empty.',
      resolve: async () => ((await doesDatabaseAnswer()) ? [] : ['the database does not answer']),
    }),
  }),
});

builder.queryField('fixedUsersMode', (t) =>
  t.field({
    type: FixedUsersModeType,
    nullable: true,
    description: 'How users sign in here. Open to everybody, signed in or not.',
    resolve: () => fixedUsers(),
  }),
);

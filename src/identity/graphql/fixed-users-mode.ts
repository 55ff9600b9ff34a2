import { builder } from '../../graphql/builder.ts';
import { type FixedUsers, fixedUsers } from '../fixed-users.ts';
import { doesDatabaseAnswer } from '../store/fixed-users.ts';

const FixedUsersGuestType = builder.objectRef<Pick<FixedUsers, 'guest'>>('FixedUsersGuest').implement({
  description:
    'The guest, as whom everybody may sign in. Its user name and password can be used only for `login`.',
  fields: (t) => ({
    enabled: t.boolean({ description: 'Whether there is a guest.', resolve: ({ guest }) => guest !== null }),
    name: t.string({
      nullable: true,
      description: 'The name for people; null if there is no guest.',
      resolve: ({ guest }) => guest?.name,
    }),
    username: t.string({
      nullable: true,
      description: 'The user name to sign in with; null if there is no guest.',
      resolve: ({ guest }) => guest?.username,
    }),
    password: t.string({
      nullable: true,
      description: 'The password, which sign-in pages show to everybody; null if there is no guest.',
      resolve: ({ guest }) => guest?.password,
    }),
  }),
});

const FixedUsersModeType = builder.objectRef<FixedUsers>('FixedUsersMode').implement({
  description: "Whether the server's configuration declares users. Sign-in pages query this first.",
  fields: (t) => ({
    enabled: t.exposeBoolean('isEnabled', {
      description: "Whether the server's configuration declares users.",
    }),
    migrationWarning: t.boolean({
      description:
        'Always false, because the server applies migrations before it answers. User interfaces of ClearML read this field.',
      resolve: () => false,
    }),
    guest: t.field({
      type: FixedUsersGuestType,
      description: 'The guest, as whom everybody may sign in.',
      resolve: ({ guest }) => ({ guest }),
    }),
    serverErrors: t.stringList({
      description: 'Problems that prevent signing in at the moment, for the sign-in page. Usually empty.',
      resolve: async () => ((await doesDatabaseAnswer()) ? [] : ['the database does not answer']),
    }),
  }),
});

builder.queryField('fixedUsersMode', (t) =>
  t.field({
    type: FixedUsersModeType,
    nullable: true,
    description: 'How users sign in on this server. Does not require a sign-in.',
    resolve: () => fixedUsers(),
  }),
);

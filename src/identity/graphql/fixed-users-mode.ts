import { builder } from '../../graphql/builder.ts';
import { type FixedUsers, fixedUsers } from '../fixed-users.ts';
import { doesDatabaseAnswer } from '../store/fixed-users.ts';

const FixedUsersGuestType = builder.objectRef<Pick<FixedUsers, 'guest'>>('FixedUsersGuest').implement({
  description: 'The guest whom everybody may sign in as. With its name and password it may only `login`.',
  fields: (t) => ({
    enabled: t.boolean({ resolve: ({ guest }) => guest !== null }),
    name: t.string({ nullable: true, resolve: ({ guest }) => guest?.name }),
    username: t.string({ nullable: true, resolve: ({ guest }) => guest?.username }),
    password: t.string({
      nullable: true,
      description: 'Public: sign-in pages show it.',
      resolve: ({ guest }) => guest?.password,
    }),
  }),
});

const FixedUsersModeType = builder.objectRef<FixedUsers>('FixedUsersMode').implement({
  description: "Whether users are declared in the server's configuration. What a sign-in page asks first.",
  fields: (t) => ({
    enabled: t.boolean({ resolve: ({ isEnabled }) => isEnabled }),
    migrationWarning: t.boolean({
      description: 'False: migrations are applied before the server answers. Kept for front ends of ClearML.',
      resolve: () => false,
    }),
    guest: t.field({ type: FixedUsersGuestType, resolve: ({ guest }) => ({ guest }) }),
    serverErrors: t.stringList({
      description: 'What keeps people from signing in now, for the sign-in page.',
      resolve: async () => ((await doesDatabaseAnswer()) ? [] : ['the database does not answer']),
    }),
  }),
});

builder.queryField('fixedUsersMode', (t) =>
  t.field({
    type: FixedUsersModeType,
    nullable: true,
    description: 'For everybody, signed in or not.',
    resolve: () => fixedUsers(),
  }),
);

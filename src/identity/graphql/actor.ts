import { builder } from '../../graphql/builder.ts';

/** All types that show a user implement it, so that user interfaces need only one fragment. */
export const ActorInterface = builder
  .interfaceRef<{ readonly id: string; readonly username: string | null }>('Actor')
  .implement({
    description:
      'All types that show a user implement this interface, so one fragment on `Actor` fits all of them.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "The user's id: a UUIDv7 that is unique across all types." }),
      username: t.exposeString('username', {
        nullable: true,
        description:
          'The name that the user signs in with; for a deleted user, the last one. Null only in the audit log, if it was not known.',
      }),
    }),
  });

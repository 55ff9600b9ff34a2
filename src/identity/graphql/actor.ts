import { builder } from '../../graphql/builder.ts';

/** What all types have that show a user, so that a front end writes one fragment for them. */
export const ActorInterface = builder
  .interfaceRef<{ readonly id: string; readonly username: string | null }>('Actor')
  .implement({
    description: 'A user, by whichever type shows it. One fragment on `Actor` fits wherever users are shown.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "The user's id: a UUIDv7 that is unique across all types." }),
      username: t.exposeString('username', {
        nullable: true,
        description:
          'The name that the user signs in with, or signed in with at the time. Null only in the audit log, if it was not known.',
      }),
    }),
  });

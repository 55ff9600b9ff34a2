import { builder } from '../../graphql/builder.ts';

/** What all types have that show a user, so that a front end writes one fragment for them. */
export const ActorInterface = builder
  .interfaceRef<{ readonly id: string; readonly username: string | null }>('Actor')
  .implement({
    description: 'A user, by whichever type shows it. One fragment on `Actor` fits wherever users are shown.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "The user's id: an opaque UUIDv7, unique over all types." }),
      username: t.exposeString('username', {
        nullable: true,
        description:
          'The name that the user signs in with, or did; null only in the audit log, where it was not known.',
      }),
    }),
  });

import { builder } from '../../graphql/builder.ts';
import { callerOf } from '../../graphql/context.ts';
import { UnauthenticatedError } from '../../platform/errors.ts';
import { userClaims } from '../domain/user-claims.ts';

builder.queryField('userInfo', (t) =>
  t.field({
    type: 'JSON',
    nullable: true,
    description:
      'The claims of OpenID Connect about you, as a JSON object: `sub` (the id of your user), `preferred_username`, `name`, `updated_at` and, where they are set, `given_name`, `family_name`, `email` and `picture`. Source: OpenID Connect Core §5.1.',
    resolve: async (_root, _args, context) => {
      const user = await context.loaders.user.load(callerOf(context).userId);
      if (!user) throw new UnauthenticatedError();
      return userClaims(user);
    },
  }),
);

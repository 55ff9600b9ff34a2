import DataLoader from 'dataloader';
import { findPrincipal, type Principal, plainSignIn } from './principals.ts';

export function signInLoaders() {
  return {
    /** The user as a sign-in would find them now: role and default level. Null for disabled and deleted users. */
    principal: new DataLoader<string, Principal | null>((ids) =>
      Promise.all(ids.map((id) => findPrincipal(plainSignIn(id)))),
    ),
  };
}

type SignInLoaders = ReturnType<typeof signInLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends SignInLoaders {}
}

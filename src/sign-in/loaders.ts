import DataLoader from 'dataloader';
import { type Principal, readPrincipals } from './store/principals.ts';

export function signInLoaders() {
  return {
    /** The user as a sign-in would find it now, with role and default level. Null for disabled and deleted users. */
    principal: new DataLoader<string, Principal | null>((ids) => readPrincipals(ids, null, null)),
  };
}

type SignInLoaders = ReturnType<typeof signInLoaders>;

declare module '../graphql/context.ts' {
  interface Loaders extends SignInLoaders {}
}

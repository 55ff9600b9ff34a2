import type { Capability } from '../graphql/capability.ts';
import { signInLoaders } from './loaders.ts';
import { signInRules } from './rules.ts';
import './graphql/login.ts';
import './graphql/token.ts';
import './graphql/password.ts';

export const signIn: Capability = {
  rules: [signInRules],
  loaders: signInLoaders,
};

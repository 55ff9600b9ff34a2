import { access } from '../access/capability.ts';
import { attributes } from '../attributes/capability.ts';
import { blobs } from '../blobs/capability.ts';
import { executions } from '../executions/capability.ts';
import type { Capability } from '../graphql/capability.ts';
import { identity } from '../identity/capability.ts';
import { identityProviders } from '../identity-providers/capability.ts';
import { jobs } from '../jobs/capability.ts';
import { keySets } from '../key-sets/capability.ts';
import { notifications } from '../notifications/capability.ts';
import { oauth } from '../oauth/capability.ts';
import { projects } from '../projects/capability.ts';
import { registry } from '../registry/capability.ts';
import { retention } from '../retention/capability.ts';
import { signIn } from '../sign-in/capability.ts';
import { tracking } from '../tracking/capability.ts';
import { version } from './version.ts';

/** All capabilities. To add one, add its name here. */
export const capabilities: readonly Capability[] = [
  version,
  identity,
  keySets,
  signIn,
  oauth,
  identityProviders,
  projects,
  attributes,
  registry,
  executions,
  jobs,
  blobs,
  tracking,
  notifications,
  retention,
  access,
];

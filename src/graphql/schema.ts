import { groupRules } from '../access/group-rules.ts';
import { blobRules } from '../blobs/rules.ts';
import { executionRules } from '../executions/rules.ts';
import { identityRules } from '../identity/rules.ts';
import { jobRules } from '../jobs/rules.ts';
import { oauthRules } from '../oauth/rules.ts';
import { projectRules } from '../projects/rules.ts';
import { registryRules } from '../registry/rules.ts';
import { guardArguments } from './arguments.ts';
import { builder } from './builder.ts';
import { can, mergeRules, type RootRules, withRules } from './permissions.ts';
import { guardSubscriptions } from './subscriptions.ts';
import './scalars.ts';
import './version.ts';
import '../identity/graphql/user.ts';
import '../identity/graphql/user-mutations.ts';
import '../identity/graphql/tenant.ts';
import '../identity/graphql/fixed-users-mode.ts';
import '../access/graphql/group.ts';
import '../oauth/graphql/login.ts';
import '../projects/graphql/project.ts';
import '../registry/graphql/task.ts';
import '../registry/graphql/workflow.ts';
import '../registry/graphql/launch-plan.ts';
import '../executions/graphql/execution.ts';
import '../executions/graphql/node-execution.ts';
import '../executions/graphql/task-execution.ts';
import '../executions/graphql/execution-event.ts';
import '../jobs/graphql/queue.ts';
import '../jobs/graphql/job.ts';
import '../jobs/graphql/lease.ts';
import '../blobs/graphql/blob.ts';

const versionRules: RootRules = { Query: { version: can('version:read') } };

/** Who may call which root field: every capability's table in one. */
export const rules = mergeRules([
  versionRules,
  identityRules,
  groupRules,
  oauthRules,
  projectRules,
  registryRules,
  executionRules,
  jobRules,
  blobRules,
]);

const bare = builder.toSchema();
guardSubscriptions(bare, rules.Subscription);

/** The one schema, with its rules in place: what cannot be built is found at start. */
export const schema = withRules(bare, rules);
// Outermost: a rule may ask the database for what an argument names.
guardArguments(schema);

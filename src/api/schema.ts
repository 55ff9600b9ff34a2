import { groupRules } from '../access/group-rules.ts';
import { accessRules } from '../access/rules.ts';
import { blobRules } from '../blobs/rules.ts';
import { executionRules } from '../executions/rules.ts';
import { experimentRules } from '../tracking/experiment-rules.ts';
import { credentialRules } from '../identity/credential-rules.ts';
import { identityRules } from '../identity/rules.ts';
import { jobRules } from '../jobs/rules.ts';
import { modelRules } from '../tracking/model-rules.ts';
import { oauthRules } from '../sign-in/rules.ts';
import { projectRules } from '../projects/rules.ts';
import { registryRules } from '../registry/rules.ts';
import { guardArguments } from './arguments.ts';
import { builder } from '../graphql/builder.ts';
import { guardLongPolls } from './long-polls.ts';
import { can, mergeRules, type RootRules, withRules } from '../graphql/rules.ts';
import { guardSubscriptions } from './subscriptions.ts';
import '../graphql/scalars.ts';
import './version.ts';
import '../identity/graphql/user.ts';
import '../identity/graphql/user-mutations.ts';
import '../identity/graphql/tenant.ts';
import '../identity/graphql/fixed-users-mode.ts';
import '../access/graphql/group.ts';
import '../identity/graphql/credential.ts';
import '../sign-in/graphql/login.ts';
import '../sign-in/graphql/token.ts';
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
import '../access/graphql/permission.ts';
import '../access/graphql/explanation.ts';
import '../access/graphql/experiment-permission.ts';
import '../access/graphql/registered-model-permission.ts';
import '../access/graphql/audit-event.ts';
import '../tracking/graphql/experiment.ts';
import '../tracking/graphql/run.ts';
import '../tracking/graphql/registered-model.ts';
import '../tracking/graphql/model-version.ts';

const versionRules: RootRules = { Query: { version: can('version:read') } };

/** Who may call which root field: every capability's table in one. */
export const rules = mergeRules([
  versionRules,
  accessRules,
  identityRules,
  groupRules,
  credentialRules,
  oauthRules,
  projectRules,
  registryRules,
  executionRules,
  jobRules,
  blobRules,
  experimentRules,
  modelRules,
]);

const bare = builder.toSchema();
guardSubscriptions(bare, rules.Subscription);
guardLongPolls(bare, rules.Mutation);

/** The one schema, with its rules in place: what cannot be built is found at start. */
export const schema = withRules(bare, rules);
// Outermost: a rule may ask the database for what an argument names.
guardArguments(schema);

import { groupNodes } from '../authorization/store/groups.ts';
import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { findGroup, GroupType } from './graphql/group.ts';
import { groupRules } from './group-rules.ts';
import { accessLoaders } from './loaders.ts';
import { accessRules } from './rules.ts';
import './graphql/grant.ts';
import './graphql/grantee.ts';
import './graphql/permission-definition.ts';
import './graphql/explanation.ts';
import './graphql/experiment-permission.ts';
import './graphql/registered-model-permission.ts';
import './graphql/mlflow-permissions.ts';
import './graphql/audit-event.ts';

export const access: Capability = {
  rules: [accessRules, groupRules],
  loaders: accessLoaders,
  nodes: [nodeType(GroupType, 'group:list', groupNodes, (id, context) => findGroup({ id }, context))],
};

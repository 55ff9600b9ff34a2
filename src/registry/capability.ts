import type { Capability } from '../graphql/capability.ts';
import { registryLoaders } from './loaders.ts';
import { registryRules } from './rules.ts';
import './graphql/task.ts';
import './graphql/workflow.ts';
import './graphql/launch-plan.ts';

export const registry: Capability = {
  rules: [registryRules],
  loaders: registryLoaders,
};

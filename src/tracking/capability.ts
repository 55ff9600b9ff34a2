import type { Capability } from '../graphql/capability.ts';
import { experimentLoaders } from './experiment-loaders.ts';
import { experimentRules } from './experiment-rules.ts';
import { modelLoaders } from './model-loaders.ts';
import { modelRules } from './model-rules.ts';
import './graphql/experiment.ts';
import './graphql/run.ts';
import './graphql/registered-model.ts';
import './graphql/model-version.ts';

export const tracking: Capability = {
  rules: [experimentRules, modelRules],
  loaders: (tenantId) => ({ ...experimentLoaders(tenantId), ...modelLoaders(tenantId) }),
};

import type { Capability } from '../graphql/capability.ts';
import { projectLoaders } from './loaders.ts';
import { projectRules } from './rules.ts';
import './graphql/project.ts';

export const projects: Capability = {
  rules: [projectRules],
  loaders: projectLoaders,
};

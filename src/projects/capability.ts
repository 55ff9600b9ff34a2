import type { Capability } from '../graphql/capability.ts';
import { nodeType } from '../graphql/node.ts';
import { ProjectType } from './graphql/project.ts';
import { projectLoaders } from './loaders.ts';
import { projectRules } from './rules.ts';
import { projectNodes } from './store.ts';

export const projects: Capability = {
  rules: [projectRules],
  loaders: projectLoaders,
  nodes: [
    nodeType(ProjectType, 'project:read', projectNodes, (id, { loaders }) => loaders.project.load({ id })),
  ],
};
